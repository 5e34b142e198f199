//! Directories that a Pod may name for what is ours: the mount path, and the one of the agent's token.
//! They hide nothing that a container needs.

use plan::contract::ENVIRONMENT_DIRECTORY;
use plan::{CREDENTIALS_PLACES, MountPath, TokenPath};

use super::bad::Bad;
use super::values::parsed;
use crate::container_path::ContainerPath;

/// Why a directory cannot be ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Taken {
    #[error("would hide a directory that a container needs")]
    System,
    #[error("would hide programs or libraries")]
    Programs,
    #[error("lies in {ENVIRONMENT_DIRECTORY}, where environment variables are kept")]
    Variables,
}

pub(super) fn mount_path(value: &str) -> Result<MountPath, Bad> {
    if let Some(why) = taken(value) {
        let what = format!("mount path {:?} {why}", printable::shorten(value));
        return Err((what, "use a directory of its own, like /mnt/secrets-store".to_owned()));
    }
    parsed(MountPath::parse(value))
}

pub(super) fn token_path(value: &str) -> Result<TokenPath, Bad> {
    if let Some(why) = value.rsplit_once('/').and_then(|(directory, _)| taken(directory)) {
        let text = printable::shorten(value);
        let what = format!("{text:?} is no path for a token: its directory {why}");
        let remedy = "name a file in a directory of its own, like /var/run/kmstoken/token";
        return Err((what, remedy.to_owned()));
    }
    parsed(TokenPath::parse(value))
}

/// What is no path to a directory is not taken.
fn taken(directory: &str) -> Option<Taken> {
    if directory == "/" {
        return Some(Taken::System);
    }
    let directory = MountPath::parse(directory).ok()?;
    let place = ContainerPath::new(directory.as_str());
    let in_one_of =
        |trees: &[&str]| trees.iter().any(|tree| place.is_within(&ContainerPath::new(*tree)));
    if in_one_of(&TREES)
        || in_one_of(&FILES)
        || WHOLE.iter().any(|whole| place == ContainerPath::new(*whole))
        || CREDENTIALS_PLACES.iter().any(|ours| place.meets(&ContainerPath::new(ours.directory)))
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
    fn a_directory_of_its_own_is_accepted() {
        for path in [
            "/mnt/secrets-store",
            "/etc/app",
            "/etc/ssl/app",
            "/usr/share/app",
            "/var/run/secrets/app",
            "/usr/local/app/conf",
            "/usr/lib/jvm/conf",
            // Only a directory itself is taken, and not one that begins like it.
            "/devices",
            "/proc2/x",
        ] {
            assert_eq!(mount_path(path).unwrap().as_str(), path);
        }
    }

    #[test]
    fn paths_that_break_a_container_are_refused() {
        for path in [
            "/",
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
            let (what, remedy) = mount_path(path).unwrap_err();
            assert_eq!(
                what,
                format!("mount path {path:?} would hide a directory that a container needs")
            );
            assert_eq!(remedy, "use a directory of its own, like /mnt/secrets-store");
        }
    }

    #[test]
    fn what_has_a_directory_already_is_said() {
        let why = |path: &str| mount_path(path).unwrap_err().0;
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

    #[test]
    fn a_token_lies_in_a_directory_of_its_own() {
        for bad in [
            "/etc/token",
            "/tmp/token",
            "/proc/1/token",
            "/usr/token",
            "/bin/x/token",
            "/usr/bin/token",
            "/usr/local/bin/token",
            "/lib64/token",
            "/var/run/secrets/kubernetes.io/serviceaccount/x",
        ] {
            assert!(token_path(bad).is_err(), "{bad:?}");
        }
        for (taken, why) in [
            ("/etc/token", "a container needs"),
            ("/run/secrets/token", "a container needs"),
            ("/bin/x/token", "programs"),
            ("/kms-env/token", "environment variables"),
        ] {
            let (what, _) = token_path(taken).unwrap_err();
            assert!(what.contains(why), "{what}");
        }
        token_path("/a/b").unwrap();
    }
}
