//! What a process costs. Measured by a small process of our own, because the kernel counts the
//! memory of whoever starts a process as that process's peak.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
pub struct Cost {
    pub wall_micros: u64,
    /// In user and kernel mode.
    pub cpu_micros: u64,
    /// Largest resident memory.
    pub peak_kib: i64,
}

impl Cost {
    pub fn wall(&self) -> Duration {
        Duration::from_micros(self.wall_micros)
    }

    pub fn cpu(&self) -> Duration {
        Duration::from_micros(self.cpu_micros)
    }
}

/// Runs `command`, prints its cost as JSON, and fails when it fails.
pub fn run(command: &[OsString]) -> anyhow::Result<()> {
    let (program, arguments) = command.split_first().context("no command")?;
    let began = Instant::now();
    let status = Command::new(program)
        .args(arguments)
        .stdout(Stdio::null())
        .status()
        .with_context(|| format!("cannot start {}", program.display()))?;
    let wall = began.elapsed();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let cost = Cost {
        wall_micros: u64::try_from(wall.as_micros())?,
        cpu_micros: micros(usage.user_time())? + micros(usage.system_time())?,
        peak_kib: usage.max_rss(),
    };
    writeln!(std::io::stdout(), "{}", serde_json::to_string(&cost)?)?;
    anyhow::ensure!(status.success(), "the command ended with {status}");
    Ok(())
}

fn micros(time: TimeVal) -> anyhow::Result<u64> {
    Ok(u64::try_from(time.tv_sec())? * 1_000_000 + u64::try_from(time.tv_usec())?)
}
