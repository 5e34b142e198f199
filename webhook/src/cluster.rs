//! What is asked of the Kubernetes API.

mod account;
pub mod accounts;
pub(crate) mod bounded;
pub(crate) mod classes;
pub mod client;
pub mod directory;
mod error;
mod object;
pub mod reader;
pub mod watch;

/// As Kubernetes allows names of objects: no slash, no dots alone.
pub(crate) fn is_name(text: &str, most: usize) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.');
    let ends = |edge: Option<u8>| edge.is_some_and(|b| b.is_ascii_alphanumeric());
    text.len() <= most
        && text.bytes().all(allowed)
        && ends(text.bytes().next())
        && ends(text.bytes().last())
}
