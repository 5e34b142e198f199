//! What one admission costs, measured in a process of its own, whose memory nothing else has used.

use std::hint::black_box;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use nix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use webhook::settings::Settings;
use webhook::wire::admit::admit;

use super::Mixture;
use crate::binary::beside;

/// The least that a decision took of several, and how far memory rose above the process at rest, the
/// body included.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Cost {
    pub cpu_micros: u64,
    pub peak_bytes: u64,
}

/// A body to decide, and the mixture whose settings it is decided with. Without a file the body is what
/// the mixture makes, and memory that it took to make it is not told from the decision's.
#[derive(Clone, Debug)]
pub struct Case {
    pub mixture: Mixture,
    pub body: Option<PathBuf>,
}

impl Cost {
    #[must_use]
    pub fn cpu(self) -> Duration {
        Duration::from_micros(self.cpu_micros)
    }
}

/// Decides each body so many times, and writes its cost as a line of JSON.
pub fn run(cases: &[Case], times: u32) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    for case in cases {
        let settings = case.mixture.settings();
        let before = status("VmRSS")?;
        let body = match &case.body {
            Some(file) => std::fs::read(file)?,
            None => case.mixture.review(),
        };
        let mut cpu_micros = u64::MAX;
        for _ in 0..times {
            let start = thread_micros()?;
            decide(&body, &settings);
            cpu_micros = cpu_micros.min(thread_micros()?.saturating_sub(start));
        }
        let peak_bytes = status("VmHWM")?.saturating_sub(before);
        writeln!(out, "{}", serde_json::to_string(&Cost { cpu_micros, peak_bytes })?)?;
    }
    Ok(())
}

/// What is counted, under a name that a profiler is told.
#[inline(never)]
fn decide(body: &[u8], settings: &Settings) {
    black_box(admit(black_box(body), settings));
}

/// What `secrets-lab` measures for one body.
pub fn measure(mixture: &Mixture, body: &[u8]) -> anyhow::Result<Cost> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), body)?;
    let output = Command::new(beside("secrets-lab")?)
        .args(arguments(mixture, file.path()))
        .args(["--times", "5"])
        .output()?;
    anyhow::ensure!(
        output.status.success(),
        "{}: {}",
        mixture.named(),
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).context("reading what an admission cost")
}

/// Those with which one body is decided.
#[must_use]
pub fn arguments(mixture: &Mixture, body: &Path) -> [String; 3] {
    ["decide".to_owned(), "--case".to_owned(), format!("{mixture}={}", body.display())]
}

impl std::str::FromStr for Case {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (mixture, body) = match text.split_once('=') {
            Some((mixture, body)) => (mixture, Some(body.into())),
            None => (text, None),
        };
        Ok(Self { mixture: Mixture::parse(mixture)?, body })
    }
}

fn thread_micros() -> anyhow::Result<u64> {
    let used = Duration::from(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?);
    Ok(u64::try_from(used.as_micros())?)
}

/// A field of the process's status, in bytes.
fn status(field: &str) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let kilobytes: u64 = line
        .and_then(|line| line.trim().strip_suffix("kB"))
        .context("the status of the process has no such field")?
        .trim()
        .parse()?;
    Ok(kilobytes * 1024)
}
