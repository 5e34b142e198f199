//! Names and values that authors of Pods chose, as messages repeat them.

pub(crate) mod nearest;

/// The first 64 printable characters of a name.
pub(crate) fn display_name(name: &str) -> String {
    name.chars().filter(|c| printable::is_printable(*c)).take(64).collect()
}

/// The first 64 characters of a value, in quotes.
pub(crate) fn quoted(value: &str) -> String {
    let mut short: String = value.chars().take(64).collect();
    if short.len() < value.len() {
        short.push('…');
    }
    format!("{short:?}")
}
