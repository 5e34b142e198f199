//! The fetcher as a process: from its start to files on disk, from an emulated cloud on loopback.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use nix::sys::resource::{Usage, UsageWho, getrusage};

use super::samples::Samples;
use super::table::{Budget, Table};
use crate::cloud::{Cloud, CloudConfig, SecretSeed, Seed};
use crate::fetcher::{ACCOUNT, Container, Want, builder, plan};

const SECRETS: usize = 10;
const RUNS: usize = 100;

/// Must run before any other child process has ended: the peak memory is that of the largest.
pub(super) async fn measure(table: &mut Table) -> anyhow::Result<()> {
    let cloud = Cloud::start(CloudConfig::new(Seed::demo()?)).await?;
    for number in 0..SECRETS {
        let secret = SecretSeed::text(&format!("shop/bench-{number}"), &"v".repeat(64));
        cloud.put_secret(ACCOUNT, secret)?;
    }
    let wants: Vec<Want> = (0..SECRETS)
        .map(|number| Want::new(&format!("f{number}"), &format!("kms://shop/bench-{number}")))
        .collect();
    let plan = plan(builder()?, &wants)?;
    let before = cpu(&getrusage(UsageWho::RUSAGE_CHILDREN)?);
    let mut walls = Vec::new();
    let mut exchanges = 0;
    let mut connections = 0;
    for _ in 0..RUNS {
        let container = Container::new(&cloud)?;
        cloud.clear_requests();
        let ended = container.init(&plan).await?;
        ensure!(ended.status.success(), "the fetcher failed: {}", ended.log);
        ensure!(container.files()?.len() == SECRETS, "not all files are there");
        walls.push(ended.elapsed);
        let mut per_host = BTreeMap::<String, std::collections::BTreeSet<u64>>::new();
        let requests = cloud.requests();
        for request in &requests {
            per_host.entry(request.host.clone()).or_default().insert(request.connection);
        }
        let sts = requests.iter().filter(|request| request.host.starts_with("sts"));
        exchanges = exchanges.max(sts.count());
        let most = per_host.values().map(std::collections::BTreeSet::len).max();
        connections = connections.max(most.context("no request arrived")?);
    }
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let runs = u32::try_from(RUNS)?;
    let cpu = (cpu(&usage) - before) / runs;
    let walls = Samples::new(walls);
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    table.add(
        "fetcher, 10 KMS secrets, start to exit, median wall",
        milliseconds(walls.median()),
        "ms",
        Some(Budget::AtMost(15.0)),
    );
    table.add("  p95", milliseconds(walls.percentile(95)), "ms", None);
    table.add("  own CPU, mean", milliseconds(cpu), "ms", Some(Budget::AtMost(5.0)));
    let peak = f64::from(u32::try_from(usage.max_rss())?) * 1024.0 / 1e6;
    table.add("  peak resident memory", peak, "MB", Some(Budget::AtMost(6.0)));
    let count = |number: usize| u32::try_from(number).map(f64::from);
    table.add("  most connections to one host", count(connections)?, "", Some(Budget::AtMost(4.0)));
    table.add("  most STS calls in a run", count(exchanges)?, "", Some(Budget::AtMost(1.0)));
    Ok(())
}

fn cpu(usage: &Usage) -> Duration {
    let time = |value: nix::sys::time::TimeVal| {
        let seconds = u64::try_from(value.tv_sec()).unwrap_or_default();
        Duration::from_secs(seconds)
            + Duration::from_micros(u64::try_from(value.tv_usec()).unwrap_or_default())
    };
    time(usage.user_time()) + time(usage.system_time())
}
