//! What the files of `/proc/PID` say of a process. Others write what stands in them: its name, its
//! environment and the places of its mounts.

use std::io::{self, BufRead, BufReader, Read};

use plan::contract::TARGET_VARIABLE;
use zeroize::Zeroizing;

/// From `status`: the real user, whom signals go by.
pub fn user(status: impl Read) -> Option<u32> {
    // The line of the name may end in half a character: the kernel cuts it.
    let mut lines = BufReader::new(status).split(b'\n').map_while(Result::ok);
    let uid = |line: Vec<u8>| {
        let line = str::from_utf8(&line).ok()?;
        line.strip_prefix("Uid:")?.split_whitespace().next()?.parse().ok()
    };
    lines.find_map(uid)
}

/// From `stat`: when it was started, in ticks since boot. The name in brackets may hold anything,
/// brackets too. The start is field 22, the first behind the name is 3.
pub fn started(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(") ")?;
    fields.split(' ').nth(19)?.parse().ok()
}

/// From `environ`: whether it is of this container. Applications have secrets there: it is looked
/// through in a small buffer that is wiped.
pub fn has_variable(mut environment: impl Read, container: &str) -> io::Result<bool> {
    let wanted = format!("{TARGET_VARIABLE}={container}").into_bytes();
    let mut buffer = Zeroizing::new([0; 4096]);
    // How much of the variable this entry has had, if all so far was of it.
    let mut had = Some(0);
    loop {
        let length = environment.read(buffer.as_mut_slice())?;
        if length == 0 {
            return Ok(false);
        }
        for byte in buffer.iter().take(length) {
            if *byte != 0 {
                had = had.filter(|had| wanted.get(*had) == Some(byte)).map(|had| had + 1);
            } else if had == Some(wanted.len()) {
                return Ok(true);
            } else {
                had = Some(0);
            }
        }
    }
}

/// A container, by what the kubelet mounts for it alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub pod: PodDirectory,
    pub container: String,
}

/// Where the kubelet keeps what belongs to a Pod. A process in a user namespace of its own mounts
/// what it likes, but nothing of another one's on this device in this directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodDirectory {
    /// The number of the device.
    pub device: String,
    /// `…/pods/UID`, as on the device.
    pub directory: String,
}

/// More than one is said of no ordinary process.
const MOST_KEPT: usize = 8;

/// From `mountinfo`: for whom something is mounted that the kubelet keeps for one container, as it
/// does the file for its termination message: `…/pods/UID/containers/NAME/ID`. Each once.
pub fn kept(mounts: impl Read) -> Vec<Kept> {
    let mut kept = Vec::new();
    for line in BufReader::new(mounts).split(b'\n').map_while(Result::ok) {
        let found = str::from_utf8(&line).ok().and_then(of_line);
        let found = found.filter(|found| !kept.contains(found));
        kept.extend(found);
        if kept.len() == MOST_KEPT {
            break;
        }
    }
    kept
}

fn of_line(line: &str) -> Option<Kept> {
    let mut fields = line.split(' ').skip(2);
    let (device, root) = (fields.next()?, fields.next()?);
    let mut parts = root.rsplitn(4, '/').skip(1);
    let (container, kind, directory) = (parts.next()?, parts.next()?, parts.next()?);
    let is_kept = kind == "containers" && directory.rsplit('/').nth(1) == Some("pods");
    let owned = str::to_owned;
    let place = || PodDirectory { device: owned(device), directory: owned(directory) };
    is_kept.then(|| Kept { pod: place(), container: owned(container) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_is_one_whole_entry_wherever_a_buffer_ends() {
        let has = |text: &str| has_variable(text.as_bytes(), "app").unwrap();
        assert!(has("A=b\0SECRETS_INJECTOR_TARGET=app\0C=d\0"));
        for other in [
            "SECRETS_INJECTOR_TARGET=app2\0",
            "SECRETS_INJECTOR_TARGET=ap\0",
            "XSECRETS_INJECTOR_TARGET=app\0",
            "A=SECRETS_INJECTOR_TARGET=app\0",
            "SECRETS_INJECTOR_TARGET=app",
            "\0\0\0",
            "",
        ] {
            assert!(!has(other), "{other}");
        }
        for pad in 4060..4110 {
            let text = format!("{}\0SECRETS_INJECTOR_TARGET=app\0", "x".repeat(pad));
            assert!(has(&text), "{pad}");
        }
    }

    #[test]
    fn a_mount_of_the_kubelet_names_pod_and_container() {
        let line =
            |root: &str| format!("36 25 8:1 {root} /dev/termination-log rw - ext4 /dev/sda rw\n");
        let kept_in = |directory: &str, container: &str| Kept {
            pod: PodDirectory { device: "8:1".to_owned(), directory: directory.to_owned() },
            container: container.to_owned(),
        };
        let app = kept_in("/var/lib/kubelet/pods/0a-1", "app");
        let of = |roots: &[&str]| {
            kept(roots.iter().map(|root| line(root)).collect::<String>().as_bytes())
        };
        let root = "/var/lib/kubelet/pods/0a-1/containers/app/7f3c";
        assert_eq!(
            of(&["/", root, "/", "/var/lib/kubelet/pods/0a-1/containers/app/81b0"]),
            std::slice::from_ref(&app)
        );
        let side = kept_in("/tmp/pods/0a-1", "side");
        assert_eq!(of(&[root, "/tmp/pods/0a-1/containers/side/7f3c"]), [app, side]);
        for other in [
            "/var/lib/kubelet/pods/0a-1/containers/app",
            "/var/lib/kubelet/pods/0a-1/volumes/app/7f3c",
            "/containers/app/7f3c",
            "/",
        ] {
            assert_eq!(of(&[other]), [], "{other}");
        }
        let many: Vec<_> = (0..100).map(|pod| format!("/pods/{pod}/containers/a/1")).collect();
        assert_eq!(of(&many.iter().map(String::as_str).collect::<Vec<_>>()).len(), MOST_KEPT);
    }
}
