//! Raw rules of the policy, and patterns, to valid ones.

use plan::Glob;

use super::check::Check;
use super::raw::RawRule;
use crate::endpoint::Service;
use crate::policy::{Credentials, Pattern, Policy, Rule};

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
        let secrets = raw.secrets.map(|raw| self.patterns(&format!("{place}.secrets"), raw));
        let mut limit = |field: &str, raw: Option<Vec<String>>, rules| {
            raw.map(|raw| self.globs(&format!("{place}.{field}"), Some(raw), rules))
        };
        let regions = limit("regions", raw.regions, REGIONS);
        let endpoints = limit("endpoints", raw.endpoints, ENDPOINTS);
        Rule { name, namespaces, roles, credentials, secrets, regions, endpoints }
    }

    /// Names of secrets, with the product before them or without.
    fn patterns(&mut self, field: &str, raw: Vec<String>) -> Vec<Pattern> {
        self.some(field, &raw);
        let mut patterns = Vec::with_capacity(raw.len());
        for text in raw {
            match pattern(&text) {
                Some(pattern) => patterns.push(pattern),
                None => self.refuse(field.to_owned(), text, SECRETS),
            }
        }
        patterns
    }

    /// Nothing could mean nobody or everybody.
    pub(super) fn some(&mut self, field: &str, raw: &[String]) {
        if raw.is_empty() {
            self.refuse(field.to_owned(), "nothing".to_owned(), "a list; [\"*\"] is all of them");
        }
    }

    pub(super) fn only_variables(&mut self, raw: Option<Vec<String>>) -> Option<Vec<Glob>> {
        raw.map(|raw| self.globs("onlyVariables", Some(raw), VARIABLES))
    }

    fn globs(
        &mut self,
        field: &str,
        raw: Option<Vec<String>>,
        (fits, allowed): Rules,
    ) -> Vec<Glob> {
        let raw = raw.unwrap_or_default();
        self.some(field, &raw);
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

/// What a pattern must be beside one, and the words for what is none.
type Rules = (fn(&str) -> bool, &'static str);

fn pattern(text: &str) -> Option<Pattern> {
    let (product, name) = match text.split_once("://") {
        None => (None, text),
        Some(("kms", name)) => (Some(Service::Kms), name),
        Some(("oos", name)) => (Some(Service::Oos), name),
        Some(_) => return None,
    };
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"_/+=.@:-*?".contains(&b);
    let name = Glob::parse(name).ok().filter(|_| name.bytes().all(fits))?;
    Some(Pattern { product, name })
}

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

const SECRETS: &str =
    "a pattern of names of secrets, like payments/*, kms://payments/* or oos://payments/*";
const VARIABLES: Rules = (
    |text| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_*?".contains(&b)),
    "a pattern of names of environment variables, like DB_*",
);
const REGIONS: Rules = (
    |text| {
        text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-*?".contains(&b))
    },
    "a pattern of region ids, like cn-hangzhou or cn-*",
);
const ENDPOINTS: Rules = (
    |text| {
        text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.*?".contains(&b))
    },
    "a pattern of host names, like kst-payments.cryptoservice.kms.aliyuncs.com",
);

/// A page for each namespace of a large cluster; what a denial costs grows with it.
const RULES: usize = 500;
