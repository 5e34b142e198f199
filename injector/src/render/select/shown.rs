//! Compact JSON of what an expression found, with numbers as the document writes them.

use std::io::{self, Write};

use jmespath::{Rcvar, Variable};
use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::value::RawValue;

use super::numbers::Numbers;

/// `None` where there would be more bytes than `most`.
pub(super) fn json(found: &Rcvar, numbers: &Numbers, most: usize) -> Option<Vec<u8>> {
    let shown = Shown { found, numbers };
    // The size is counted first: a buffer that grows leaves copies behind that nobody wipes.
    let mut counted = Counted { bytes: 0, most };
    serde_json::to_writer(&mut counted, &shown).ok()?;
    let mut bytes = Vec::with_capacity(counted.bytes);
    serde_json::to_writer(&mut bytes, &shown).ok()?;
    Some(bytes)
}

struct Shown<'a> {
    found: &'a Rcvar,
    numbers: &'a Numbers,
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self { numbers, .. } = *self;
        let inner = |found| Self { found, numbers };
        match &**self.found {
            Variable::Null | Variable::Expref(_) => to.serialize_unit(),
            Variable::Bool(truth) => to.serialize_bool(*truth),
            Variable::String(text) => to.serialize_str(text),
            Variable::Number(number) => {
                let text = numbers.text(self.found, number);
                serde_json::from_str::<&RawValue>(&text).map_err(S::Error::custom)?.serialize(to)
            }
            Variable::Array(items) => to.collect_seq(items.iter().map(inner)),
            Variable::Object(members) => {
                to.collect_map(members.iter().map(|(key, member)| (key, inner(member))))
            }
        }
    }
}

/// Takes bytes and keeps their number, up to the limit.
struct Counted {
    bytes: usize,
    most: usize,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes += bytes.len();
        if self.bytes > self.most {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
