//! A template that is known to be good, and how it is rendered.

use std::collections::HashMap;

use minijinja::ErrorKind;
use minijinja::value::Value;
use zeroize::Zeroizing;

use crate::check::check;
use crate::engine::{self, Told};
use crate::fault::{Failure, Fault, Invalid};
use crate::shape;

/// A template fits into an annotation beside others, and parses in a millisecond.
pub const MAX_TEMPLATE_BYTES: usize = 16 * 1024;

/// As much as the largest secret has: volumes have room for that.
pub const MAX_OUTPUT_BYTES: usize = 64 * 1024;

/// What may stand in between: a value in quotes is longer than the value.
pub(crate) const MAX_VALUE_BYTES: usize = 1024 * 1024;

/// Statements, operations and bytes that rendering may cost: what a template of the allowed size
/// with values of the allowed size can need, a few times over.
const FUEL: u64 = 100_000;
/// For the second run, whose lookups cost more.
const MISSING_FUEL: u64 = 2 * FUEL;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: String,
    secrets: Vec<Secret>,
}

/// What stands in one `secret("…")`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    pub source: String,
    /// Where it is used first.
    pub line: usize,
}

impl Template {
    /// All that is wrong with it, or a template that can only fail because of its values.
    pub fn parse(text: &str) -> Result<Self, Vec<Invalid>> {
        if text.len() > MAX_TEMPLATE_BYTES {
            return Err(vec![Fault::TooLong(text.len()).at(1)]);
        }
        if let Some((before, _)) = text.split_once('\0') {
            return Err(vec![Fault::Nul.at(before.split('\n').count())]);
        }
        // Before the parser, whose work and recursion this bounds.
        shape::check(text).map_err(|invalid| vec![invalid])?;
        Ok(Self { text: text.to_owned(), secrets: check(text)? })
    }

    /// Each one once, in the order in which they are used first.
    #[must_use]
    pub fn secrets(&self) -> &[Secret] {
        &self.secrets
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// `value` gives what belongs to a source as it is written in the template.
    pub fn render<'v>(
        &self,
        value: impl Fn(&str) -> Option<&'v str>,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let mut values = HashMap::with_capacity(self.secrets.len());
        for Secret { source, line } in &self.secrets {
            let Some(value) = value(source) else {
                return Err(Failure { line: *line, what: "a source gave no value".to_owned() });
            };
            values.insert(source.clone(), Value::from(value));
        }
        let made = engine::render(&self.text, values.clone(), FUEL)
            .map_err(|error| self.failure(&error, values))?;
        if made.len() > MAX_OUTPUT_BYTES {
            let what = format!("the file would have more than {MAX_OUTPUT_BYTES} bytes");
            return Err(Failure { line: 1, what });
        }
        let mut made = made;
        Ok(Zeroizing::new(std::mem::take(&mut *made).into_bytes()))
    }

    fn failure(&self, error: &minijinja::Error, values: HashMap<String, Value>) -> Failure {
        let line = error.line().unwrap_or(1);
        let what = match (engine::told(error), error.kind()) {
            (Some(Told(text)), _) => text.clone(),
            (None, ErrorKind::UndefinedError) => {
                engine::missing(&self.text, values, MISSING_FUEL, line).unwrap_or_else(|| {
                    "an if without else gives a value that is not defined".to_owned()
                })
            }
            (None, ErrorKind::OutOfFuel) => {
                "it takes too much work or makes too much text".to_owned()
            }
            (None, _) => "an operation does not fit the values that it is given".to_owned(),
        };
        Failure { line, what }
    }
}
