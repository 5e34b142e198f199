//! What it costs an application to be started with its variables: a program that ends at once,
//! directly and through ours, by turns.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::ensure;
use plan::{ContainerName, Environment, FileMode, Selection, Variable, VariableName};

use super::table::{Budget, Table};
use crate::cloud::{Cloud, CloudConfig, Seed};
use crate::fetcher::{Container, Want, builder};
use crate::samples::Samples;

const VARIABLES: usize = 10;
const RUNS: usize = 300;
const PROGRAM: &str = "/bin/true";

pub(super) async fn measure(table: &mut Table) -> anyhow::Result<()> {
    let cloud = Cloud::start(CloudConfig::new(Seed::demo()?)).await?;
    let container = Container::in_memory(&cloud)?;
    let mut builder = builder()?;
    let mut variables = Vec::with_capacity(VARIABLES);
    for number in 0..VARIABLES {
        let name = VariableName::parse(&format!("V{number}"))?;
        let from = builder.lookup(Want::new("v", "kms://shop/db").lookup()?);
        let value = Selection { from, select: None };
        variables.push(Variable::of_value(name, value, vec![ContainerName::parse("app")?]));
    }
    builder.env(Some(Environment { mode: FileMode::ALL, variables }));
    let ended = container.init(&builder.build()?).await?;
    ensure!(ended.status.success(), "the fetcher failed: {}", ended.log);
    let mut added = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let directly = timed(Command::new(PROGRAM))?;
        let through = timed(container.exec("app", &[PROGRAM]))?;
        added.push(through.saturating_sub(directly));
    }
    let median = Samples::new(added).median().as_secs_f64() * 1e3;
    let budget = Some(Budget::AtMost(2.0));
    table.add("exec with 10 variables, added to a start, median of pairs", median, "ms", budget);
    Ok(())
}

fn timed(mut command: Command) -> anyhow::Result<Duration> {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let began = Instant::now();
    ensure!(command.status()?.success(), "{command:?} failed");
    Ok(began.elapsed())
}
