//! Raw rules of the policy, and patterns, to valid ones.

use plan::Glob;

use super::Check;
use crate::settings::policy::{self, CredentialsKind, Pattern, Policy};
use crate::settings::raw::RawRule;
use crate::settings::rules::Rule;

impl Check {
    pub(super) fn policy(&mut self, raw: Vec<RawRule>) -> Policy {
        if raw.len() > RULES {
            let allowed = format!("at most {RULES} rules");
            self.refuse("policy", format!("{} rules", raw.len()), allowed);
            return Policy::default();
        }
        let mut rules: Vec<policy::Rule> = Vec::with_capacity(raw.len());
        for (index, raw) in raw.into_iter().enumerate() {
            let rule = self.rule(&format!("policy[{index}]"), raw, &rules);
            rules.push(rule);
        }
        Policy(rules)
    }

    /// `place` is said where something is wrong, `earlier` are the rules before it.
    fn rule(&mut self, place: &str, raw: RawRule, earlier: &[policy::Rule]) -> policy::Rule {
        let name = raw.name.unwrap_or_default();
        let is_taken = earlier.iter().any(|rule| rule.name == name);
        self.name(&format!("{place}.name"), &name, is_taken);
        let namespaces = self.some_of(&format!("{place}.namespaces"), raw.namespaces, NAMESPACES);
        let roles = self.some_of(&format!("{place}.roles"), raw.roles, ROLES);
        let credentials = self.credentials(&format!("{place}.credentials"), raw.credentials);
        let secrets =
            raw.secrets.map(|raw| self.some_of(&format!("{place}.secrets"), Some(raw), SECRETS));
        let mut limit = |field: &str, raw: Option<Vec<String>>, rule| {
            raw.map(|raw| self.some_of(&format!("{place}.{field}"), Some(raw), rule))
        };
        let regions = limit("regions", raw.regions, REGIONS);
        let endpoints = limit("endpoints", raw.endpoints, ENDPOINTS);
        policy::Rule { name, namespaces, roles, credentials, secrets, regions, endpoints }
    }

    /// Nothing could mean nobody or everybody.
    pub(super) fn some(&mut self, field: &str, raw: &[String]) {
        if raw.is_empty() {
            self.refuse(field.to_owned(), "nothing".to_owned(), "a list; [\"*\"] is all of them");
        }
    }

    pub(super) fn only_variables(&mut self, raw: Option<Vec<String>>) -> Option<Vec<Glob>> {
        raw.map(|raw| self.some_of("onlyVariables", Some(raw), VARIABLES))
    }

    /// A list of one value at least; a list that is left out has none.
    pub(super) fn some_of<T>(
        &mut self,
        field: &str,
        raw: Option<Vec<String>>,
        rule: Rule<T>,
    ) -> Vec<T> {
        let raw = raw.unwrap_or_default();
        self.some(field, &raw);
        self.each(field, raw, rule)
    }

    fn each<T>(&mut self, field: &str, raw: Vec<String>, (parse, allowed): Rule<T>) -> Vec<T> {
        let mut values = Vec::with_capacity(raw.len());
        for text in raw {
            match parse(&text) {
                Some(value) => values.push(value),
                None => self.refuse(field.to_owned(), text, allowed),
            }
        }
        values
    }

    fn credentials(&mut self, field: &str, raw: Option<Vec<String>>) -> Vec<CredentialsKind> {
        let Some(raw) = raw else { return vec![CredentialsKind::Rrsa] };
        if raw.is_empty() {
            self.refuse(field.to_owned(), "nothing".to_owned(), CREDENTIALS.1);
        }
        self.each(field, raw, CREDENTIALS)
    }
}

pub(super) fn is_name(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    (1..=63).contains(&text.len()) && text.bytes().all(allowed)
}

/// A pattern of these bytes and `*` and `?` alone.
fn glob(text: &str, fits: fn(u8) -> bool) -> Option<Glob> {
    let of_pattern = |b: u8| matches!(b, b'*' | b'?') || fits(b);
    text.bytes().all(of_pattern).then(|| Glob::parse(text).ok())?
}

fn of_label(b: u8) -> bool {
    b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'
}

pub(super) const NAMESPACES: Rule<Glob> =
    (|text| glob(text, of_label), "a pattern of a namespace's name, like payments or pay-*");

/// One that names no account by mistake would match nothing.
const ROLES: Rule<Glob> = (
    |text| {
        let named = |start: &&str| text.strip_prefix(*start).is_some_and(|rest| !rest.is_empty());
        (["acs:ram::", "secret/", "ecs-ram-role/"].iter().any(named)
            || matches!(text, "*" | "ecs-ram-role"))
        .then(|| Glob::parse(text).ok())?
    },
    "\"*\", a pattern of role ARNs, like acs:ram::1234567890123456:role/payments-*, or secret/NAME, \
     ecs-ram-role, ecs-ram-role/NAME for those credentials",
);

const CREDENTIALS: Rule<CredentialsKind> =
    (CredentialsKind::parse, "a list of rrsa, ecs-ram-role and secret");

const SECRETS: Rule<Pattern> = (
    Pattern::parse,
    "a pattern of names of secrets, like payments/*, kms://payments/* or oos://payments/*",
);

const VARIABLES: Rule<Glob> = (
    |text| glob(text, |b| b.is_ascii_alphanumeric() || b == b'_'),
    "a pattern of names of environment variables, like DB_*",
);

const REGIONS: Rule<Glob> =
    (|text| glob(text, of_label), "a pattern of region ids, like cn-hangzhou or cn-*");

const ENDPOINTS: Rule<Glob> = (
    |text| glob(text, |b| of_label(b) || b == b'.'),
    "a pattern of host names, like kst-payments.cryptoservice.kms.aliyuncs.com",
);

/// A page for each namespace of a large cluster; what a denial costs grows with it.
const RULES: usize = 500;
