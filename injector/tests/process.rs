//! The fetcher as a process: others stay out of its memory, and it ends when it is asked to.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod common;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use common::{Container, MOUNT, TOKEN, plan};

/// Somebody without rights over the kernel's files: the owner of `/proc/PID` shows whether a
/// process is dumpable, and only for such a user.
const NOBODY: u32 = 65_532;

struct Killed(Child);

struct Waiting {
    child: Killed,
    uid: u32,
    /// Open, so that the client goes on waiting.
    _connection: TcpStream,
}

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn as_somebody(command: &mut Command) -> u32 {
    let own = fs::metadata("/proc/self").unwrap().uid();
    if own != 0 {
        return own;
    }
    command.uid(NOBODY).gid(NOBODY);
    NOBODY
}

fn owner(child: &Child) -> u32 {
    fs::metadata(format!("/proc/{}/environ", child.id())).unwrap().uid()
}

/// A fetcher that waits for an answer which never comes.
fn waiting(container: &Container) -> Waiting {
    waiting_under(container, 0o755, &[])
}

/// The same from a program of this mode, started by another program with these arguments.
fn waiting_under(container: &Container, mode: u32, under: &[&str]) -> Waiting {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(listener.accept()));
    let copy = container.path("secrets-injector");
    // By another process: a program that this one holds open for writing, in whatever child another
    // test has just forked, cannot be started.
    let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_secrets-injector")).arg(&copy).status();
    assert!(copied.unwrap().success());
    for open in [container.path(""), container.path(MOUNT)] {
        fs::set_permissions(open, fs::Permissions::from_mode(0o755)).unwrap();
    }
    fs::set_permissions(&copy, fs::Permissions::from_mode(mode)).unwrap();
    fs::set_permissions(container.path(TOKEN), fs::Permissions::from_mode(0o644)).unwrap();
    let mut words = under.iter().map(OsStr::new).chain([copy.as_os_str()]);
    let mut command = Command::new(words.next().unwrap());
    command.args(words);
    // Longer than the test takes on any machine; the process is ended with the test.
    let plan = plan(&["kms://db"]).replacen("\"timeout\":1,", "\"timeout\":600,", 1);
    command.env_clear().env("SECRETS_INJECTOR_PLAN", plan).stderr(Stdio::null());
    command.args(["init", "--connect-to", &format!("*={address}"), "--root"]);
    command.arg(container.path(""));
    let uid = if under.is_empty() { as_somebody(&mut command) } else { NOBODY };
    let child = Killed(command.spawn().unwrap());
    let (connection, _) = receiver.recv_timeout(Duration::from_secs(60)).unwrap().unwrap();
    Waiting { child, uid, _connection: connection }
}

#[test]
fn memory_and_environment_of_a_running_fetcher_are_closed_to_its_own_user() {
    let container = Container::new();
    let waiting = waiting(&container);
    let child = &waiting.child.0;
    assert_eq!(owner(child), 0, "the process is dumpable");

    // What the same user's ordinary processes look like: the check above can fail.
    let mut ordinary = Command::new("/bin/sleep");
    ordinary.arg("60");
    as_somebody(&mut ordinary);
    let ordinary = Killed(ordinary.spawn().unwrap());
    assert_eq!(owner(&ordinary.0), waiting.uid);
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        assert!(File::open(format!("/proc/{}/environ", child.id())).is_err());
    }
}

/// Whom the memory of a fetcher belongs to that never closed it itself: the call with which it does
/// is left out.
fn owner_at_start(mode: u32) -> u32 {
    let container = Container::new();
    let leave_out =
        ["strace", "-f", "-u", "nobody", "-o", "/dev/null", "-e", "inject=prctl:retval=0"];
    let waiting = waiting_under(&container, mode, &leave_out);
    let tracer = waiting.child.0.id();
    let children = fs::read_to_string(format!("/proc/{tracer}/task/{tracer}/children")).unwrap();
    let fetcher = children.trim();
    let owner = fs::metadata(format!("/proc/{fetcher}/environ")).unwrap().uid();
    let pid = rustix::process::Pid::from_raw(fetcher.parse().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    owner
}

#[test]
fn a_program_that_nobody_may_read_is_closed_before_its_first_act() {
    let root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let traces = Command::new("strace").args(["-o", "/dev/null", "true"]).status();
    if !root || !traces.is_ok_and(|status| status.success()) {
        assert!(std::env::var_os("CI").is_none(), "another user's process cannot be traced here");
        return;
    }
    assert_eq!(owner_at_start(0o111), 0, "the process is dumpable");
    // As it would be with a program that may be read: the check above can fail.
    assert_ne!(owner_at_start(0o755), 0);
}

#[test]
fn a_running_fetcher_writes_no_core_file() {
    let container = Container::new();
    let waiting = waiting(&container);
    let limits = fs::read_to_string(format!("/proc/{}/limits", waiting.child.0.id())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().collect::<Vec<_>>()[4..6], ["0", "0"], "{core}");
}

#[test]
fn a_fetcher_that_is_asked_to_stop_stops_and_says_so() {
    let container = Container::new();
    let mut waiting = waiting(&container);
    let child = &mut waiting.child.0;
    let pid = rustix::process::Pid::from_child(child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(143));
    assert!(fs::read_dir(container.path(MOUNT)).unwrap().next().is_none());
}
