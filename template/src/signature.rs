//! What each filter takes, as far as the text of a template can be wrong about it.

use minijinja::value::Value;

use crate::kind::Kind;
use crate::{filters, json};

pub(crate) struct Filter {
    pub(crate) name: &'static str,
    /// What it is applied to.
    pub(crate) of: Takes,
    pub(crate) arguments: &'static [(&'static str, Takes)],
    /// How many of them must be given.
    pub(crate) least: usize,
    pub(crate) makes: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    Anything,
    Single,
    Sought,
    Width,
    Truth,
    List,
    Countable,
    Json,
    Object,
    Base64,
}

/// Of one text that becomes another.
const fn text(name: &'static str) -> Filter {
    Filter { name, of: Takes::Single, arguments: &[], least: 0, makes: Kind::Text }
}

const fn format(name: &'static str, of: Takes) -> Filter {
    Filter { name, of, arguments: &[], least: 0, makes: Kind::Text }
}

/// The one that takes what is not defined.
pub(crate) const DEFAULT: &str = "default";

pub(crate) const FILTERS: [Filter; 26] = [
    text("trim"),
    text("upper"),
    text("lower"),
    Filter {
        arguments: &[("FROM", Takes::Sought), ("TO", Takes::Single)],
        least: 2,
        ..text("replace")
    },
    Filter { arguments: &[("WIDTH", Takes::Width), ("FIRST", Takes::Truth)], ..text("indent") },
    Filter {
        of: Takes::Anything,
        arguments: &[("OTHER", Takes::Anything), ("EMPTY", Takes::Truth)],
        makes: Kind::Unknown,
        ..text(DEFAULT)
    },
    Filter { of: Takes::List, arguments: &[("BETWEEN", Takes::Single)], ..text("join") },
    Filter { makes: Kind::Number, ..format("length", Takes::Countable) },
    Filter { makes: Kind::Defined, ..format("fromjson", Takes::Json) },
    format("tojson", Takes::Anything),
    text("b64encode"),
    format("b64decode", Takes::Base64),
    text("urlencode"),
    text("quote_shell"),
    text("quote_dotenv"),
    text("quote_docker_env"),
    text("quote_properties"),
    text("quote_json"),
    text("quote_yaml"),
    format("dotenv", Takes::Object),
    format("docker_env", Takes::Object),
    format("shell", Takes::Object),
    format("properties", Takes::Object),
    format("json", Takes::Object),
    format("yaml", Takes::Object),
    format("pem_bundle", Takes::Object),
];

impl Filter {
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        FILTERS.iter().find(|filter| filter.name == name)
    }

    /// How many arguments it takes, in words, unless it takes so many.
    pub(crate) fn refuses(&self, count: usize) -> Option<String> {
        let most = self.arguments.len();
        if (self.least..=most).contains(&count) {
            return None;
        }
        let names: Vec<_> = self.arguments.iter().map(|(name, _)| *name).collect();
        let bound = if self.least == most { "exactly" } else { "at most" };
        Some(match names.as_slice() {
            [] => "no arguments".to_owned(),
            [name] => format!("{bound} one argument, {name}"),
            names => format!("{bound} {most} arguments, {}", names.join(" and ")),
        })
    }
}

impl Takes {
    /// Whether it certainly ends in an error.
    pub(crate) fn refuses(self, kind: Kind, literal: Option<&Value>) -> bool {
        let text = literal.and_then(Value::as_str);
        match (self, kind) {
            (_, Kind::Defined | Kind::Unknown) | (Self::Anything, _) => false,
            (Self::Truth, _) => !matches!(kind, Kind::Truth | Kind::Null),
            (Self::Width, Kind::Null) => false,
            (Self::Width, _) => match literal {
                Some(literal) => filters::width(literal).is_none(),
                None => !matches!(kind, Kind::Number | Kind::Truth),
            },
            (Self::List, _) => kind != Kind::List,
            (Self::Countable, _) => !matches!(kind, Kind::Text | Kind::List | Kind::Mapping),
            (Self::Object, Kind::Mapping) => false,
            (Self::Object, Kind::Text) => text.is_some_and(|text| !json::is_object(text)),
            (Self::Object, _) => true,
            (_, Kind::Null | Kind::List | Kind::Mapping) => true,
            (Self::Sought, _) => text.is_some_and(str::is_empty),
            (Self::Json, _) => text.is_some_and(|text| !json::is_json(text)),
            (Self::Base64, _) => literal
                .and_then(|literal| json::text(literal).ok())
                .is_some_and(|text| filters::b64decode(&text).is_err()),
            (Self::Single, _) => false,
        }
    }

    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Anything => "any value",
            Self::Single => "a text, a number, true or false",
            Self::Sought => "a text to look for, which is not empty",
            Self::Width => "a number of spaces from 0 to 64",
            Self::Truth => "true or false",
            Self::List => "a list",
            Self::Countable => "a text, a list or a mapping",
            Self::Json => "text that is JSON",
            Self::Object => "a JSON object or a mapping {\"KEY\": VALUE}",
            Self::Base64 => "UTF-8 text in base64",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::check::check;
    use crate::engine;

    /// Everything that a template could be refused for, and rendered all the same.
    #[test]
    fn a_filter_that_is_refused_would_have_failed() {
        let values = || HashMap::from([("s".to_owned(), Value::from("v"))]);
        let literals = ["\"x\"", "\"{}\"", "\"\"", "5", "1.5", "true", "none"];
        let mut arguments = vec![String::new()];
        for one in literals {
            arguments.push(format!("({one})"));
            arguments.extend(literals.map(|other| format!("({one}, {other})")));
        }
        arguments.push("(1, 2, 3)".to_owned());
        let mut refused = 0;
        for Filter { name, .. } in &FILTERS {
            for operand in literals.into_iter().chain(["x", "y"]) {
                for arguments in &arguments {
                    let text = format!(
                        "{{% set x = secret(\"s\") %}}{{% set y = none %}}{{% set z = {operand} | {name}{arguments} %}}"
                    );
                    if check(&text).is_err() {
                        refused += 1;
                        assert!(engine::render(&text, values(), 100_000).is_err(), "{text}");
                    }
                }
            }
        }
        assert!(refused > 5000, "{refused}");
    }
}
