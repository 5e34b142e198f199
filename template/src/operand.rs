//! What an operation of a template is given and gives.

use std::rc::Rc;

use formats::{Error, Kinds, Text, Value};

#[derive(Clone)]
pub(crate) enum Operand<'a> {
    Known(Value<'a>),
    /// A name, key or item does not exist; the words say which.
    Undefined(Rc<str>),
    /// An `if` without `else` gives this. It is written as nothing.
    Nothing,
    /// While a template is checked, the secrets decide about all but the kind, which is one of these.
    Unknown(Kinds),
}

pub(crate) type OperandResult<'a> = Result<Operand<'a>, Error>;

impl<'a> Operand<'a> {
    pub(crate) fn text(text: &'a str) -> Self {
        Self::Known(Value::Text(Text::Borrowed(text)))
    }

    pub(crate) fn bool(truth: bool) -> Self {
        Self::Known(Value::Bool(truth))
    }

    pub(crate) fn known(self) -> Option<Value<'a>> {
        match self {
            Self::Known(value) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn is_undefined(&self) -> bool {
        matches!(self, Self::Undefined(_) | Self::Nothing)
    }

    pub(crate) fn kinds(&self) -> Kinds {
        match self {
            Self::Known(value) => Kinds::of(value),
            Self::Unknown(kinds) => *kinds,
            Self::Undefined(_) | Self::Nothing => Kinds::ANY,
        }
    }

    /// A check cannot tell which of both it is.
    pub(crate) fn or(&self, other: &Self) -> Self {
        Self::Unknown(self.kinds().or(other.kinds()))
    }
}
