//! Why a part of a value cannot be had, told by place and never by content.

use plan::contract::MAX_VALUE_BYTES;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    #[error("the value is empty, so nothing can be selected")]
    Empty,
    #[error("the value is not JSON (line {line}, column {column}), so nothing can be selected")]
    NotJson { line: usize, column: usize },
    #[error("the value is JSON that nests deeper than {0}, so nothing can be selected")]
    TooDeep(usize),
    #[error("the JMESPath gives nothing: null, or a key that the value does not have")]
    Nothing,
    #[error(
        "the JMESPath gives nothing: the value has a key with dots in its name; put it into double quotes: #{0}"
    )]
    Dotted(String),
    #[error("the value is no JSON object, and so has no keys")]
    NoObject,
    #[error("the JMESPath does not fit the value (column {0} of the expression)")]
    Mismatch(usize),
    #[error(
        "the JMESPath calculates with a number of more digits than can be kept (column {0} of the expression); pick it as it is, or keep it as text in the secret"
    )]
    Digits(usize),
    #[error("the JMESPath makes more than {MAX_VALUE_BYTES} bytes")]
    TooLarge,
    #[error(
        "the JMESPath may make too much of this value to be evaluated: it doubles, joins or turns into text what is large"
    )]
    TooMuch,
}
