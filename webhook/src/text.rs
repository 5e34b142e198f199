//! Names and values that authors of Pods chose, as messages repeat them.

pub(crate) mod nearest;

pub(crate) use printable::quoted;

/// The first 64 printable characters of a name.
pub(crate) fn display_name(name: &str) -> String {
    name.chars().filter(|c| printable::is_printable(*c)).take(64).collect()
}
