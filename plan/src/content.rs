//! What a file holds: one value or a part of it, or text around several.

use serde::{Deserialize, Serialize};

use crate::selector::Selector;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    Value(Selection),
    Template(Template),
}

/// A value or a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Index into the plan's lookups.
    pub from: usize,
    pub select: Option<Selector>,
}

/// Text whose syntax others know, with all the secrets that it names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Template {
    pub text: String,
    pub secrets: Vec<TemplateSecret>,
}

/// What one `secret("…")` of a template means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TemplateSecret {
    /// As it is written in the text.
    pub written: String,
    /// Index into the plan's lookups.
    pub from: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub select: Option<Selector>,
}

impl Content {
    /// Indexes of all lookups that it needs, some of them perhaps twice.
    pub(crate) fn sources(&self) -> impl Iterator<Item = usize> {
        let (value, secrets) = match self {
            Self::Value(value) => (Some(value.from), &[][..]),
            Self::Template(template) => (None, template.secrets.as_slice()),
        };
        value.into_iter().chain(secrets.iter().map(|secret| secret.from))
    }
}
