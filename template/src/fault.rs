//! This file says what can be wrong with a template, before it is rendered and while it is.

use crate::builtins::{FILTERS, FUNCTIONS, TESTS};
use crate::limits::{MAX_NUMBER_BYTES, MAX_TEMPLATE_BYTES, MAX_TOKENS};

/// A name of more bytes is no misspelled one of ours.
const LONGEST_SLIP: usize = 24;

/// Why a text is no template, or why a template gave no text. It holds names that the author wrote and
/// keys of a secret's JSON, never a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct Invalid {
    pub line: usize,
    pub fault: Fault,
}

/// A fault stands beside its message and what to do instead.
macro_rules! faults {
    ($($(#[$about:meta])* $name:ident$(($($of:ty),+))?: $message:literal, $remedy:literal;)+) => {
        /// Names are those that the template's author wrote.
        #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
        pub enum Fault {
            $($(#[$about])* #[error($message)] $name$(($($of),+))?,)+
        }

        impl Fault {
            /// This says what to do instead.
            #[must_use]
            pub fn remedy(&self) -> &'static str {
                match self {
                    $(Self::$name { .. } => $remedy,)+
                }
            }
        }
    };
}

faults! {
    TooLong(usize): "the template has {0} bytes; at most {MAX_TEMPLATE_BYTES} are allowed",
        "split it into several files, or put fixed text into a ConfigMap";
    Nul: "the template contains a NUL character",
        "remove it";
    NoSecret: "the template uses no secret",
        "write {{ secret(\"kms://NAME\") }} where its value belongs, or put the file into a ConfigMap";
    Syntax: "the template does not parse",
        "check that {{ }}, {% %}, quotes and brackets are closed, and each if has its endif";
    TooDeep: "an expression or statement is nested too deeply, or too long",
        "give parts of it a name with {% set NAME = … %}, and end each {% set NAME %} with {% endset %}";
    TooMany: "with it the templates of the Pod have more than {MAX_TOKENS} words, signs and pieces of text together",
        "hand whole JSON secrets to formats, or put fixed text into a ConfigMap";
    Statement(String): "a template has no statement {0}",
        "it has if and set, and neither loops nor uses other templates; {{ secret(\"kms://NAME\") | dotenv }} writes all keys";
    Secret: "secret() takes exactly one source, written out as text in quotes",
        "write {{ secret(\"kms://NAME\") }}; sources must be known before the Pod starts";
    Function(String): "there is no function {0}()",
        "the functions are secret(\"kms://NAME\") and json(VALUE); everything else is a filter";
    Filter(String): "there is no filter {0:?}",
        "see the filters in docs/annotations.md";
    Arguments(String): "the arguments do not fit {0}",
        "see the filters in docs/annotations.md";
    Test(String): "there is no test {0:?}",
        "the tests are defined, undefined and none";
    Method: "values have no methods",
        "use a filter: {{ VALUE | upper }}";
    Named: "arguments by name and with * are not supported",
        "write the values alone, in their order";
    LongNumber: "a number with a point or an exponent has more than {MAX_NUMBER_BYTES} characters",
        "write it as text in quotes";
    Arithmetic: "a template does not calculate",
        "A ~ B puts texts together, and a key with - in it is written VALUE[\"KEY-NAME\"]; everything else the secret itself must hold";
    Slice: "a template does not cut parts out ([:])",
        "pick one item with VALUE[0], or several with a JMESPath: secret(\"kms://NAME#LIST[:2]\")";
    Chained: "comparisons cannot be chained",
        "write A < B and B < C";
    Literal: "a list or mapping stands where no filter writes it as text",
        "hand it to a filter at once: {{ [A, B] | join(\",\") }} or {{ {\"KEY\": VALUE} | dotenv }}";
    Key: "a key in {{…}} is not written out as text in quotes",
        "write {\"KEY\": VALUE}; keys are told in messages, so none is a secret";
    SameKey(String): "the key {0:?} is written twice in one mapping",
        "keep one of them";
    Undefined(String): "{0} is not defined",
        "write text in quotes, or {% set NAME = … %} before; a value comes from secret(\"kms://NAME\")";
    Target: "only a name that is no function can be set",
        "write {% set NAME = … %}";
    /// An operation fails whatever the secrets hold; the words say why.
    Operation(String): "{0}",
        "see the templates in docs/annotations.md";
}

impl Fault {
    /// A name that does not exist, and those of its kind that do: for "did you mean". One that is
    /// far longer than all of them was not meant to be one of them.
    #[must_use]
    pub fn unknown(&self) -> Option<(&str, Vec<&'static str>)> {
        let (name, known) = match self {
            Self::Filter(name) => (name, FILTERS.iter().map(|filter| filter.name).collect()),
            Self::Function(name) => (name, FUNCTIONS.to_vec()),
            Self::Test(name) => (name, TESTS.iter().map(|(name, _)| *name).collect()),
            _ => return None,
        };
        (name.len() <= LONGEST_SLIP).then_some((name, known))
    }

    pub(crate) fn at(self, line: usize) -> Invalid {
        Invalid { line: line.max(1), fault: self }
    }
}
