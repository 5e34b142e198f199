//! Why a document cannot be read. Never quotes its content, which may be a Secret.

use granit_parser::{ErrorKind, ScanError};

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Unreadable {
    /// From 1.
    pub line: usize,
    pub what: &'static str,
}

impl Unreadable {
    /// The parser's error, `lines` below the beginning of the file.
    pub(crate) fn syntax(error: &ScanError, lines: usize) -> Self {
        let line = error.marker().line().max(1) + lines;
        Self { line, what: syntax(error.kind()) }
    }
}

fn syntax(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::RecursionLimitExceeded => "nested more than 100 levels deep",
        ErrorKind::UnknownAnchor => "an alias (*name) without an anchor (&name) before it",
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabInPlainScalar
        | ErrorKind::TabAtBlockScalarStart => "not YAML: a tab where spaces are needed",
        ErrorKind::UnclosedFlowCollection { .. }
        | ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofImplicitFlowMapping => "not YAML: a bracket that is not closed",
        ErrorKind::MisplacedFlowCollectionEnd | ErrorKind::MismatchedFlowCollectionEnd { .. } => {
            "not YAML: a closing bracket without its opening one"
        }
        ErrorKind::UnclosedQuotedScalar
        | ErrorKind::InvalidQuotedScalarIndent
        | ErrorKind::DocumentIndicatorInQuotedScalar => {
            "not YAML: a quote that is not closed, or goes on without indentation"
        }
        ErrorKind::UnknownQuotedScalarEscape => {
            "not YAML: a backslash in double quotes that escapes nothing"
        }
        ErrorKind::InvalidIndentation
        | ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::MappingValueNotAllowed
        | ErrorKind::MappingKeyNotAllowed => {
            "not YAML: wrong indentation, or a key without a colon"
        }
        _ => "not YAML: the syntax is wrong here",
    }
}
