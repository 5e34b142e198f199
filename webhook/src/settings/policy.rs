//! Raw rules of the policy to valid ones.

use plan::Glob;

use super::check::Check;
use super::raw::RawRule;
use crate::policy::{Credentials, Policy, Rule};

impl Check {
    pub(super) fn policy(&mut self, raw: Vec<RawRule>) -> Policy {
        if raw.len() > RULES {
            let allowed = format!("at most {RULES} rules");
            self.refuse("policy", format!("{} rules", raw.len()), allowed);
            return Policy::default();
        }
        let mut rules: Vec<Rule> = Vec::with_capacity(raw.len());
        for (index, raw) in raw.into_iter().enumerate() {
            let rule = self.rule(&format!("policy[{index}]"), raw, &rules);
            rules.push(rule);
        }
        Policy(rules)
    }

    /// `place` is said where something is wrong, `earlier` are the rules before it.
    fn rule(&mut self, place: &str, raw: RawRule, earlier: &[Rule]) -> Rule {
        let name = raw.name.unwrap_or_default();
        if !is_name(&name) {
            let allowed = "1 to 63 letters, digits, hyphens, dots or underscores";
            self.refuse(format!("{place}.name"), name.clone(), allowed);
        } else if earlier.iter().any(|rule| rule.name == name) {
            let allowed = "a name that no other rule has";
            self.refuse(format!("{place}.name"), name.clone(), allowed);
        }
        let namespaces = self.globs(&format!("{place}.namespaces"), raw.namespaces, NAMESPACES);
        let roles = self.globs(&format!("{place}.roles"), raw.roles, ROLES);
        let credentials = self.credentials(&format!("{place}.credentials"), raw.credentials);
        let secrets =
            raw.secrets.map(|raw| self.globs(&format!("{place}.secrets"), Some(raw), SECRETS));
        Rule { name, namespaces, roles, credentials, secrets }
    }

    fn globs(
        &mut self,
        field: &str,
        raw: Option<Vec<String>>,
        (fits, allowed): Rules,
    ) -> Vec<Glob> {
        let raw = raw.unwrap_or_default();
        if raw.is_empty() {
            // Nothing could mean nobody or everybody.
            self.refuse(field.to_owned(), "nothing".to_owned(), "a list; [\"*\"] is all of them");
        }
        let mut globs = Vec::with_capacity(raw.len());
        for text in raw {
            match Glob::parse(&text) {
                Ok(glob) if fits(&text) => globs.push(glob),
                _ => self.refuse(field.to_owned(), text, allowed),
            }
        }
        globs
    }

    fn credentials(&mut self, field: &str, raw: Option<Vec<String>>) -> Vec<Credentials> {
        let Some(raw) = raw else { return vec![Credentials::Rrsa] };
        let allowed = "a list of rrsa, ecs-ram-role and secret";
        if raw.is_empty() {
            self.refuse(field.to_owned(), "nothing".to_owned(), allowed);
        }
        let mut kinds = Vec::with_capacity(raw.len());
        for text in raw {
            match Credentials::ALL.into_iter().find(|kind| kind.as_str() == text) {
                Some(kind) => kinds.push(kind),
                None => self.refuse(field.to_owned(), text, allowed),
            }
        }
        kinds
    }
}

/// What a pattern must be, as a test and in words.
type Rules = (fn(&str) -> bool, &'static str);

fn is_name(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    (1..=63).contains(&text.len()) && text.bytes().all(allowed)
}

const NAMESPACES: Rules = (
    |text| {
        text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-*?".contains(&b))
    },
    "a pattern of a namespace's name, like payments or pay-*",
);
/// One that names no account by mistake would match nothing.
const ROLES: Rules = (
    |text| text == "*" || text.starts_with("acs:ram::"),
    "\"*\" or a pattern of role ARNs, like acs:ram::1234567890123456:role/payments-*",
);

const SECRETS: Rules = (
    |text| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_/+=.@:-*?".contains(&b)),
    "a pattern of names of secrets, like payments/*",
);

/// A page for each namespace of a large cluster; what a denial costs grows with it.
const RULES: usize = 500;
