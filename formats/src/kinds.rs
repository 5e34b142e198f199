//! Kinds of values, and their names in messages.

use std::fmt;

use crate::error::Error;
use crate::value::Value;

/// Some of the kinds that a value can have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Kinds(u8);

const NAMES: [&str; 6] = ["a text", "a number", "a boolean", "null", "a list", "a mapping"];

impl Kinds {
    pub const TEXT: Self = Self(1);
    pub const NUMBER: Self = Self(2);
    pub const BOOL: Self = Self(4);
    pub const NULL: Self = Self(8);
    pub const LIST: Self = Self(16);
    pub const MAP: Self = Self(32);
    pub const ANY: Self = Self(63);

    /// The kind of one value.
    #[must_use]
    #[inline]
    pub const fn of(value: &Value<'_>) -> Self {
        match value {
            Value::Null => Self::NULL,
            Value::Bool(_) => Self::BOOL,
            Value::Number(_) => Self::NUMBER,
            Value::Text(_) => Self::TEXT,
            Value::List(_) => Self::LIST,
            Value::Map(_) => Self::MAP,
        }
    }

    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    #[must_use]
    pub const fn meets(self, other: Self) -> bool {
        self.and(other).0 != 0
    }

    /// `taker` takes values of other kinds, unless these have one of them.
    pub fn expect(self, taker: fmt::Arguments<'_>, others: Self) -> Result<(), Error> {
        if self.meets(others) {
            return Ok(());
        }
        Err(Error::words(format!("{taker} {others}, not {self}")))
    }
}

impl fmt::Display for Kinds {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let own = NAMES.iter().enumerate().filter(|(at, _)| self.0 >> at & 1 == 1);
        let names: Vec<&str> = own.map(|(_, name)| *name).collect();
        match names.split_last() {
            Some((last, rest)) if !rest.is_empty() => write!(to, "{} or {last}", rest.join(", ")),
            _ => to.write_str(&names.concat()),
        }
    }
}
