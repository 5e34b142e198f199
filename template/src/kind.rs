//! What kind of value an expression certainly has, whatever the secrets hold.

use minijinja::value::{Value, ValueKind};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Number,
    Truth,
    Null,
    List,
    Mapping,
    /// Something, and only the values show what.
    Defined,
    /// Perhaps not even defined.
    Unknown,
}

impl Kind {
    pub(crate) fn of(literal: &Value) -> Self {
        match literal.kind() {
            ValueKind::String => Self::Text,
            ValueKind::Number => Self::Number,
            ValueKind::Bool => Self::Truth,
            ValueKind::None => Self::Null,
            _ => Self::Unknown,
        }
    }

    /// Of a value that is one or the other.
    pub(crate) fn or(self, other: Self) -> Self {
        match (self, other) {
            (one, other) if one == other => one,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            _ => Self::Defined,
        }
    }

    pub(crate) fn is_certain(self) -> bool {
        !matches!(self, Self::Defined | Self::Unknown)
    }
}
