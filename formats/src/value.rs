//! Values are those of JSON.

use std::rc::Rc;

use crate::error::Error;
use crate::fuel::Fuel;
use crate::text::{Builder, Text};

#[derive(Clone)]
pub enum Value<'a> {
    Null,
    Bool(bool),
    /// A number as JSON writes it, so that none is changed by a machine's number.
    Number(Text<'a>),
    Text(Text<'a>),
    List(Rc<Vec<Self>>),
    Map(Rc<Members<'a>>),
}

pub type ValueResult<'a> = Result<Value<'a>, Error>;

/// Members of a mapping are sorted by their keys, which are no secrets.
pub type Members<'a> = Vec<(String, Value<'a>)>;

impl<'a> Value<'a> {
    pub(crate) fn members(&self) -> &[(String, Self)] {
        match self {
            Self::Map(members) => members,
            _ => &[],
        }
    }

    /// Bytes that an operation reads of it, parts of parts apart. An empty text is one too.
    #[must_use]
    pub fn weight(&self) -> usize {
        let text = |value: &Self| match value {
            Self::Text(text) | Self::Number(text) => text.len(),
            _ => 1,
        };
        match self {
            Self::List(items) => items.iter().map(|it| 1 + text(it)).sum(),
            Self::Map(members) => members.iter().map(|(key, it)| 1 + key.len() + text(it)).sum(),
            single => text(single),
        }
    }

    /// A single value has a text: booleans and numbers are written as in JSON.
    pub fn text(&self) -> Result<Text<'a>, Error> {
        match self {
            Self::Text(text) | Self::Number(text) => Ok(text.clone()),
            Self::Bool(truth) => Ok(Text::Borrowed(if *truth { "true" } else { "false" })),
            Self::Null => Err(Error::words("null has no text")),
            Self::List(_) | Self::Map(_) => Err(Error::words("a list or mapping has no text")),
        }
    }

    /// The part of this key or index, unless there is none.
    pub fn part(&self, key: &Self, fuel: &mut Fuel) -> Result<Option<Self>, Error> {
        Ok(match (self, key) {
            (Self::Map(members), Self::Text(key)) => member(members, key).cloned(),
            (Self::List(items), Self::Number(index)) => {
                position(index, items.len()).and_then(|at| items.get(at)).cloned()
            }
            (Self::Text(text), Self::Number(index)) => {
                fuel.pay_for_bytes(text.len())?;
                let at = position(index, text.chars().count());
                let found = at.and_then(|at| text.chars().nth(at));
                found.map(|c| Self::Text(c.to_string().into()))
            }
            _ => None,
        })
    }
}

#[inline]
pub(crate) fn member<'v, 'a>(members: &'v Members<'a>, key: &str) -> Option<&'v Value<'a>> {
    let at = members.binary_search_by(|(other, _)| other.as_str().cmp(key)).ok()?;
    members.get(at).map(|(_, value)| value)
}

/// A negative index counts from the end.
fn position(index: &str, length: usize) -> Option<usize> {
    match index.strip_prefix('-') {
        Some(back) => length.checked_sub(back.parse().ok()?),
        None => index.parse().ok(),
    }
}

/// The value is the text that `write` makes, which is seldom shorter than so many bytes.
pub fn build<'a>(
    fuel: &mut Fuel,
    bytes: usize,
    write: impl FnOnce(&mut Builder) -> Result<(), Error>,
) -> ValueResult<'a> {
    fuel.pay(1)?;
    let mut out = Builder::affordable(fuel.bytes());
    let written = out.reserve(bytes).and_then(|()| write(&mut out));
    // What was made until it failed was work too.
    let text = paid_text(out, fuel);
    written.and(text)
}

/// A text that was made is paid for: nothing else bounds chains of operations.
pub fn paid_text<'a>(out: Builder, fuel: &mut Fuel) -> ValueResult<'a> {
    let text = out.into_text();
    fuel.pay_for_bytes(text.len())?;
    Ok(Value::Text(text.into()))
}
