//! What the kernel tells about a process that runs.

use std::fs;
use std::time::Duration;

use anyhow::Context as _;

/// Megabytes (of 10^6 bytes) that are in memory.
pub(super) fn resident(pid: u32) -> anyhow::Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: f64 = line
        .and_then(|line| line.trim().strip_suffix(" kB"))
        .context("no VmRSS in the process status")?
        .parse()?;
    Ok(kib * 1024.0 / 1e6)
}

/// Time on a CPU so far, of all threads that there are; to the nanosecond, where `stat` counts in
/// hundredths of a second.
pub(super) fn cpu(pid: u32) -> anyhow::Result<Duration> {
    let mut all = Duration::ZERO;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = fs::read_to_string(task?.path().join("schedstat"))?;
        let first = text.split_whitespace().next().context("no time in schedstat")?;
        all += Duration::from_nanos(first.parse()?);
    }
    Ok(all)
}
