//! Other programs, run to their end: what they were asked and what they said.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// A call of a program that is expected to end.
#[derive(Debug)]
pub struct Tool {
    command: Command,
    input: Option<String>,
}

/// How it ended.
#[derive(Debug)]
pub struct Output {
    pub success: bool,
    pub stdout: String,
    pub stderr: String,
}

impl Tool {
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self { command, input: None }
    }

    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    #[must_use]
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(arguments);
        self
    }

    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// What it reads from standard input.
    #[must_use]
    pub fn input(mut self, text: impl Into<String>) -> Self {
        self.input = Some(text.into());
        self.command.stdin(Stdio::piped());
        self
    }

    /// For those who start it in their own way.
    pub fn into_command(self) -> Command {
        self.command
    }

    /// Whatever it says is an answer; only a program that cannot be run is an error.
    pub fn output(mut self) -> Result<Output> {
        let shown = shown(&self.command);
        let mut child = self.command.spawn().with_context(|| format!("running {shown}"))?;
        // Its own thread: a program may answer before it has read everything.
        let feed = match (child.stdin.take(), self.input) {
            (Some(mut stdin), Some(input)) => {
                Some(thread::spawn(move || stdin.write_all(input.as_bytes())))
            }
            _ => None,
        };
        let output = child.wait_with_output().with_context(|| format!("waiting for {shown}"))?;
        if let Some(feed) = feed {
            // A program that ended early did not want the rest.
            let _ = feed.join();
        }
        Ok(Output {
            success: output.status.success(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Its standard output; a failure is an error that shows what it said.
    pub fn run(self) -> Result<String> {
        let shown = shown(&self.command);
        let output = self.output()?;
        if !output.success {
            bail!("{shown} failed: {}{}", output.stderr.trim_end(), tail(&output.stdout));
        }
        Ok(output.stdout)
    }

    /// Its standard output as JSON.
    pub fn json(self) -> Result<Value> {
        let shown = shown(&self.command);
        let text = self.run()?;
        serde_json::from_str(&text).with_context(|| format!("reading the JSON of {shown}"))
    }
}

fn shown(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        let _ = write!(text, " {}", argument.to_string_lossy());
    }
    text
}

fn tail(stdout: &str) -> String {
    let stdout = stdout.trim_end();
    if stdout.is_empty() { String::new() } else { format!("\n{stdout}") }
}

/// Says all that is missing on this machine at once.
pub(crate) fn check_host() -> Result<()> {
    let mut missing = Vec::new();
    if !rustix::process::geteuid().is_root() {
        missing.push("root (namespaces, mounts, cgroups)".to_owned());
    }
    for (program, package) in HOST {
        if !found(program) {
            missing.push(format!("{program} (Debian package {package})"));
        }
    }
    if !std::path::Path::new(CNI).join("bridge").exists() {
        missing.push(format!("{CNI}/bridge (Debian package containernetworking-plugins)"));
    }
    if missing.is_empty() {
        return Ok(());
    }
    bail!("a cluster cannot run here, it lacks: {}", missing.join(", "))
}

pub(crate) fn found(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths)
        .chain(SYSTEM.map(Into::into))
        .any(|directory| directory.join(program).is_file())
}

pub(crate) const CNI: &str = "/usr/lib/cni";
const SYSTEM: [&str; 2] = ["/usr/sbin", "/sbin"];
const HOST: [(&str, &str); 8] = [
    ("ip", "iproute2"),
    ("nsenter", "util-linux"),
    ("iptables", "iptables"),
    ("conntrack", "conntrack"),
    ("runc", "runc"),
    ("buildah", "buildah"),
    ("busybox", "busybox-static"),
    ("catatonit", "catatonit"),
];

/// As it can be called again.
pub fn this_program() -> String {
    std::env::current_exe().map_or_else(|_| "secrets-lab".into(), |path| path.display().to_string())
}
