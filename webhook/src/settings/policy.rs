//! Which roles the Pods of a namespace may use, by which credentials and for which secrets, as the
//! operator says.

mod pattern;
mod reads;
mod rule;

use plan::Principal;

pub(crate) use self::pattern::Pattern;
pub(crate) use self::reads::{Outside, ReadPlace, Reads};
pub(crate) use self::rule::{CredentialsKind, Rule};
use self::rule::{NAMED, RuleVerdict};
use crate::problem::Problem;
use crate::settings::comparisons::Comparisons;

/// The operator's rules. Without any, every namespace may use every role by RRSA.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Policy(pub(crate) Vec<Rule>);

impl Policy {
    /// Whether a Pod of the namespace may use the role. The problem names rules for this namespace
    /// only: a reader learns nothing of others.
    pub(crate) fn check(
        &self,
        namespace: &str,
        principal: Principal<'_>,
        credentials: CredentialsKind,
        comparisons: &mut Comparisons,
    ) -> Result<(), Problem> {
        let Self(rules) = self;
        if rules.is_empty() && credentials == CredentialsKind::Rrsa {
            return Ok(());
        }
        let mut near = Vec::new();
        for rule in rules {
            let verdict = rule.judge(namespace, principal, credentials, comparisons);
            if verdict.agreements() == 3 {
                return Ok(());
            }
            if verdict.namespace {
                near.push(verdict);
            }
        }
        // Stable: of rules that are as near, the operator's first comes first.
        near.sort_by_key(|verdict| std::cmp::Reverse(verdict.agreements()));
        let rules: Vec<_> = near.iter().take(NAMED).map(RuleVerdict::shortfall).collect();
        let rules = match near.len().saturating_sub(NAMED) {
            _ if near.is_empty() => "no rule names this namespace".to_owned(),
            0 => rules.join(", "),
            more => format!("{}, and {more} more", rules.join(", ")),
        };
        // RRSA alone needs no rule.
        let remedy = match credentials {
            CredentialsKind::Rrsa => {
                "use a role that the policy allows, or ask the operator for a rule".to_owned()
            }
            kind => format!(
                "ask the operator for a rule with credentials: [{}], or use rrsa",
                kind.as_str()
            ),
        };
        Err(Problem::pod(
            "policy",
            format!(
                "namespace {namespace} may not use {} by {}: {rules}",
                principal.text(),
                credentials.as_str()
            ),
            remedy,
        ))
    }
}

impl Policy {
    /// What a Pod of the namespace may read with the role; `None` is all.
    pub(crate) fn reads(
        &self,
        namespace: &str,
        principal: Principal<'_>,
        credentials: CredentialsKind,
        comparisons: &mut Comparisons,
    ) -> Option<Reads<'_>> {
        let Self(rules) = self;
        let allows = |rule: &&Rule| {
            rule.judge(namespace, principal, credentials, comparisons).agreements() == 3
        };
        (!rules.is_empty()).then(|| Reads(rules.iter().filter(allows).collect()))
    }
}

#[cfg(test)]
mod tests {
    use plan::{Glob, RoleArn};

    use super::*;

    fn rule(
        name: &str,
        namespaces: &[&str],
        roles: &[&str],
        credentials: &[CredentialsKind],
    ) -> Rule {
        let globs = |texts: &[&str]| texts.iter().map(|text| Glob::parse(text).unwrap()).collect();
        Rule {
            name: name.to_owned(),
            namespaces: globs(namespaces),
            roles: globs(roles),
            credentials: credentials.to_vec(),
            secrets: None,
            regions: None,
            endpoints: None,
        }
    }

