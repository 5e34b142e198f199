//! The real fetcher below `strace`, which tells what it asks of the kernel about its volumes, and
//! strikes it down at one of these calls or lets the call fail.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use plan::Plan;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Command;

use super::{Container, Ended, Running, binary};

/// One call about a volume or what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemCall {
    pub name: String,
    /// The first of this name in a process is 1, wherever it goes.
    pub number: usize,
    /// As strace tells it.
    pub line: String,
}

/// What happens to one call, by name and number.
#[derive(Clone, Copy, Debug)]
pub enum Strike<'a> {
    /// The process is killed before the call does anything.
    Kill(&'a SystemCall),
    /// The call does nothing and gives this error.
    Error(&'a SystemCall, &'static str),
}

/// All that the writer asks for; calls that read too.
const CALLS: &str = "openat,mkdirat,symlinkat,renameat,renameat2,unlinkat,readlinkat,getdents64,\
                     write,read,fchmod,fchown,fstat,newfstatat,statx,close";

impl SystemCall {
    /// Whether something is another after it than before.
    pub fn changes(&self) -> bool {
        match self.name.as_str() {
            "openat" => self.line.contains("O_CREAT"),
            "mkdirat" | "symlinkat" | "renameat" | "renameat2" | "unlinkat" | "write"
            | "fchmod" | "fchown" => true,
            _ => false,
        }
    }
}

impl Container {
    /// Whether a process can be traced here.
    pub async fn can_trace() -> bool {
        let tried = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).output().await;
        tried.is_ok_and(|output| output.status.success())
    }

    /// Runs it to its end.
    pub async fn run_traced(
        &self,
        plan: &Plan,
        words: &[&str],
        strike: Option<Strike<'_>>,
    ) -> Result<Ended> {
        let ended = self.end(self.traced(words, strike)?, plan).await?;
        ensure!(!ended.log.starts_with("strace:"), "{}", ended.log);
        Ok(ended)
    }

    /// Starts one that stays.
    pub fn start_traced(
        &self,
        plan: &Plan,
        words: &[&str],
        strike: Option<Strike<'_>>,
    ) -> Result<Running> {
        let mut command = self.traced(words, strike)?;
        command.envs(super::AMBIENT).env("SECRETS_INJECTOR_PLAN", plan.encode()?);
        Running::start(command)
    }

    fn traced(&self, words: &[&str], strike: Option<Strike<'_>>) -> Result<Command> {
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-y", "-e", "signal=none", "-o"]);
        command.arg(self.trace()).args(["-e", &format!("trace={CALLS}")]);
        if let Some(strike) = strike {
            let (call, what) = match strike {
                Strike::Kill(call) => (call, "signal=KILL".to_owned()),
                Strike::Error(call, errno) => (call, format!("error={errno}")),
            };
            command.args(["-e", &format!("inject={}:{what}:when={}", call.name, call.number)]);
        }
        command.arg(binary()?).args(self.options()).args(words);
        Ok(command)
    }

    /// What the last traced process asked for about its volumes, in order.
    pub fn calls(&self) -> Result<Vec<SystemCall>> {
        let text = fs::read_to_string(self.trace()).context("reading what strace told")?;
        let volumes = [self.mount(), self.environment()].map(|path| path.display().to_string());
        let mut calls = Vec::<SystemCall>::new();
        let mut counts = HashMap::<String, usize>::new();
        for line in text.lines() {
            // `PID name(arguments) = result`
            let call = line.split_once(' ').map_or("", |(_, call)| call.trim_start());
            let Some((name, _)) = call.split_once('(') else { continue };
            let count = counts.entry(name.to_owned()).or_default();
            *count += 1;
            if volumes.iter().any(|volume| call.contains(volume.as_str())) {
                let (name, line) = (name.to_owned(), call.to_owned());
                calls.push(SystemCall { name, number: *count, line });
            }
        }
        Ok(calls)
    }

    /// Kills the last traced process; strace ends with it.
    pub fn kill_traced(&self) -> Result<()> {
        let text = fs::read_to_string(self.trace())?;
        let pid = text.split_whitespace().next().and_then(|word| word.parse().ok());
        let pid = pid.and_then(Pid::from_raw).context("strace has told nothing")?;
        Ok(kill_process(pid, Signal::KILL)?)
    }

    /// Whether a call of the last traced process was given an error.
    pub fn was_struck(&self) -> Result<bool> {
        Ok(fs::read_to_string(self.trace())?.contains("(INJECTED)"))
    }

    fn trace(&self) -> PathBuf {
        self.path("strace")
    }
}
