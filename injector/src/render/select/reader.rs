//! A JSON text becomes a tree that the evaluator knows, and keeps its numbers as they are written.

use std::collections::BTreeMap;

use jmespath::{Rcvar, Variable};
use serde_json::value::RawValue;

use super::error::SelectError;
use super::numbers::Numbers;

/// serde_json goes as deep where it reads into values of its own.
const MAX_DEPTH: usize = 127;

pub(super) fn read(value: &[u8]) -> Result<(Rcvar, Numbers), SelectError> {
    let json: &RawValue = serde_json::from_slice(value)
        .map_err(|error| SelectError::NotJson { line: error.line(), column: error.column() })?;
    let mut reader = Reader { whole: json.get(), numbers: Numbers::default() };
    let root = reader.part(json.get(), 1)?;
    Ok((root, reader.numbers))
}

struct Reader<'j> {
    whole: &'j str,
    numbers: Numbers,
}

impl<'j> Reader<'j> {
    /// `json` is valid JSON without blanks around it.
    fn part(&mut self, json: &'j str, depth: usize) -> Result<Rcvar, SelectError> {
        if depth > MAX_DEPTH && json.starts_with(['[', '{']) {
            return Err(SelectError::TooDeep(MAX_DEPTH));
        }
        let part = match json.as_bytes().first() {
            Some(b'[') => {
                let items: Vec<&RawValue> = self.inner(json)?;
                let items = items.into_iter().map(|item| self.part(item.get(), depth + 1));
                Variable::Array(items.collect::<Result<_, _>>()?)
            }
            Some(b'{') => {
                // The last of two members with one key counts.
                let members: BTreeMap<String, &RawValue> = self.inner(json)?;
                let member =
                    |(key, it): (_, &'j RawValue)| Ok((key, self.part(it.get(), depth + 1)?));
                Variable::Object(members.into_iter().map(member).collect::<Result<_, _>>()?)
            }
            Some(b'"') => Variable::String(self.inner(json)?),
            Some(b't') => Variable::Bool(true),
            Some(b'f') => Variable::Bool(false),
            Some(b'n') => Variable::Null,
            _ => return Ok(self.numbers.node(json)),
        };
        Ok(Rcvar::new(part))
    }

    /// Valid JSON can have no other fault than half a character.
    fn inner<T: serde::Deserialize<'j>>(&self, json: &'j str) -> Result<T, SelectError> {
        serde_json::from_str(json).map_err(|_| {
            let at = json.as_ptr().addr().saturating_sub(self.whole.as_ptr().addr());
            let before = self.whole.get(..at).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().map_or(0, str::len) + 1;
            SelectError::NotJson { line, column }
        })
    }
}
