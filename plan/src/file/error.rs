//! What is wrong with what is said of a file.

use printable::Quoted;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidFile {
    #[error("a file name is empty")]
    Empty,
    #[error("file name {shown} has {1} bytes; at most 255 are allowed", shown = Quoted(.0))]
    TooLong(String, usize),
    #[error(
        "file name {shown} contains a path separator; use one name (objectAlias), or directories with path-translation \"False\"",
        shown = Quoted(.0)
    )]
    Separator(String),
    #[error(
        "file name {shown} has more than {MAX_PARTS} directories, or more than {MAX_PATH} bytes",
        shown = Quoted(.0)
    )]
    TooDeep(String),
    #[error(
        "file name {shown} is not a file name; `.` and `..` are directories",
        shown = Quoted(.0)
    )]
    Directory(String),
    #[error(
        "file name {shown} is reserved; names that begin with `..` or `.kms-` are ours",
        shown = Quoted(.0)
    )]
    Reserved(String),
    #[error(
        "file name {shown} contains a character that is not seen or moves others: a control or format character, or another space than the ordinary one",
        shown = Quoted(.0)
    )]
    Unprintable(String),
    #[error(
        "mode {shown} is not valid; write quoted octal permission bits from \"0400\" to \"0777\"",
        shown = Quoted(.0)
    )]
    Mode(String),
    #[error("{shown} is not valid; write fail or skip", shown = Quoted(.0))]
    OnMissing(String),
    #[error(
        "{shown} is not valid; write base64, or utf-8 for text that is written as it is",
        shown = Quoted(.0)
    )]
    Encoding(String),
    #[error("a file holds either a value or a template of values")]
    Content,
}

pub(super) const MAX_PARTS: usize = 8;
/// A path of a file below the mount.
pub(super) const MAX_PATH: usize = 1024;
