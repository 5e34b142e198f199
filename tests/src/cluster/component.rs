//! The cluster's long-lived processes: started apart from the one who starts them, found again by
//! what was written down, stopped one by one.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use super::arguments::arguments;
use super::boundary::Boundary;
use super::handle::Cluster;
use super::program::Program;
use super::wait::until;

/// One process of a cluster, running or not.
#[derive(Debug)]
pub struct Component<'a> {
    cluster: &'a Cluster,
    program: Program,
}

/// A process that is halted.
#[derive(Debug)]
pub struct Frozen(Pid);

impl Drop for Frozen {
    fn drop(&mut self) {
        // It has ended if this fails.
        let _ = kill_process(self.0, Signal::CONT);
    }
}

impl Cluster {
    /// One of the cluster's own processes, to stop it, kill it and start it again.
    pub fn component(&self, program: Program) -> Component<'_> {
        Component { cluster: self, program }
    }
}

impl Component<'_> {
    /// Starts it with a log of its own and writes down which process it is.
    pub fn start(&self) -> Result<()> {
        self.start_with(&[])
    }

    /// The same with more arguments than it has otherwise.
    pub fn start_with(&self, more: &[&str]) -> Result<()> {
        let name = self.program.name();
        let layout = self.cluster.layout();
        let program = match self.program {
            // The lab itself.
            Program::Cloud => crate::binary::beside("secrets-lab")?,
            _ => self.cluster.components().join(name),
        };
        let log = layout.logs().join(name).with_extension("log");
        let log = File::options().create(true).append(true).open(&log)?;
        let mut command = self.cluster.inside(&program).into_command();
        command
            .args(arguments(self.program, layout))
            .args(more)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            // A signal for the one who starts it is not for it.
            .process_group(0);
        let child = command.spawn().with_context(|| format!("starting {name}"))?;
        let pid = i32::try_from(child.id())?;
        // The starter itself stays outside: it may start the component again later.
        Boundary::of(layout).take(pid)?;
        fs::write(self.record(), format!("{pid} {}", born(pid)?))?;
        Ok(())
    }

    /// Asks it to end and waits until it has.
    pub fn stop(&self) -> Result<()> {
        self.end(Signal::TERM)
    }

    /// Ends it without a chance to tidy up.
    pub fn kill(&self) -> Result<()> {
        self.end(Signal::KILL)
    }

    pub fn restart(&self) -> Result<()> {
        self.stop()?;
        self.start()
    }

    /// Halts it: it keeps its connections and answers nobody, until what is returned is dropped.
    pub fn freeze(&self) -> Result<Frozen> {
        let name = self.program.name();
        let pid = self.pid().with_context(|| format!("{name} does not run"))?;
        kill_process(pid, Signal::STOP).with_context(|| format!("halting {name}"))?;
        Ok(Frozen(pid))
    }

    /// The process, if it is still the one that was started.
    pub fn pid(&self) -> Option<Pid> {
        let record = fs::read_to_string(self.record()).ok()?;
        let (pid, since) = record.split_once(' ')?;
        let pid: i32 = pid.parse().ok()?;
        // A number may have been given to somebody else since.
        if born(pid).ok()?.to_string() == since { Pid::from_raw(pid) } else { None }
    }

    /// An error if it has ended, with the last lines of its log.
    pub fn check(&self) -> Result<()> {
        if self.pid().is_some() {
            return Ok(());
        }
        let name = self.program.name();
        let log = self.cluster.layout().logs().join(name).with_extension("log");
        let text = fs::read_to_string(&log).unwrap_or_default();
        let last: Vec<_> = text.lines().rev().take(5).collect();
        let last: Vec<_> = last.into_iter().rev().collect();
        bail!("{name} has ended; its log {} closes with:\n{}", log.display(), last.join("\n"))
    }

    fn end(&self, signal: Signal) -> Result<()> {
        let Some(pid) = self.pid() else { return Ok(()) };
        kill_process(pid, signal)
            .with_context(|| format!("sending a signal to {}", self.program.name()))?;
        until(&format!("{} to end", self.program.name()), Duration::from_secs(60), || {
            Ok(self.pid().is_none().then_some(()).into())
        })
    }

    fn record(&self) -> PathBuf {
        self.cluster.layout().processes().join(self.program.name())
    }
}

/// When a process began, in ticks since the machine did. A dead child that nobody waited for has
/// ended.
fn born(pid: i32) -> Result<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in parentheses may contain anything.
    let (_, fields) = stat.rsplit_once(')').context("reading a process's state")?;
    let mut fields = fields.split_whitespace();
    if fields.next() == Some("Z") {
        bail!("the process has ended");
    }
    Ok(fields.nth(18).context("reading a process's start")?.parse()?)
}
