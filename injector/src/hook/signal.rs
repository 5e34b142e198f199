//! A hook by signal: the first process of a container, found in the PID namespace that the
//! containers of the Pod share.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use plan::HookSignal;
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal};
use zeroize::Zeroizing;

#[derive(Debug, thiserror::Error)]
pub(crate) enum NotSent {
    #[error("no process of container {0} was found: none runs, or not as our user")]
    NoProcess(String),
    #[error("process {pid} of the container could not be sent a signal: {errno}")]
    Refused { pid: i32, errno: Errno },
    #[error("the processes of the Pod cannot be listed: {0}")]
    Unlisted(io::ErrorKind),
}

/// As the webhook sets it on the container.
const VARIABLE: &str = "SECRETS_INJECTOR_TARGET";
/// Processes that are looked at.
const MOST: usize = 65_536;
/// Of one file of one process.
const LIMIT: u64 = 4 * 1024 * 1024;

pub(super) fn send(signal: HookSignal, container: &str) -> Result<(), NotSent> {
    let found = target(Path::new("/proc"), container)?;
    let signal = match signal {
        HookSignal::Hup => Signal::HUP,
        HookSignal::Int => Signal::INT,
        HookSignal::Quit => Signal::QUIT,
        HookSignal::Usr1 => Signal::USR1,
        HookSignal::Usr2 => Signal::USR2,
        HookSignal::Alrm => Signal::ALARM,
        HookSignal::Term => Signal::TERM,
        HookSignal::Cont => Signal::CONT,
        HookSignal::Winch => Signal::WINCH,
    };
    deliver(&found, signal, container)
}

fn deliver(found: &Found, signal: Signal, container: &str) -> Result<(), NotSent> {
    let gone = || NotSent::NoProcess(container.to_owned());
    let pid = Pid::from_raw(found.pid).ok_or_else(gone)?;
    let opened = rustix::process::pidfd_open(pid, PidfdFlags::empty());
    // Its number may belong to another one by now; what is open does not change.
    if Found::read(&found.path).is_none_or(|now| now.started != found.started) {
        return Err(gone());
    }
    let sent = match opened.and_then(|opened| rustix::process::pidfd_send_signal(opened, signal)) {
        // An old kernel, or a sandbox that does not know the calls.
        Err(Errno::NOSYS | Errno::PERM) => rustix::process::kill_process(pid, signal),
        sent => sent,
    };
    sent.map_err(|errno| match errno {
        Errno::SRCH => gone(),
        errno => NotSent::Refused { pid: found.pid, errno },
    })
}

/// A process, and when it was started.
#[derive(Debug)]
struct Found {
    path: PathBuf,
    pid: i32,
    /// In ticks since boot.
    started: u64,
}

/// Of all processes of the container that are ours to signal the first one: others that it has,
/// or that were executed in it, came later.
fn target(proc: &Path, container: &str) -> Result<Found, NotSent> {
    let us = rustix::process::geteuid().as_raw();
    let list = std::fs::read_dir(proc).map_err(|error| NotSent::Unlisted(error.kind()))?;
    let processes = list.take(MOST).filter_map(|entry| Some(entry.ok()?.path()));
    processes
        .filter(|path| user(path) == Some(us))
        .filter_map(|path| Found::read(&path))
        .filter(|found| is_of(&found.path, container))
        .min_by_key(|found| (found.started, found.pid))
        .ok_or_else(|| NotSent::NoProcess(container.to_owned()))
}

/// Its real user, whom signals go by. The directory may be root's, where nobody may look into it.
fn user(process: &Path) -> Option<u32> {
    let status = BufReader::new(open(&process.join("status")).ok()?);
    let mut lines = status.lines().map_while(Result::ok);
    lines.find_map(|line| line.strip_prefix("Uid:")?.split_whitespace().next()?.parse().ok())
}

impl Found {
    fn read(path: &Path) -> Option<Self> {
        let pid = path.file_name()?.to_str()?.parse().ok()?;
        let mut stat = String::new();
        open(&path.join("stat")).ok()?.read_to_string(&mut stat).ok()?;
        // The name in brackets may hold anything, brackets too. The start is field 22, the first
        // behind the name is 3.
        let (_, fields) = stat.rsplit_once(") ")?;
        let started = fields.split(' ').nth(19)?.parse().ok()?;
        Some(Self { path: path.to_owned(), pid, started })
    }
}

/// A program that shows its state in place of its arguments (nginx) wipes its environment too, and
/// one of another group hides it. What is mounted for it is there to see.
fn is_of(process: &Path, container: &str) -> bool {
    let reads = |name: &str| open(&process.join(name));
    reads("environ").and_then(|file| has_variable(file, container)).unwrap_or(false)
        || reads("mountinfo").is_ok_and(|file| is_mounted_for(file, container))
}

fn open(path: &Path) -> io::Result<io::Take<File>> {
    Ok(File::open(path)?.take(LIMIT))
}

/// Whether an environment is of this container. Applications have secrets there: it is looked
/// through in a small buffer that is wiped.
fn has_variable(mut environment: impl Read, container: &str) -> io::Result<bool> {
    let wanted = format!("{VARIABLE}={container}").into_bytes();
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

/// Whether something is mounted that the kubelet keeps for this container, as it does the file for
/// its termination message: `…/pods/UID/containers/NAME/ID`.
fn is_mounted_for(mounts: impl Read, container: &str) -> bool {
    let is_kept = |line: &String| {
        let mut parts = line.split(' ').nth(3).unwrap_or_default().rsplit('/');
        let (_, name, kind) = (parts.next(), parts.next(), parts.next());
        let pods = parts.nth(1);
        (name, kind, pods) == (Some(container), Some("containers"), Some("pods"))
    };
    BufReader::new(mounts).lines().map_while(Result::ok).any(|line| is_kept(&line))
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
    fn a_mount_of_the_kubelet_names_the_container() {
        let line =
            |root: &str| format!("36 25 8:1 {root} /dev/termination-log rw - ext4 /dev/sda rw\n");
        let kept = "/var/lib/kubelet/pods/0a-1/containers/app/7f3c";
        let is =
            |root: &str| is_mounted_for(format!("{}{}", line("/"), line(root)).as_bytes(), "app");
        assert!(is(kept) && is("/pods/0a-1/containers/app/7f3c"));
        for other in [
            "/var/lib/kubelet/pods/0a-1/containers/app2/7f3c",
            "/var/lib/kubelet/pods/0a-1/containers/app",
            "/var/lib/kubelet/pods/0a-1/volumes/app/7f3c",
            "/containers/app/7f3c",
            "/",
        ] {
            assert!(!is(other), "{other}");
        }
    }

    #[test]
    fn a_process_that_is_not_there_is_none() {
        let error = send(HookSignal::Hup, "nobody-has-this-name").unwrap_err();
        assert!(matches!(error, NotSent::NoProcess(_)), "{error}");
        let gone = Found { path: PathBuf::from("/proc/1"), pid: 1, started: u64::MAX };
        let error = deliver(&gone, Signal::CONT, "app").unwrap_err();
        assert!(matches!(error, NotSent::NoProcess(_)), "{error}");
    }
}
