//! What a plain scalar means to Kubernetes, which reads YAML 1.1 as Go's yaml.v2 does: `yes` and
//! `on` are booleans, `0400` is octal.

use std::fmt;

use serde_json::Value;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Scalar {
    /// The text is the value.
    Text,
    Null,
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
}

impl Scalar {
    /// The meaning of a text that is neither quoted nor tagged.
    pub(crate) fn plain(text: &str) -> Self {
        match text {
            "" | "~" | "null" | "Null" | "NULL" => return Self::Null,
            "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
                return Self::Bool(true);
            }
            "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off"
            | "OFF" => return Self::Bool(false),
            _ => {}
        }
        if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
            return Self::Text;
        }
        let digits = text.replace('_', "");
        integer(&digits).or_else(|| float(&digits)).unwrap_or(Self::Text)
    }

    /// The JSON value, `text` being the scalar's own.
    pub(crate) fn json(self, text: &str) -> Value {
        match self {
            Self::Text => Value::from(text),
            Self::Null => Value::Null,
            Self::Bool(value) => Value::from(value),
            Self::Signed(value) => Value::from(value),
            Self::Unsigned(value) => Value::from(value),
            Self::Float(value) => Value::from(value),
        }
    }
}

/// As a mapping key, where JSON allows text only.
impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => Ok(()),
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Signed(value) => write!(f, "{value}"),
            Self::Unsigned(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value}"),
        }
    }
}

fn integer(text: &str) -> Option<Scalar> {
    let (negative, magnitude) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (digits, radix) = match magnitude.get(..2).unwrap_or_default() {
        "0x" | "0X" => (magnitude.get(2..)?, 16),
        "0o" | "0O" => (magnitude.get(2..)?, 8),
        "0b" | "0B" => (magnitude.get(2..)?, 2),
        _ if magnitude.len() > 1 && magnitude.starts_with('0') => (magnitude.get(1..)?, 8),
        _ => (magnitude, 10),
    };
    // The parsers below would take a second sign.
    if !digits.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    if negative {
        return i64::from_str_radix(&format!("-{digits}"), radix).ok().map(Scalar::Signed);
    }
    let value = u64::from_str_radix(digits, radix).ok()?;
    Some(i64::try_from(value).map_or(Scalar::Unsigned(value), Scalar::Signed))
}

fn float(text: &str) -> Option<Scalar> {
    // Rust's parser also knows "inf" and "nan", which YAML spells otherwise and JSON not at all.
    let allowed = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
    if !text.chars().all(allowed) || !text.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|value: &f64| value.is_finite()).map(Scalar::Float)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_mean_what_they_mean_to_kubernetes() {
        for (text, meaning) in [
            ("", Scalar::Null),
            ("~", Scalar::Null),
            ("yes", Scalar::Bool(true)),
            ("Off", Scalar::Bool(false)),
            ("0400", Scalar::Signed(256)),
            ("0o17", Scalar::Signed(15)),
            ("0x1F", Scalar::Signed(31)),
            ("1_000", Scalar::Signed(1000)),
            ("-7", Scalar::Signed(-7)),
            ("+7", Scalar::Signed(7)),
            ("18446744073709551615", Scalar::Unsigned(u64::MAX)),
            ("18446744073709551616", Scalar::Float(18_446_744_073_709_551_616.0)),
            ("1.10", Scalar::Float(1.1)),
            (".5", Scalar::Float(0.5)),
            ("1e3", Scalar::Float(1000.0)),
            ("08", Scalar::Float(8.0)),
        ] {
            assert_eq!(Scalar::plain(text), meaning, "{text}");
        }
    }

    #[test]
    fn whatever_else_is_text() {
        for text in [
            "1.2.3",
            "10m",
            "2026-11-22",
            "-",
            "--1",
            "0x",
            "0b2",
            ".",
            "1e",
            ".nan",
            "-.inf",
            "yEs",
            "inf",
        ] {
            assert_eq!(Scalar::plain(text), Scalar::Text, "{text}");
        }
    }
}
