//! What is wrong with credentials.

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCredentials {
    #[error("{0:?} is not the name of a RAM role; use 1 to 64 letters, digits and .-_")]
    Role(String),
    #[error("{0:?} is not the name of a Secret; use lower-case letters, digits, - and .")]
    Secret(String),
    #[error("credentials of kind {0} lack a field, or have one of another kind")]
    Fields(&'static str),
}
