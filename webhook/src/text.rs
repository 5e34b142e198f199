//! Names and values that authors of Pods chose, as messages repeat them.

pub(crate) mod nearest;

use std::fmt::{self, Write as _};

pub(crate) use printable::{Quoted, quoted};

/// No more is shown of a name.
const MOST: usize = 64;

/// A name as it is shown: its first 64 printable characters, with `{:?}` in quotes. How long it is and
/// which characters it has must not count each time that it is shown.
pub(crate) struct DisplayName<'t>(&'t str);

pub(crate) fn display_name(name: &str) -> DisplayName<'_> {
    DisplayName(name)
}

impl fmt::Display for DisplayName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let most = f.precision().unwrap_or(MOST);
        printable::first(self.0, MOST).take(most).try_for_each(|c| f.write_char(c))
    }
}

impl fmt::Debug for DisplayName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        printable::quote(printable::first(self.0, MOST), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_shown_as_far_as_a_person_reads_it() {
        let long = format!("a\u{202e}\"{}", "密".repeat(100));
        assert_eq!(format!("{}", display_name(&long)), format!("a\"{}", "密".repeat(62)));
        assert_eq!(format!("{:.3}", display_name(&long)), "a\"密");
        assert_eq!(format!("{:?}", display_name("a\u{202e}\"b")), r#""a\"b""#);
    }
}
