//! `secrets-lab bench`: the figures that we promise, measured, printed beside their budgets and the
//! recorded ones, and written as JSON. Absolute times are this machine's; a busy one says so by
//! being slower everywhere.

mod admission;
mod agent;
mod cluster;
mod exec;
mod far;
mod fetcher;
mod heavy;
mod load;
mod pods;
mod process;
mod reviews;
mod server;
mod sidecar;
mod table;
mod worst;

use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;

use self::table::{Budget, Table};
use crate::binary::beside;

/// What `make bench` measured when these figures were last recorded.
const RECORDED: &str = include_str!("../bench.json");

/// Measures everything; an error where a figure could not be had or is over its budget.
/// With `components` of a cluster, on one too; its images are in `images`.
pub fn run(summary: &Path, components: Option<&Path>, images: &Path) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    let mut table = Table::default();
    sizes(&mut table)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    writeln!(out, "fetching …")?;
    runtime.block_on(fetcher::measure(&mut table)).context("measuring the fetcher")?;
    runtime.block_on(far::measure(&mut table)).context("measuring the fetcher from afar")?;
    runtime.block_on(exec::measure(&mut table)).context("measuring a start with variables")?;
    runtime.block_on(sidecar::measure(&mut table)).context("measuring the sidecar")?;
    drop(runtime);
    writeln!(out, "admitting …")?;
    admission::measure(&mut table);
    let dearest = worst::measure(&mut table).context("searching for the dearest admission")?;
    writeln!(out, "serving …")?;
    // One thread, so that the other core is the server's.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(server::measure(&mut table, dearest)).context("measuring the webhook")?;
    runtime.block_on(agent::measure(&mut table)).context("measuring the agent")?;
    drop(runtime);
    if let Some(components) = components {
        writeln!(out, "on a cluster …")?;
        cluster::measure(&mut table, components, images).context("measuring on a cluster")?;
    }
    write!(out, "\n{}", table.render(RECORDED))?;
    table.write(summary)?;
    writeln!(out, "\nwritten to {}", summary.display())?;
    anyhow::ensure!(table.all_within(), "a figure is over its budget");
    Ok(())
}

fn sizes(table: &mut Table) -> anyhow::Result<()> {
    for (name, label, most) in [
        ("secrets-injector", "secrets-injector, size", 5.0),
        ("secrets-webhook", "secrets-webhook, size", 14.0),
    ] {
        let bytes = std::fs::metadata(beside(name)?)?.len();
        let megabytes = f64::from(u32::try_from(bytes)?) / 1e6;
        table.add(label, megabytes, "MB", Some(Budget::AtMost(most)));
    }
    Ok(())
}
