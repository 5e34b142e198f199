//! Which roles the Pods of a namespace may use, by which credentials and for which secrets, as the
//! operator says.

use plan::{Glob, RoleArn};

use crate::problem::Problem;

/// The operator's rules. Without any, every namespace may use every role by RRSA.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy(pub(crate) Vec<Rule>);

/// Lets Pods of these namespaces use these roles by these credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    /// Said in denials.
    pub(crate) name: String,
    /// Over names: a label can be edited by whoever owns the namespace.
    pub(crate) namespaces: Vec<Glob>,
    pub(crate) roles: Vec<Glob>,
    pub(crate) credentials: Vec<Credentials>,
    /// Names of secrets and parameters; `None` is all.
    pub(crate) secrets: Option<Vec<Glob>>,
}

/// What a Pod proves its identity with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Credentials {
    Rrsa,
    EcsRamRole,
    Secret,
}

/// What a rule says about one question.
struct Verdict<'a> {
    rule: &'a Rule,
    namespace: bool,
    role: bool,
    credentials: bool,
}

impl Policy {
    /// Whether a Pod of the namespace may use the role; the problem names the rules that came
    /// near.
    pub(crate) fn check(
        &self,
        namespace: &str,
        role: &RoleArn,
        credentials: Credentials,
    ) -> Result<(), Problem> {
        let Self(rules) = self;
        if rules.is_empty() && credentials == Credentials::Rrsa {
            return Ok(());
        }
        let mut near = Vec::new();
        for rule in rules {
            let verdict = rule.judge(namespace, role, credentials);
            if verdict.agreements() == 3 {
                return Ok(());
            }
            if verdict.namespace || verdict.role {
                near.push(verdict);
            }
        }
        // Stable: of rules that are as near, the operator's first comes first.
        near.sort_by_key(|verdict| std::cmp::Reverse(verdict.agreements()));
        let rules: Vec<_> = near.iter().take(NAMED).map(Verdict::said).collect();
        let rules = match near.len().saturating_sub(NAMED) {
            _ if near.is_empty() => "no rule names either".to_owned(),
            0 => rules.join(", "),
            more => format!("{}, and {more} more", rules.join(", ")),
        };
        Err(Problem::pod(
            "policy",
            format!(
                "namespace {namespace} may not use {role} by {}: {rules}",
                credentials.as_str()
            ),
            "use a role that the policy allows, or ask the operator for a rule",
        ))
    }
}

impl Policy {
    /// Which secrets a Pod of the namespace may read with a role that it may use; `None` is all.
    /// Each is of one rule that allows the role too.
    pub(crate) fn secrets(
        &self,
        namespace: &str,
        role: &RoleArn,
        credentials: Credentials,
    ) -> Option<Vec<Glob>> {
        let Self(rules) = self;
        let mut secrets = Vec::new();
        let allows = |rule: &&Rule| rule.judge(namespace, role, credentials).agreements() == 3;
        for rule in rules.iter().filter(allows) {
            secrets.extend(rule.secrets.as_ref()?.iter().cloned());
        }
        (!rules.is_empty()).then_some(secrets)
    }
}

impl Rule {
    fn judge(&self, namespace: &str, role: &RoleArn, credentials: Credentials) -> Verdict<'_> {
        let any = |globs: &[Glob], text: &str| globs.iter().any(|glob| glob.matches(text));
        Verdict {
            rule: self,
            namespace: any(&self.namespaces, namespace),
            role: any(&self.roles, role.as_str()),
            credentials: self.credentials.contains(&credentials),
        }
    }
}

impl Verdict<'_> {
    fn agreements(&self) -> usize {
        [self.namespace, self.role, self.credentials].into_iter().filter(|agrees| *agrees).count()
    }

    /// Like `rule "payments" (not the role)`.
    fn said(&self) -> String {
        let parts = [
            (self.namespace, "the namespace"),
            (self.role, "the role"),
            (self.credentials, "the credentials"),
        ];
        let missing: Vec<_> =
            parts.into_iter().filter(|(agrees, _)| !agrees).map(|(_, part)| part).collect();
        format!("rule {:?} (not {})", self.rule.name, missing.join(", not "))
    }
}

impl Credentials {
    pub(crate) const ALL: [Self; 3] = [Self::Rrsa, Self::EcsRamRole, Self::Secret];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Rrsa => "rrsa",
            Self::EcsRamRole => "ecs-ram-role",
            Self::Secret => "secret",
        }
    }
}

