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
    /// From its parts in JSON: either a value or a template that names one.
    pub(crate) fn of(
        from: Option<usize>,
        select: Option<Selector>,
        template: Option<Template>,
    ) -> Option<Self> {
        match (from, select, template) {
            (Some(from), select, None) => Some(Self::Value(Selection { from, select })),
            (None, None, Some(template)) if !template.secrets.is_empty() => {
                Some(Self::Template(template))
            }
            _ => None,
        }
    }

    pub(crate) fn into_parts(self) -> (Option<usize>, Option<Selector>, Option<Template>) {
        match self {
            Self::Value(Selection { from, select }) => (Some(from), select, None),
            Self::Template(template) => (None, None, Some(template)),
        }
    }

    /// Indexes of all lookups that it needs, some of them perhaps twice.
    pub(crate) fn sources(&self) -> impl Iterator<Item = usize> {
        let (value, secrets) = match self {
            Self::Value(value) => (Some(value.from), &[][..]),
            Self::Template(template) => (None, template.secrets.as_slice()),
        };
        value.into_iter().chain(secrets.iter().map(|secret| secret.from))
    }
}
