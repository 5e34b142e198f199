//! The values of a template, while it is checked and while it is rendered, are of this one type.

use std::rc::Rc;

use crate::decimal::Decimal;
use crate::error::Error;
use crate::limits::Fuel;
use crate::text::{Builder, Text};

#[derive(Clone)]
pub(crate) enum Value<'a> {
    Null,
    Bool(bool),
    /// A number as JSON writes it, so that none is changed by a machine's number.
    Number(Text<'a>),
    Text(Text<'a>),
    List(Rc<Vec<Self>>),
    Map(Rc<Members<'a>>),
    /// A name, key or item does not exist; the words say which.
    Undefined(Rc<str>),
    /// An `if` without `else` gives this. It is written as nothing.
    Nothing,
    /// While a template is checked, the name is set further down.
    NotYetSet(&'a str),
    /// While a template is checked, the secrets decide about all but the kind.
    Unknown(TypeKind),
}

pub(crate) type ValueResult<'a> = Result<Value<'a>, Error>;

/// Members of a mapping are sorted by their keys, which are no secrets.
pub(crate) type Members<'a> = Vec<(String, Value<'a>)>;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum TypeKind {
    Text,
    Number,
    Bool,
    Null,
    List,
    Map,
    Any,
}

impl<'a> Value<'a> {
    pub(crate) fn kind(&self) -> TypeKind {
        match self {
            Self::Null => TypeKind::Null,
            Self::Bool(_) => TypeKind::Bool,
            Self::Number(_) => TypeKind::Number,
            Self::Text(_) => TypeKind::Text,
            Self::List(_) => TypeKind::List,
            Self::Map(_) => TypeKind::Map,
            Self::Undefined(_) | Self::Nothing | Self::NotYetSet(_) => TypeKind::Any,
            Self::Unknown(kind) => *kind,
        }
    }

    pub(crate) fn is_undefined(&self) -> bool {
        matches!(self, Self::Undefined(_) | Self::Nothing | Self::NotYetSet(_))
    }

    pub(crate) fn members(&self) -> &[(String, Self)] {
        match self {
            Self::Map(members) => members,
            _ => &[],
        }
    }

    /// Bytes that an operation reads of it, parts of parts apart. An empty text is one too.
    pub(crate) fn weight(&self) -> usize {
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

    /// A check cannot tell which of both it is.
    pub(crate) fn or(&self, other: &Self) -> Self {
        Self::Unknown(if self.kind() == other.kind() { self.kind() } else { TypeKind::Any })
    }

    /// A condition takes it for this, if that is known.
    pub(crate) fn truth(&self) -> Option<bool> {
        match self {
            Self::Bool(truth) => Some(*truth),
            Self::Number(number) => Some(!Decimal::read(number).is_zero()),
            Self::Text(text) => Some(!text.is_empty()),
            Self::List(items) => Some(!items.is_empty()),
            Self::Map(members) => Some(!members.is_empty()),
            Self::Unknown(_) => None,
            _ => Some(false),
        }
    }

    /// A single value has a text: booleans and numbers are written as in JSON.
    pub(crate) fn text(&self) -> Result<Text<'a>, Error> {
        match (self, self.kind()) {
            (Self::Text(text) | Self::Number(text), _) => Ok(text.clone()),
            (Self::Bool(truth), _) => Ok(Text::Borrowed(if *truth { "true" } else { "false" })),
            (_, TypeKind::Null) => Err(Error::words("null has no text; use default(\"…\", true)")),
            (_, TypeKind::List | TypeKind::Map) => {
                Err(Error::words("a list or mapping is no text; pick a part of it, or use tojson"))
            }
            _ => Err(Error::Unknown),
        }
    }
}

/// The value is the text that `write` makes.
pub(crate) fn build<'a>(
    fuel: &mut Fuel,
    write: impl FnOnce(&mut Builder) -> Result<(), Error>,
) -> ValueResult<'a> {
    fuel.pay(1)?;
    let mut out = Builder::affordable(fuel.bytes());
    let written = write(&mut out);
    // What was made until it failed was work too.
    let text = paid_text(out, fuel);
    written.and(text)
}

/// A text that was made is paid for: nothing else bounds chains of filters.
pub(crate) fn paid_text<'a>(out: Builder, fuel: &mut Fuel) -> ValueResult<'a> {
    let text = out.into_text();
    fuel.pay_for_bytes(text.len())?;
    Ok(Value::Text(text.into()))
}