/// More would not fit into the one line that people see.
const NAMED: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(name: &str, namespaces: &[&str], roles: &[&str], credentials: &[Credentials]) -> Rule {
        let globs = |texts: &[&str]| texts.iter().map(|text| Glob::parse(text).unwrap()).collect();
        Rule {
            name: name.to_owned(),
            namespaces: globs(namespaces),
            roles: globs(roles),
            credentials: credentials.to_vec(),
            secrets: None,
        }
    }

    #[test]
    fn secrets_are_of_the_rules_that_allow_the_role() {
        let with = |mut rule: Rule, secrets: &[&str]| {
            let globs = secrets.iter().map(|text| Glob::parse(text).unwrap());
            rule.secrets = Some(globs.collect());
            rule
        };
        let one = |name| rule(name, &["pay"], &["acs:ram::1:role/pay-*"], &[Credentials::Rrsa]);
        let role = RoleArn::parse("acs:ram::1:role/pay-db").unwrap();
        let seen = |policy: &Policy, namespace: &str| {
            let secrets = policy.secrets(namespace, &role, Credentials::Rrsa)?;
            Some(secrets.iter().map(Glob::to_string).collect::<Vec<_>>())
        };
        let policy = Policy(vec![with(one("a"), &["pay/*"]), with(one("b"), &["shared/x"])]);
        assert_eq!(seen(&policy, "pay"), Some(vec!["pay/*".to_owned(), "shared/x".to_owned()]));
        assert_eq!(seen(&policy, "other"), Some(Vec::new()));
        let wide = Policy(vec![with(one("a"), &["pay/*"]), one("b")]);
        assert_eq!(seen(&wide, "pay"), None);
        assert_eq!(seen(&Policy::default(), "pay"), None);
    }

    fn asked(policy: &Policy, namespace: &str, role: &str) -> Result<(), String> {
        let role = RoleArn::parse(&format!("acs:ram::1:role/{role}")).unwrap();
        policy.check(namespace, &role, Credentials::Rrsa).map_err(|problem| problem.to_string())
    }

    fn two() -> Policy {
        Policy(vec![
            rule(
                "payments",
                &["payments", "pay-*"],
                &["acs:ram::1:role/pay-*"],
                &[Credentials::Rrsa],
            ),
            rule(
                "shops",
                &["shop-?"],
                &["acs:ram::1:role/shop", "acs:ram::*:role/till"],
                &[Credentials::Secret, Credentials::Rrsa],
            ),
        ])
    }

    #[test]
    fn without_rules_every_namespace_may_use_every_role_by_rrsa_alone() {
        let none = Policy::default();
        assert_eq!(asked(&none, "anywhere", "any"), Ok(()));
        let role = RoleArn::parse("acs:ram::1:role/any").unwrap();
        for credentials in [Credentials::EcsRamRole, Credentials::Secret] {
            let problem = none.check("anywhere", &role, credentials).unwrap_err();
            assert!(problem.what.ends_with(": no rule names either"), "{problem}");
        }
    }

    #[test]
    fn one_rule_that_names_all_three_is_enough() {
        for (namespace, role) in
            [("payments", "pay-db"), ("pay-eu", "pay-"), ("shop-1", "shop"), ("shop-2", "till")]
        {
            assert_eq!(asked(&two(), namespace, role), Ok(()), "{namespace} {role}");
        }
    }

    #[test]
    fn two_rules_together_allow_no_more_than_each_alone() {
        let problem = asked(&two(), "payments", "shop").unwrap_err();
        assert_eq!(
            problem,
            "policy: namespace payments may not use acs:ram::1:role/shop by rrsa: \
             rule \"payments\" (not the role), rule \"shops\" (not the namespace); \
             use a role that the policy allows, or ask the operator for a rule"
        );
    }

    #[test]
    fn a_namespace_and_a_role_that_no_rule_names_are_said_to_be_so() {
        let problem = asked(&two(), "elsewhere", "other").unwrap_err();
        assert!(problem.contains("by rrsa: no rule names either; "), "{problem}");
    }

    #[test]
    fn the_nearest_rules_come_first_and_no_more_than_fit() {
        let secret = [Credentials::Secret];
        let mut rules = vec![rule("far", &["payments"], &["acs:ram::2:*"], &secret)];
        rules.extend(two().0);
        rules.push(rule("static", &["payments"], &["*"], &secret));
        let problem = asked(&Policy(rules), "payments", "till").unwrap_err();
        assert!(
            problem.contains(
                "rule \"payments\" (not the role), rule \"shops\" (not the namespace), \
                 rule \"static\" (not the credentials), and 1 more;"
            ),
            "{problem}"
        );
        let far = rule("far", &["payments"], &["acs:ram::2:*"], &secret);
        let problem = asked(&Policy(vec![far]), "payments", "till").unwrap_err();
        assert!(problem.contains("rule \"far\" (not the role, not the credentials);"), "{problem}");
    }
}
