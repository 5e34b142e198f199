//! What can be wrong with a template, before it is rendered and while it is.

use crate::engine::{FUNCTIONS, TESTS};
use crate::shape::MAX_TOKENS;
use crate::signature::FILTERS;
use crate::template::MAX_TEMPLATE_BYTES;

/// Bytes of a name that may be a misspelled one of ours.
const LONGEST_SLIP: usize = 24;

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct Invalid {
    pub line: usize,
    pub fault: Fault,
}

/// Names are those that the template's author wrote.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("the template has {0} bytes; at most {MAX_TEMPLATE_BYTES} are allowed")]
    TooLong(usize),
    #[error("the template contains a NUL character")]
    Nul,
    #[error("the template uses no secret")]
    NoSecret,
    #[error("the template does not parse")]
    Syntax,
    #[error("an expression or statement is nested too deeply, or too long")]
    TooDeep,
    #[error("the template has more than {MAX_TOKENS} words, signs and pieces of text")]
    TooMany,
    #[error("a template cannot loop ({0})")]
    Loop(String),
    #[error("a template cannot use other templates or define parts of its own ({0})")]
    Parts(String),
    #[error("there is no statement {0}")]
    Statement(String),
    #[error("secret() takes exactly one source, written out as text in quotes")]
    Secret,
    #[error("the function {0} is not called")]
    NotCalled(String),
    #[error("there is no function {0}()")]
    Function(String),
    #[error("{0}() takes exactly one value")]
    OneValue(String),
    #[error("there is no filter {0:?}")]
    Filter(String),
    #[error("the {0} takes {1}")]
    Arguments(String, String),
    #[error("the filter {0} takes as its argument {1} {2}")]
    Argument(&'static str, &'static str, &'static str),
    #[error("{0} takes {1}")]
    Operand(String, &'static str),
    #[error("there is no test {0:?}")]
    Test(String),
    #[error("values have no methods")]
    Method,
    #[error("arguments by name and with * are not supported")]
    Named,
    #[error("a template does not calculate ({0})")]
    Arithmetic(&'static str),
    #[error("a template does not cut parts out ([:])")]
    Slice,
    #[error("~ puts texts together, and true, false and none are none")]
    NoText,
    #[error("{0} takes two texts or two numbers")]
    Order(&'static str),
    #[error("in looks for a text in a text, an item in a list or a key in a mapping")]
    In,
    #[error("a text has no keys (.{0})")]
    NoKeys(String),
    #[error("comparisons cannot be chained")]
    Chained,
    #[error("a list or mapping stands where no filter writes it as text")]
    Literal,
    #[error("a key in {{…}} is not written out as text in quotes")]
    Key,
    #[error("the key {0:?} is written twice in one mapping")]
    SameKey(String),
    #[error("{0} is not defined")]
    Undefined(String),
    #[error("{0} is used before it is set")]
    NotYetSet(String),
    #[error("{0} is a function and cannot be set")]
    Reserved(String),
    #[error("only a name can be set")]
    Target,
}

/// Why a template gave no text. It holds names that the author wrote and keys of a secret's JSON,
/// never a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct Failure {
    pub line: usize,
    pub what: String,
}

impl Fault {
    /// What to do instead.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::TooLong(_) => "split it into several files, or put fixed text into a ConfigMap",
            Self::TooMany => "split it into several files, or hand a whole JSON secret to a format",
            Self::Nul => "remove it",
            Self::NoSecret => {
                "write {{ secret(\"kms://NAME\") }} where its value belongs, or put the file into a ConfigMap"
            }
            Self::Syntax => {
                "check that {{ }}, {% %}, quotes and brackets are closed, and each if has its endif"
            }
            Self::TooDeep => {
                "give parts of it a name with {% set NAME = … %}, and end each {% set NAME %} with {% endset %}"
            }
            Self::Loop(_) => {
                "write each line out, or hand a whole JSON secret to a format: {{ secret(\"kms://NAME\") | dotenv }}"
            }
            Self::Parts(_) => "write all of the text into this one template",
            Self::Statement(_) => "the statements are if, elif, else, endif, set and endset",
            Self::Secret => {
                "write {{ secret(\"kms://NAME\") }}; sources must be known before the Pod starts"
            }
            Self::NotCalled(_) => "write it with brackets: secret(\"kms://NAME\"), json(VALUE)",
            Self::Function(_) => {
                "the functions are secret(\"kms://NAME\") and json(VALUE); everything else is a filter"
            }
            Self::OneValue(_) => "write json(secret(\"kms://NAME\"))",
            Self::Filter(_) => "see the filters in docs/annotations.md",
            Self::Arguments(..) | Self::Argument(..) => "see the filters in docs/annotations.md",
            Self::Operand(..) => "hand it such a value; json(secret(\"kms://NAME\")) reads JSON",
            Self::Test(_) => "the tests are defined, undefined and none",
            Self::Method => "use a filter: {{ VALUE | upper }}",
            Self::Named => "write the values alone, in their order",
            Self::Arithmetic(_) => {
                "A ~ B puts texts together; everything else the secret itself must hold"
            }
            Self::Slice => {
                "pick one item with VALUE[0], or several with a JMESPath: secret(\"kms://NAME#LIST[:2]\")"
            }
            Self::NoText => "write text in quotes: \"true\", or \"a\" if VALUE else \"b\"",
            Self::Order(_) => {
                "write both in quotes, or read a number with json(secret(\"kms://NAME\"))"
            }
            Self::In => {
                "write \"a\" in secret(\"kms://NAME\"), or \"KEY\" in json(secret(\"kms://NAME\"))"
            }
            Self::NoKeys(_) => "read it as JSON first: json(secret(\"kms://NAME\")).KEY",
            Self::Chained => "write A < B and B < C",
            Self::Literal => {
                "hand it to a filter at once: {{ [A, B] | join(\",\") }} or {{ {\"KEY\": VALUE} | dotenv }}"
            }
            Self::SameKey(_) => "keep one of them",
            Self::Key => "write {\"KEY\": VALUE}; keys are told in messages, so none is a secret",
            Self::Undefined(_) => {
                "write text in quotes, or {% set NAME = … %} before; a value comes from secret(\"kms://NAME\")"
            }
            Self::NotYetSet(_) => "move {% set NAME = … %} before where it is used first",
            Self::Reserved(_) => "choose another name",
            Self::Target => "write {% set NAME = … %}",
        }
    }

    /// A name that does not exist, and those of its kind that do: for "did you mean". One that is
    /// far longer than all of them was not meant to be one of them.
    #[must_use]
    pub fn unknown(&self) -> Option<(&str, Vec<&'static str>)> {
        match self {
            Self::Filter(name) | Self::Function(name) | Self::Test(name)
                if name.len() > LONGEST_SLIP =>
            {
                None
            }
            Self::Filter(name) => Some((name, FILTERS.iter().map(|filter| filter.name).collect())),
            Self::Function(name) => Some((name, FUNCTIONS.to_vec())),
            Self::Test(name) => Some((name, TESTS.iter().map(|(name, _)| *name).collect())),
            _ => None,
        }
    }

    pub(crate) fn at(self, line: usize) -> Invalid {
        Invalid { line: line.max(1), fault: self }
    }
}

/// What a message may repeat of a name that someone else wrote.
pub(crate) fn shorten(name: &str) -> String {
    let mut short: String = name.chars().filter(|c| printable::is_printable(*c)).take(64).collect();
    if short.len() < name.len() {
        short.push('…');
    }
    short
}
