//! The fetcher as a process: from its start to files on disk, from an emulated cloud on loopback.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::table::{Budget, Table};
use crate::cloud::{Cloud, CloudConfig, SecretSeed, Seed};
use crate::fetcher::{ACCOUNT, Container, Want, builder, plan};
use crate::samples::Samples;

const SECRETS: usize = 10;
const RUNS: usize = 100;

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
    let mut walls = Vec::new();
    let mut cpus = Vec::new();
    let mut peak = 0;
    let mut exchanges = 0;
    let mut connections = 0;
    for _ in 0..RUNS {
        let container = Container::in_memory(&cloud)?;
        cloud.clear_requests();
        let (ended, cost) = container.init_measured(&plan).await?;
        ensure!(ended.status.success(), "the fetcher failed: {}", ended.log);
        ensure!(container.files()?.len() == SECRETS, "not all files are there");
        walls.push(cost.wall());
        cpus.push(cost.cpu());
        peak = peak.max(cost.peak_kib);
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
    let walls = Samples::new(walls);
    let cpus = Samples::new(cpus);
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    table.add(
        "fetcher, 10 KMS secrets, start to exit, median wall",
        milliseconds(walls.median()),
        "ms",
        Some(Budget::AtMost(15.0)),
    );
    table.add("fetcher, p95 wall", milliseconds(walls.percentile(95)), "ms", None);
    table.add(
        "fetcher, own CPU, median",
        milliseconds(cpus.median()),
        "ms",
        Some(Budget::AtMost(5.0)),
    );
    let peak = f64::from(u32::try_from(peak)?) * 1024.0 / 1e6;
    table.add("fetcher, peak resident memory", peak, "MB", Some(Budget::AtMost(6.0)));
    let count = |number: usize| u32::try_from(number).map(f64::from);
    table.add(
        "fetcher, most connections to one host",
        count(connections)?,
        "",
        Some(Budget::AtMost(4.0)),
    );
    table.add("fetcher, most STS calls in a run", count(exchanges)?, "", Some(Budget::AtMost(1.0)));
    Ok(())
}
