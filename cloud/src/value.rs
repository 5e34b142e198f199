//! A value on its way out of an answer.

use std::fmt;

use secret::{Metadata, Sensitive};
use serde::de::{self, Deserialize, Deserializer, Visitor};

use crate::cause::Malformed;
use crate::response::AnswerContent;

/// What a lookup yields.
#[derive(Debug)]
pub(crate) struct Value {
    pub(crate) bytes: Sensitive,
    /// The value as it stood in the answer, where it is encoded there.
    pub(crate) encoded: Option<Sensitive>,
    pub(crate) version: String,
    /// The id as it stood in the answer.
    pub(crate) request_id: Option<String>,
    pub(crate) metadata: Metadata,
}

impl AnswerContent for Value {
    fn secrets(&self) -> Vec<&Sensitive> {
        self.encoded.iter().chain([&self.bytes]).collect()
    }

    fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    fn versions(&self) -> Vec<&str> {
        vec![&self.version]
    }
}

/// A JSON string that goes straight into `Sensitive`.
pub(crate) struct SensitiveText(pub(crate) Sensitive);

impl<'de> Deserialize<'de> for SensitiveText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_string(TextVisitor)
    }
}

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = SensitiveText;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<SensitiveText, E> {
        Ok(SensitiveText(Sensitive::new(text.as_bytes().to_vec())))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<SensitiveText, E> {
        Ok(SensitiveText(Sensitive::from(text)))
    }
}

/// A mounted file is planned for values of at most this size; the services allow less.
pub(crate) fn within_limit(bytes: &Sensitive) -> Result<(), Malformed> {
    if bytes.len() > LIMIT {
        return Err(Malformed::ValueTooLarge { size: bytes.len(), limit: LIMIT });
    }
    Ok(())
}

/// A name that the service gives and that is printed: bounded, one line.
pub(crate) fn label(text: String, field: &'static str) -> Result<String, Malformed> {
    if text.is_empty() || text.len() > 256 || !text.chars().all(printable::is_printable) {
        return Err(Malformed::Invalid(field));
    }
    Ok(text)
}

const LIMIT: usize = 64 * 1024;
