//! The directory that applications see.

use std::fmt;

use printable::{Quoted, shorten};
use serde::{Deserialize, Serialize};

/// An absolute, normal path; which directories a container can spare is the webhook's to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MountPath(String);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "mount path {shown} is not a plain absolute path; write one like /mnt/secrets-store, without `.`, `..`, `:` or `//`",
    shown = Quoted(.0)
)]
pub struct InvalidMount(String);

impl MountPath {
    pub fn parse(text: &str) -> Result<Self, InvalidMount> {
        let path = text.strip_suffix('/').unwrap_or(text);
        let bad = || InvalidMount(shorten(text));
        let rest = path.strip_prefix('/').ok_or_else(bad)?;
        let part_ok = |part: &str| !part.is_empty() && part != "." && part != "..";
        if path.len() > 512
            || path.chars().any(|c| !printable::is_printable(c) || c == ':')
            || !rest.split('/').all(part_ok)
        {
            return Err(bad());
        }
        Ok(Self(path.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for MountPath {
    /// As in the CSI provider's documents.
    fn default() -> Self {
        Self("/mnt/secrets-store".to_owned())
    }
}

impl fmt::Display for MountPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for MountPath {
    type Error = InvalidMount;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<MountPath> for String {
    fn from(path: MountPath) -> Self {
        path.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_normal() {
        assert_eq!(MountPath::parse("/mnt/secrets/").unwrap().as_str(), "/mnt/secrets");
        assert_eq!(MountPath::default(), MountPath::parse("/mnt/secrets-store").unwrap());
    }

    #[test]
    fn what_is_no_path_to_a_directory_is_refused() {
        for path in [
            "",
            "/",
            "mnt",
            "/a//b",
            "/a/../b",
            "/a/./b",
            "/a:b",
            "/a\n",
            "/a\u{202e}b",
            "/a\u{2028}",
        ] {
            assert!(MountPath::parse(path).is_err(), "{path:?}");
        }
    }
}
