//! A hook by signal: the first process of a container, found in the PID namespace that the
//! containers of the Pod share.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use plan::HookSignal;
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal};

use super::proc::{self, PodDirectory};

#[derive(Debug, thiserror::Error)]
pub(crate) enum NotSent {
    #[error("no process of container {0} was found: none runs, or not as our user")]
    NoProcess(String),
    #[error(
        "processes of more than one container say that they are container {0}; none is sent a signal"
    )]
    Several(String),
    #[error("process {pid} of the container could not be sent a signal: {errno}")]
    Refused { pid: i32, errno: Errno },
    #[error("the processes of the Pod cannot be listed: {0}")]
    Unlisted(io::ErrorKind),
}

/// So many processes are looked at.
const MOST: usize = 65_536;
/// No more is read of one file of one process.
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

fn deliver(found: &FoundProcess, signal: Signal, container: &str) -> Result<(), NotSent> {
    let gone = || NotSent::NoProcess(container.to_owned());
    let pid = Pid::from_raw(found.pid).ok_or_else(gone)?;
    let opened = rustix::process::pidfd_open(pid, PidfdFlags::empty());
    // The process's number may belong to another one by now; what is open does not change.
    if FoundProcess::read(&found.path).is_none_or(|now| now.started != found.started) {
        return Err(gone());
    }
    let sent = match opened.and_then(|opened| rustix::process::pidfd_send_signal(opened, signal)) {
        // An old kernel, or a sandbox, does not know the calls.
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
struct FoundProcess {
    path: PathBuf,
    pid: i32,
    /// Its start, in ticks since boot.
    started: u64,
}

/// The first process of the container that is ours to signal: others that it has, or that were
/// executed in it, came later.
fn target(proc: &Path, container: &str) -> Result<FoundProcess, NotSent> {
    let us = rustix::process::geteuid().as_raw();
    let ours = proc.join("self");
    let pod = kept(&ours).into_iter().next().map(|kept| kept.pod);
    let namespace = user_namespace(&ours);
    let list = std::fs::read_dir(proc).map_err(|error| NotSent::Unlisted(error.kind()))?;
    let processes = list.take(MOST).filter_map(|entry| Some(entry.ok()?.path()));
    let claims: Vec<_> = processes
        .filter(|path| user(path) == Some(us))
        // A process that cannot be looked at has other rights, and was not made by the container's
        // first process.
        .filter(|path| user_namespace(path).is_none_or(|its| namespace.as_ref() == Some(&its)))
        .filter_map(|path| FoundProcess::read(&path))
        .filter_map(|found| Some((claim(&found.path, container, pod.as_ref())?, found)))
        .collect();
    let several = claims.windows(2).any(|pair| matches!(pair, [(a, _), (b, _)] if a != b));
    if several {
        return Err(NotSent::Several(container.to_owned()));
    }
    let found = claims.into_iter().map(|(_, found)| found);
    found
        .min_by_key(|found| (found.started, found.pid))
        .ok_or_else(|| NotSent::NoProcess(container.to_owned()))
}

/// Why a process is taken for one of the container. Two that differ are of two containers.
#[derive(Debug, PartialEq, Eq)]
enum Evidence {
    /// The kubelet mounted something for it, in this Pod.
    Mounted,
    /// It has the variable, and sees these mounts. Anybody can set a variable.
    Said(Option<PathBuf>),
}

/// What is mounted decides: it is there to see also of a program that wiped its environment (nginx
/// does) or has another group. A process can make mounts of its own, in a user namespace, but none
/// of what the kubelet keeps for another container where it keeps ours. Where not even ours tell, as
/// in some sandboxes, the variable has to do. `pod` is where ours is kept.
fn claim(process: &Path, container: &str, pod: Option<&PodDirectory>) -> Option<Evidence> {
    let Some(pod) = pod else {
        let environment = open(&process.join("environ")).ok()?;
        let says = proc::has_variable(environment, container).unwrap_or(false);
        return says.then(|| Evidence::Said(std::fs::read_link(process.join("ns/mnt")).ok()));
    };
    let mut kept = kept(process);
    kept.retain(|kept| kept.pod == *pod);
    let is_it = matches!(kept.as_slice(), [kept] if kept.container == container);
    is_it.then_some(Evidence::Mounted)
}

fn user_namespace(process: &Path) -> Option<PathBuf> {
    std::fs::read_link(process.join("ns/user")).ok()
}

fn kept(process: &Path) -> Vec<proc::Kept> {
    open(&process.join("mountinfo")).map(proc::kept).unwrap_or_default()
}

/// The owner of the directory is root where nobody may look into the process.
fn user(process: &Path) -> Option<u32> {
    proc::user(open(&process.join("status")).ok()?)
}

impl FoundProcess {
    fn read(path: &Path) -> Option<Self> {
        let pid = path.file_name()?.to_str()?.parse().ok()?;
        let mut stat = Vec::new();
        open(&path.join("stat")).ok()?.read_to_end(&mut stat).ok()?;
        // The name in it may end in half a character: the kernel cuts it.
        let stat = String::from_utf8_lossy(&stat);
        Some(Self { path: path.to_owned(), pid, started: proc::started(&stat)? })
    }
}

fn open(path: &Path) -> io::Result<io::Take<File>> {
    Ok(File::open(path)?.take(LIMIT))
}

#[cfg(test)]
mod tests;
