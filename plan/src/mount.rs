//! The directory that applications see.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::env::ENVIRONMENT_DIRECTORY;
use crate::source::shorten;

/// An absolute, normal path at which a memory volume may be mounted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MountPath(String);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMount {
    #[error(
        "mount path {0:?} is not a plain absolute path; write one like /mnt/secrets-store, without `.`, `..`, `:` or `//`"
    )]
    Shape(String),
    #[error(
        "mount path {0:?} would hide a directory that a container needs; use one of its own, like /mnt/secrets-store"
    )]
    System(String),
}

impl MountPath {
    pub fn parse(text: &str) -> Result<Self, InvalidMount> {
        if text == "/" {
            return Err(InvalidMount::System(shorten(text)));
        }
        let path = text.strip_suffix('/').unwrap_or(text);
        let bad = || InvalidMount::Shape(shorten(text));
        let rest = path.strip_prefix('/').ok_or_else(bad)?;
        let part_ok = |part: &str| !part.is_empty() && part != "." && part != "..";
        if path.len() > 512
            || path.chars().any(|c| c.is_control() || c == ':')
            || !rest.split('/').all(part_ok)
        {
            return Err(bad());
        }
        let taken = TREES.iter().any(|tree| within(path, tree))
            || WHOLE.contains(&path)
            || within(TOKEN_DIRECTORY, path)
            || within(path, TOKEN_DIRECTORY)
            || within(path, ENVIRONMENT_DIRECTORY);
        if taken {
            return Err(InvalidMount::System(shorten(text)));
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

/// Whether `path` is `tree` or lies below it.
pub(crate) fn within(path: &str, tree: &str) -> bool {
    path.strip_prefix(tree).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Where Kubernetes mounts a ServiceAccount token, and we ours.
const TOKEN_DIRECTORY: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
const TREES: [&str; 3] = ["/proc", "/sys", "/dev"];
const WHOLE: [&str; 8] = ["/etc", "/usr", "/bin", "/sbin", "/lib", "/lib64", "/run", "/tmp"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_of_its_own_is_accepted_and_normal() {
        assert_eq!(MountPath::parse("/mnt/secrets/").unwrap().as_str(), "/mnt/secrets");
        assert_eq!(MountPath::default(), MountPath::parse("/mnt/secrets-store").unwrap());
        MountPath::parse("/etc/app").unwrap();
        MountPath::parse("/var/run/secrets/app").unwrap();
    }

    #[test]
    fn paths_that_break_a_container_are_refused() {
        for path in [
            "",
            "/",
            "mnt",
            "/a//b",
            "/a/../b",
            "/a/./b",
            "/a:b",
            "/a\n",
            "/proc",
            "/proc/1",
            "/dev/shm",
            "/sys/x",
            "/etc",
            "/var",
            "/var/run/secrets",
            "/var/run/secrets/kubernetes.io/serviceaccount/x",
            "/kms-env",
            "/kms-env/x",
        ] {
            assert!(MountPath::parse(path).is_err(), "{path:?}");
        }
    }
}
