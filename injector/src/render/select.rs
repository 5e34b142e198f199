//! Picks a part out of a JSON value. What goes wrong is told by place, never by content.
//!
//! Honest limit: the parser's scratch buffer and numbers are not wiped; strings, keys and results
//! are, as soon as the document goes.

mod dotted;
mod error;
mod functions;
mod numbers;
mod reader;
mod shown;

use std::collections::BTreeMap;
use std::sync::Arc;

use jmespath::{Context, ErrorReason, JmespathError, Rcvar, Runtime, Variable, interpret};
use plan::Selector;
use plan::contract::MAX_VALUE_BYTES;
use secret::Sensitive;
use zeroize::Zeroize;

pub use self::error::SelectError;
use self::numbers::Numbers;

/// A value that is JSON, parsed once for all of its extracts.
pub struct Document {
    root: Option<Rcvar>,
    numbers: Arc<Numbers>,
    runtime: Runtime,
}

/// Keys and what they hold; nothing where it is null.
type Members = Vec<(String, Option<Sensitive>)>;

impl Document {
    pub fn parse(value: &Sensitive) -> Result<Self, SelectError> {
        if value.expose().trim_ascii().is_empty() {
            return Err(SelectError::Empty);
        }
        let (root, numbers) = reader::read(value.expose())?;
        let numbers = Arc::new(numbers);
        let runtime = functions::runtime(&numbers);
        Ok(Self { root: Some(root), numbers, runtime })
    }

    /// Extracts a string as it is, and anything else as compact JSON.
    pub fn extract(&self, selector: &Selector) -> Result<Sensitive, SelectError> {
        let (found, nothing) = self.find(selector)?;
        let text = self.text(&found, nothing);
        wipe(found);
        text
    }

    /// The members of the object that is selected, or of the whole value.
    pub(crate) fn members(&self, selector: Option<&Selector>) -> Result<Members, SelectError> {
        let (found, nothing) = match selector {
            Some(selector) => self.find(selector)?,
            None => (
                self.root.as_ref().map(Arc::clone).ok_or(SelectError::Nothing)?,
                SelectError::Nothing,
            ),
        };
        let members = match &*found {
            Variable::Object(members) => self.texts(members),
            Variable::Null => Err(nothing),
            _ => Err(SelectError::NoObject),
        };
        wipe(found);
        members
    }

    /// An expression may show one part many times: all of them together are no more than one text.
    fn texts(&self, members: &BTreeMap<String, Rcvar>) -> Result<Members, SelectError> {
        let mut left = MAX_VALUE_BYTES;
        let mut texts = Vec::with_capacity(members.len());
        for (key, member) in members {
            let text = match &**member {
                Variable::Null => None,
                _ => Some(self.text(member, SelectError::Nothing)?),
            };
            let bytes = text.as_ref().map_or(0, Sensitive::len);
            left = left.checked_sub(bytes).ok_or(SelectError::TooLarge)?;
            texts.push((key.clone(), text));
        }
        Ok(texts)
    }

    /// What an expression finds, and what it means if that is nothing.
    fn find(&self, selector: &Selector) -> Result<(Rcvar, SelectError), SelectError> {
        let root = self.root.as_ref().ok_or(SelectError::Nothing)?;
        let expression = selector.for_value(root, self.numbers.bytes());
        let mut expression = expression.ok_or(SelectError::TooMuch)?;
        let dotted =
            || dotted::meant(&expression, root).map_or(SelectError::Nothing, SelectError::Dotted);
        let nothing = dotted();
        functions::compare_with_own(&mut expression);
        // The library's own search copies the whole document first.
        let mut context = Context::new(selector.as_str(), &self.runtime);
        let found = interpret(root, &expression, &mut context).map_err(|error| failed(&error))?;
        Ok((found, nothing))
    }

    fn text(&self, found: &Rcvar, nothing: SelectError) -> Result<Sensitive, SelectError> {
        match &**found {
            Variable::Null | Variable::Expref(_) => Err(nothing),
            Variable::String(text) if text.len() > MAX_VALUE_BYTES => Err(SelectError::TooLarge),
            Variable::String(text) => Ok(Sensitive::new(text.as_bytes().to_vec())),
            _ => {
                let json = shown::json(found, &self.numbers, MAX_VALUE_BYTES);
                json.map(Sensitive::new).ok_or(SelectError::TooLarge)
            }
        }
    }
}

fn failed(error: &JmespathError) -> SelectError {
    let column = error.column.saturating_add(1);
    match &error.reason {
        ErrorReason::Parse(why) if why == functions::LOST => SelectError::Digits(column),
        _ => SelectError::Mismatch(column),
    }
}

impl Drop for Document {
    fn drop(&mut self) {
        if let Some(root) = self.root.take() {
            wipe(root);
        }
    }
}

/// Overwrites what nobody else holds. It uses a list of its own and no recursion: the value's
/// author picks the depth.
fn wipe(root: Rcvar) {
    let mut rest = vec![root];
    while let Some(shared) = rest.pop() {
        match Arc::into_inner(shared) {
            Some(Variable::String(mut text)) => text.zeroize(),
            Some(Variable::Array(items)) => rest.extend(items),
            Some(Variable::Object(members)) => {
                for (mut key, member) in members {
                    key.zeroize();
                    rest.push(member);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
