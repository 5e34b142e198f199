//! The fetcher that stays: its memory, what a round costs, how long files take to be replaced.
//!
//! Each process is started again beside the files of an earlier one, as after an init container. So
//! its first round opens its connections and exchanges the token, as rounds at the usual interval
//! do; at the shortest one, which spares us the waiting, later rounds would cost less.
//!
//! The startup probe is a process of its own and ends with the start. There is no other probe, so
//! nothing but its own rounds wakes the sidecar later.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use plan::{Mode, OnRevoked, Refresh};
use serde_json::Value;

use super::process::{cpu, resident};
use super::table::{Budget, Table};
use crate::agent::{Served, wanted};
use crate::cloud::{Cloud, CloudConfig, SecretSeed, Seed, StoredPlace, VersionSeed};
use crate::fetcher::{ACCOUNT, Container, Running, Want, builder, plan};
use crate::samples::Samples;

const SECRETS: usize = 20;
const PROCESSES: usize = 12;
/// Seconds of `refresh-interval`.
const SHORTEST: u32 = 10;
const USUAL: Duration = Duration::from_secs(300);

pub(super) async fn measure(table: &mut Table) -> anyhow::Result<()> {
    let cloud = Cloud::start(CloudConfig::new(Seed::demo()?)).await?;
    let name = |number: usize| format!("shop/bench-{number}");
    for number in 0..SECRETS {
        cloud.put_secret(ACCOUNT, SecretSeed::text(&name(number), &"v".repeat(64)))?;
    }
    let wants: Vec<Want> = (0..SECRETS)
        .map(|number| Want::new(&format!("f{number}"), &format!("kms://{}", name(number))))
        .collect();
    let mut builder = builder()?;
    builder.mode(Mode::Refresh(Refresh::new(SHORTEST, None, OnRevoked::Keep)?));
    let plan = plan(builder, &wants)?;
    let mut started = Vec::new();
    for _ in 0..PROCESSES {
        let container = Container::in_memory(&cloud)?;
        ensure!(container.init(&plan).await?.status.success(), "the first fetch failed");
        started.push((container.start(&plan, &["refresh"])?, container));
    }
    for number in 0..SECRETS {
        let version = VersionSeed::text(&"w".repeat(64));
        cloud.rotate_secret(&StoredPlace::new(ACCOUNT, &name(number)), version)?;
    }
    let (mut cpus, mut swaps, mut memory) = (Vec::new(), Vec::new(), 0.0_f64);
    for (running, _container) in &started {
        running.says("the files are there already", 1).await?;
    }
    for (running, _container) in &started {
        let pid = running.pid()?;
        running.says("the files were replaced", 1).await?;
        settled(pid).await?;
        // With its start, which is small beside it.
        cpus.push(cpu(pid)?);
        memory = memory.max(resident(pid)?);
        swaps.push(swap(running)?);
    }
    let round = Samples::new(cpus).median();
    let share = round.as_secs_f64() / USUAL.as_secs_f64();
    table.add("sidecar, 20 secrets, memory", memory, "MB", Some(Budget::AtMost(5.0)));
    let label = "sidecar, start and a round of 20 secrets, own CPU, median";
    table.add(label, round.as_secs_f64() * 1e3, "ms", None);
    let label = "… that each 300 s, thousandths of a core";
    table.add(label, share * 1e3, "m", Some(Budget::AtMost(0.1)));
    let swap = Samples::new(swaps).median().as_secs_f64() * 1e3;
    table.add("sidecar, 20 files replaced, median", swap, "ms", Some(Budget::AtMost(1.0)));
    let memory = serving(&cloud).await?;
    table.add("agent, 20 secrets answered, memory", memory, "MB", Some(Budget::AtMost(5.0)));
    Ok(())
}

/// The memory of a sidecar that has answered each of the secrets as a local agent.
async fn serving(cloud: &Cloud) -> anyhow::Result<f64> {
    let served = Served::start(cloud, wanted(&["shop/bench-*"])?, &[], &[]).await?;
    for number in 0..SECRETS {
        let target = format!("/secretsmanager/get?secretId=shop/bench-{number}");
        served.get(&target).await?.value()?;
    }
    let pid = served.running.pid()?;
    settled(pid).await?;
    resident(pid)
}

/// Waits until it has nothing to do.
async fn settled(pid: u32) -> anyhow::Result<()> {
    let mut before = None;
    loop {
        let now = cpu(pid)?;
        if before == Some(now) {
            return Ok(());
        }
        before = Some(now);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// As it tells by itself.
fn swap(running: &Running) -> anyhow::Result<Duration> {
    let log = running.log();
    let line = log.lines().find(|line| line.contains("the files were replaced"));
    let line: Value = serde_json::from_str(line.context("no files were replaced")?)?;
    let took = line.pointer("/took_us").or_else(|| line.pointer("/fields/took_us"));
    Ok(Duration::from_micros(took.and_then(Value::as_u64).context("it does not say how long")?))
}
