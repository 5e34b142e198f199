//! What is wrong with credentials.

use printable::Quoted;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCredentials {
    #[error(
        "{shown} is not the name of a RAM role; use 1 to 64 letters, digits and .-_",
        shown = Quoted(.0)
    )]
    Role(String),
    #[error(
        "{shown} is not the name of a Secret; use lower-case letters, digits, - and .",
        shown = Quoted(.0)
    )]
    Secret(String),
    #[error("credentials of kind {0} lack a field, or have one of another kind")]
    Fields(&'static str),
}
