//! The fetcher as a process, with a cloud that is not on the same machine: what counts is how often it
//! waits for an answer.

use std::time::Duration;

use anyhow::ensure;
use plan::{Batches, KmsBatches};

use super::table::{Budget, Table};
use crate::cloud::{Cloud, CloudConfig, SecretSeed, Seed};
use crate::far_away::FarAway;
use crate::fetcher::{ACCOUNT, Container, Want, builder, plan};
use crate::samples::Samples;

const SECRETS: usize = 20;
const RUNS: usize = 30;
/// From one availability zone to another and back it is a tenth of that.
const TRIP: Duration = Duration::from_millis(20);

pub(super) async fn measure(table: &mut Table) -> anyhow::Result<()> {
    let cloud = Cloud::start(CloudConfig::new(Seed::demo()?)).await?;
    for number in 0..SECRETS {
        let secret = SecretSeed::text(&format!("shop/bench-{number}"), &"v".repeat(64));
        cloud.put_secret(ACCOUNT, secret)?;
    }
    let together = run(&cloud, Batches::default()).await?;
    let alone = run(&cloud, Batches { kms: KmsBatches::Never, oos: false }).await?;
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    table.add(
        "fetcher, 20 KMS secrets, 20 ms away, median wall",
        milliseconds(together.0),
        "ms",
        Some(Budget::AtMost(125.0)),
    );
    table.add(
        "fetcher, 20 KMS secrets, 20 ms away, own CPU, median",
        milliseconds(together.1),
        "ms",
        Some(Budget::AtMost(6.0)),
    );
    table.add("fetcher, the same one by one, median wall", milliseconds(alone.0), "ms", None);
    table.add("fetcher, the same one by one, own CPU, median", milliseconds(alone.1), "ms", None);
    Ok(())
}

/// Wall and CPU time, medians.
async fn run(cloud: &Cloud, batches: Batches) -> anyhow::Result<(Duration, Duration)> {
    let far = FarAway::from(cloud.https(), TRIP).await?;
    let wants: Vec<Want> = (0..SECRETS)
        .map(|number| Want::new(&format!("f{number}"), &format!("kms://shop/bench-{number}")))
        .collect();
    let mut builder = builder()?;
    builder.batches(batches);
    let plan = plan(builder, &wants)?;
    let (mut walls, mut cpus) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let mut container = Container::in_memory(cloud)?;
        container.dial(&far.address.to_string());
        let (ended, cost) = container.init_measured(&plan).await?;
        ensure!(ended.status.success(), "the fetcher failed: {}", ended.log);
        ensure!(container.files()?.len() == SECRETS, "not all files are there");
        walls.push(cost.wall());
        cpus.push(cost.cpu());
    }
    Ok((Samples::new(walls).median(), Samples::new(cpus).median()))
}
