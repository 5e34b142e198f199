//! The webhook as a process on one core, asked over TLS from another.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;

use super::heavy;
use super::load::Load;
use super::process::resident;
use super::reviews;
use super::table::{Budget, Table};
use crate::binary::beside;

/// As many runs of each load as it takes to have a median.
const RUNS: usize = 3;

pub(super) async fn measure(table: &mut Table, dearest: Vec<u8>) -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    pin_to_second_core().context("cannot leave the first core to the webhook")?;
    let webhook = Webhook::start(directory.path()).await?;
    table.add("webhook, start to ready", webhook.start.as_secs_f64() * 1e3, "ms", None);
    webhook.memory(table, "webhook, resident memory idle", 12.0)?;
    for (name, names, body) in [
        (
            8,
            (
                "TLS, 8 KB, 8 connections, one core",
                "TLS, 8 KB, 8 connections, p50",
                "TLS, 8 KB, 8 connections, p99",
            ),
            reviews::typical(),
        ),
        (
            1,
            (
                "TLS, 8 KB, 1 connection, one core",
                "TLS, 8 KB, 1 connection, p50",
                "TLS, 8 KB, 1 connection, p99",
            ),
            reviews::typical(),
        ),
        (
            8,
            (
                "TLS, 120 KB, 8 connections, one core",
                "TLS, 120 KB, 8 connections, p50",
                "TLS, 120 KB, 8 connections, p99",
            ),
            reviews::large(),
        ),
    ] {
        let budgets = (name == 8 && body.len() < 16_000)
            .then_some((Budget::AtLeast(10_000.0), Budget::AtMost(2.0)));
        let load = Load {
            target: webhook.listen,
            ca_pem: webhook.ca_pem.clone(),
            body,
            connections: name,
            time: Duration::from_secs(3),
        };
        let mut runs = Vec::new();
        for _ in 0..RUNS {
            runs.push(load.run().await?);
        }
        runs.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
        let median = runs.get(RUNS / 2).context("no run")?;
        let milliseconds = |part| median.latencies.percentile(part).as_secs_f64() * 1e3;
        table.add(names.0, median.per_second, "req/s", budgets.map(|(rate, _)| rate));
        table.add(names.1, milliseconds(50), "ms", None);
        table.add(names.2, milliseconds(99), "ms", budgets.map(|(_, latency)| latency));
    }
    webhook.memory(table, "webhook, resident memory after load", 16.0)?;
    let (listen, admin) = (webhook.listen, webhook.admin);
    heavy::measure(table, dearest, listen, admin, &webhook.ca_pem).await?;
    // Its limit on a cluster leaves as much again for what arrives at once.
    webhook.memory(table, "webhook, resident memory after heavy Pods", 32.0)?;
    Ok(())
}

/// The load comes from this thread alone, so the webhook has its core to itself.
fn pin_to_second_core() -> nix::Result<()> {
    let mut cores = CpuSet::new();
    cores.set(1)?;
    sched_setaffinity(Pid::from_raw(0), &cores)
}

struct Webhook {
    child: Child,
    listen: SocketAddr,
    admin: SocketAddr,
    ca_pem: Vec<u8>,
    start: Duration,
}

impl Webhook {
    async fn start(directory: &Path) -> anyhow::Result<Self> {
        let (ready, ca) = (directory.join("ready.json"), directory.join("ca.pem"));
        let start = Instant::now();
        let child = Command::new("taskset")
            .args(["-c", "0"])
            .arg(beside("secrets-webhook")?)
            .args(["serve", "--standalone", "--listen=127.0.0.1:0", "--admin=127.0.0.1:0"])
            .args(["--drain-seconds=0", "--log-level=warn"])
            .args(["--setting", "region=cn-hangzhou", "--setting", "clusterId=c0123456789"])
            .arg("--write-ca")
            .arg(&ca)
            .arg("--ready-file")
            .arg(&ready)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .stdin(Stdio::null())
            .stderr(std::fs::File::create(directory.join("log"))?)
            .spawn()
            .context("cannot start the webhook under taskset (util-linux)")?;
        let mut webhook = Self {
            child,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            admin: SocketAddr::from(([127, 0, 0, 1], 0)),
            ca_pem: Vec::new(),
            start: Duration::ZERO,
        };
        while !ready.exists() {
            if start.elapsed() > Duration::from_secs(10) {
                bail!("the webhook is not ready after 10 s");
            }
            tokio::time::sleep(Duration::from_micros(500)).await;
        }
        webhook.start = start.elapsed();
        let json: serde_json::Value = serde_json::from_slice(&std::fs::read(&ready)?)?;
        let address = |name: &str| -> anyhow::Result<SocketAddr> {
            let text = json.get(name).and_then(serde_json::Value::as_str);
            Ok(text.context("the ready file names no address")?.parse()?)
        };
        (webhook.listen, webhook.admin) = (address("listen")?, address("admin")?);
        webhook.ca_pem = std::fs::read(&ca)?;
        Ok(webhook)
    }

    fn memory(&self, table: &mut Table, name: &'static str, most: f64) -> anyhow::Result<()> {
        table.add(name, resident(self.child.id())?, "MB", Some(Budget::AtMost(most)));
        Ok(())
    }
}

impl Drop for Webhook {
    fn drop(&mut self) {
        // It may have ended already; what counts is that nothing of ours stays behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
