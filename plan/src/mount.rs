//! The directory that applications see.

use std::fmt;

use printable::shorten;
use serde::{Deserialize, Serialize};

use crate::contract::{ENVIRONMENT_DIRECTORY, TOKEN_DIRECTORY};
use crate::path::ContainerPath;

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
    #[error("mount path {0:?} {1}; use a directory of its own, like /mnt/secrets-store")]
    Taken(String, Taken),
}

/// Why a directory cannot be ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Taken {
    #[error("would hide a directory that a container needs")]
    System,
    #[error("would hide programs or libraries")]
    Programs,
    #[error("lies in {ENVIRONMENT_DIRECTORY}, where environment variables are kept")]
    Variables,
}

impl MountPath {
    pub fn parse(text: &str) -> Result<Self, InvalidMount> {
        if text == "/" {
            return Err(InvalidMount::Taken(text.to_owned(), Taken::System));
        }
        let path = text.strip_suffix('/').unwrap_or(text);
        let bad = || InvalidMount::Shape(shorten(text));
        let rest = path.strip_prefix('/').ok_or_else(bad)?;
        let part_ok = |part: &str| !part.is_empty() && part != "." && part != "..";
        if path.len() > 512
            || path.chars().any(|c| !printable::is_printable(c) || c == ':')
            || !rest.split('/').all(part_ok)
        {
            return Err(bad());
        }
        if let Some(why) = taken(&ContainerPath::new(path)) {
            return Err(InvalidMount::Taken(shorten(text), why));
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

fn taken(place: &ContainerPath<'_>) -> Option<Taken> {
    let in_one_of =
        |trees: &[&str]| trees.iter().any(|tree| place.is_within(&ContainerPath::new(*tree)));
    if in_one_of(&TREES)
        || in_one_of(&FILES)
        || WHOLE.iter().any(|whole| *place == ContainerPath::new(*whole))
        || place.meets(&ContainerPath::new(TOKEN_DIRECTORY))
    {
        return Some(Taken::System);
    }
    let hides_libraries = LIBRARIES
        .iter()
        .any(|tree| place.steps_below(&ContainerPath::new(*tree)).is_some_and(|steps| steps < 2));
    if in_one_of(&PROGRAMS) || hides_libraries {
        return Some(Taken::Programs);
    }
    in_one_of(&[ENVIRONMENT_DIRECTORY]).then_some(Taken::Variables)
}

const TREES: [&str; 3] = ["/proc", "/sys", "/dev"];
const WHOLE: [&str; 7] = ["/etc", "/etc/ssl", "/usr", "/usr/local", "/run", "/tmp", "/root"];
/// What every program reads: names, users, libraries, and the CAs that it trusts.
const FILES: [&str; 13] = [
    "/etc/group",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/hostname",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/ld.so.preload",
    "/etc/nsswitch.conf",
    "/etc/passwd",
    "/etc/pki",
    "/etc/resolv.conf",
    "/etc/ssl/certs",
];
const PROGRAMS: [&str; 6] =
    ["/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"];
/// Deeper in them lies what belongs to one program, which may want a directory of its own there.
const LIBRARIES: [&str; 12] = [
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/libx32",
    "/usr/libexec",
    "/usr/local/lib",
    "/usr/local/lib64",
    "/usr/local/libexec",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_of_its_own_is_accepted_and_normal() {
        assert_eq!(MountPath::parse("/mnt/secrets/").unwrap().as_str(), "/mnt/secrets");
        assert_eq!(MountPath::default(), MountPath::parse("/mnt/secrets-store").unwrap());
        MountPath::parse("/etc/app").unwrap();
        MountPath::parse("/etc/ssl/app").unwrap();
        MountPath::parse("/usr/share/app").unwrap();
        MountPath::parse("/var/run/secrets/app").unwrap();
        MountPath::parse("/usr/local/app/conf").unwrap();
        MountPath::parse("/usr/lib/jvm/conf").unwrap();
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
            "/etc/hosts",
            "/etc/resolv.conf",
            "/etc/ssl",
            "/etc/ssl/certs",
            "/etc/ssl/certs/java",
            "/etc/ld.so.conf.d/x",
            "/root",
            "/usr/local",
            "/var",
            "/var/run",
        ] {
            assert!(MountPath::parse(path).is_err(), "{path:?}");
        }
    }

    #[test]
    fn what_has_a_directory_already_is_said() {
        let why = |path: &str| MountPath::parse(path).unwrap_err().to_string();
        for path in
            ["/usr/bin", "/usr/lib/x", "/usr/local/bin", "/usr/local/lib64/x", "/lib64", "/bin/x/y"]
        {
            assert!(why(path).contains("programs"), "{path}");
        }
        for path in ["/kms-env", "/kms-env/x"] {
            assert!(why(path).contains("environment variables"), "{path}");
        }
        // By the usual link too.
        for token in ["secrets", "secrets/kubernetes.io/serviceaccount/x"] {
            for run in ["/var/run", "/run"] {
                assert!(why(&format!("{run}/{token}")).contains("needs"), "{run} {token}");
            }
        }
    }
}
