//! This file says what can be wrong with a template, before it is rendered and while it is.

use crate::builtins::{FILTERS, FUNCTIONS, TESTS};
use crate::limits::{MAX_TEMPLATE_BYTES, MAX_TOKENS};

/// A name of more bytes is no misspelled one of ours.
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
    #[error("there is no filter {0:?}")]
    Filter(String),
    #[error("{0} takes {1}")]
    Arguments(String, &'static str),
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
    /// An operation fails whatever the secrets hold; the words say why.
    #[error("{0}")]
    Operation(String),
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
    /// This says what to do instead.
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
            Self::Filter(_) | Self::Arguments(..) => "see the filters in docs/annotations.md",
            Self::Test(_) => "the tests are defined, undefined and none",
            Self::Method => "use a filter: {{ VALUE | upper }}",
            Self::Named => "write the values alone, in their order",
            Self::Arithmetic(_) => {
                "A ~ B puts texts together; everything else the secret itself must hold"
            }
            Self::Slice => {
                "pick one item with VALUE[0], or several with a JMESPath: secret(\"kms://NAME#LIST[:2]\")"
            }
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
            Self::Operation(_) => {
                "docs/annotations.md says what each filter and operator takes; json(secret(\"kms://NAME\")) reads JSON"
            }
        }
    }

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