    #[test]
    fn what_may_be_read_is_of_the_rules_that_allow_the_role() {
        let one = |name, role| rule(name, &["pay"], &[role], &[CredentialsKind::Rrsa]);
        let role = RoleArn::parse("acs:ram::1:role/pay-db").unwrap();
        let policy = Policy(vec![one("a", "acs:ram::1:role/pay-*"), one("b", "*"), one("c", "x")]);
        let seen = |policy: &Policy, namespace: &str| {
            let Reads(rules) = policy.reads(
                namespace,
                Principal::Role(&role),
                CredentialsKind::Rrsa,
                &mut Comparisons::default(),
            )?;
            Some(rules.iter().map(|rule| rule.name.clone()).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(seen(&policy, "pay").as_deref(), Some("a b"));
        assert_eq!(seen(&policy, "other").as_deref(), Some(""));
        assert_eq!(seen(&Policy::default(), "pay"), None);
    }

    fn check(policy: &Policy, namespace: &str, role: &str) -> Result<(), String> {
        let role = RoleArn::parse(&format!("acs:ram::1:role/{role}")).unwrap();
        let mut comparisons = Comparisons::default();
        policy
            .check(namespace, Principal::Role(&role), CredentialsKind::Rrsa, &mut comparisons)
            .map_err(|problem| problem.to_string())
    }

    fn two() -> Policy {
        Policy(vec![
            rule(
                "payments",
                &["payments", "pay-*"],
                &["acs:ram::1:role/pay-*"],
                &[CredentialsKind::Rrsa],
            ),
            rule(
                "shops",
                &["shop-?"],
                &["acs:ram::1:role/shop", "acs:ram::*:role/till"],
                &[CredentialsKind::Secret, CredentialsKind::Rrsa],
            ),
        ])
    }

    #[test]
    fn without_rules_every_namespace_may_use_every_role_by_rrsa_alone() {
        let none = Policy::default();
        assert_eq!(check(&none, "anywhere", "any"), Ok(()));
        let role = RoleArn::parse("acs:ram::1:role/any").unwrap();
        for credentials in [CredentialsKind::EcsRamRole, CredentialsKind::Secret] {
            let problem = none
                .check("anywhere", Principal::Role(&role), credentials, &mut Comparisons::default())
                .unwrap_err();
            assert!(problem.what.ends_with(": no rule names this namespace"), "{problem}");
        }
    }

    #[test]
    fn one_rule_that_names_all_three_is_enough() {
        for (namespace, role) in
            [("payments", "pay-db"), ("pay-eu", "pay-"), ("shop-1", "shop"), ("shop-2", "till")]
        {
            assert_eq!(check(&two(), namespace, role), Ok(()), "{namespace} {role}");
        }
    }

    #[test]
    fn two_rules_together_allow_no_more_than_each_alone() {
        let problem = check(&two(), "payments", "shop").unwrap_err();
        assert_eq!(
            problem,
            "policy: namespace payments may not use acs:ram::1:role/shop by rrsa: \
             rule \"payments\" (not the role); \
             use a role that the policy allows, or ask the operator for a rule"
        );
    }

    #[test]
    fn a_namespace_that_no_rule_names_hears_of_no_rule_whoever_has_the_role() {
        for role in ["other", "pay-db", "till"] {
            let problem = check(&two(), "elsewhere", role).unwrap_err();
            assert!(problem.contains("by rrsa: no rule names this namespace; "), "{problem}");
        }
    }

    #[test]
    fn a_rule_for_other_namespaces_is_not_asked_about_a_role_and_costs_the_same_whatever_it_says() {
        let role = RoleArn::parse("acs:ram::1:role/pay-db").unwrap();
        let left = |roles: &[&str]| {
            let others = (0..50).map(|_| rule("o", &["other"], roles, &[CredentialsKind::Rrsa]));
            let policy = Policy(others.collect());
            // A look at the ends of each namespace's name, in both questions, and no more.
            let mut comparisons = Comparisons::of(2 * 50 * 8);
            let _ = policy.check(
                "pay",
                Principal::Role(&role),
                CredentialsKind::Rrsa,
                &mut comparisons,
            );
            policy.reads("pay", Principal::Role(&role), CredentialsKind::Rrsa, &mut comparisons);
            comparisons
        };
        let (short, long) = (left(&["a"]), left(&["*a*:*:*role/*pay*db*x"]));
        assert!(!short.is_spent() && !long.is_spent(), "{short:?} {long:?}");
    }

    #[test]
    fn the_nearest_rules_come_first_and_no_more_than_fit() {
        let secret = [CredentialsKind::Secret];
        let mut rules = vec![rule("far", &["payments"], &["acs:ram::2:*"], &secret)];
        rules.extend(two().0);
        rules.push(rule("static", &["payments"], &["*"], &secret));
        let problem = check(&Policy(rules), "payments", "till").unwrap_err();
        assert!(
            problem.contains(
                "rule \"payments\" (not the role), rule \"static\" (not the credentials), \
                 rule \"far\" (not the role, not the credentials);"
            ),
            "{problem}"
        );
        let far = rule("far", &["payments"], &["acs:ram::2:*"], &secret);
        let problem = check(&Policy(vec![far]), "payments", "till").unwrap_err();
        assert!(problem.contains("rule \"far\" (not the role, not the credentials);"), "{problem}");
    }
}
