//! A file in the mount that says how current the secrets are; no value is in it. A process that
//! continues after a restart learns from it what the one before knew.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use plan::Plan;
use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::args::Args;
use crate::bounded;
use crate::clock::since_boot;
use crate::write;

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Status {
    version: u32,
    /// When this was written.
    written: String,
    /// In the plan's order.
    sources: Vec<Source>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Source {
    source: String,
    /// When it last gave a value, by the calendar.
    confirmed: String,
    /// The same in seconds since the machine was started, which no clock change moves.
    confirmed_uptime: u64,
    /// What stands in the way since then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failing: Option<String>,
}

const VERSION: u32 = 1;
const NAME: &str = ".kms-status.json";
/// 256 files with the longest sources.
const LIMIT: usize = 1024 * 1024;

impl Status {
    pub(crate) fn new(sources: Vec<Source>) -> Self {
        Self { version: VERSION, written: calendar(Duration::ZERO), sources }
    }
}

impl Source {
    /// `confirmed` is since boot.
    pub(crate) fn new(
        source: &plan::Source,
        confirmed: Duration,
        failing: Option<cloud::Class>,
    ) -> Self {
        Self {
            source: source.to_string(),
            confirmed: calendar(since_boot().saturating_sub(confirmed)),
            confirmed_uptime: confirmed.as_secs(),
            failing: failing.map(|class| named(class).to_owned()),
        }
    }
}

/// One that cannot be written is told and changes nothing else.
pub(crate) fn write(args: &Args, plan: &Plan, status: &Status) {
    let Ok(json) = serde_json::to_vec(status) else { return };
    if let Err(error) = write::put(&args.mount(plan.mount()), NAME, &json) {
        warn!("the status file was not written: {error}");
    }
}

/// When each lookup was last confirmed, since boot; `None` where nobody knows.
pub(crate) fn read(args: &Args, plan: &Plan) -> Option<Vec<Duration>> {
    let bytes = bounded::read(&path(args, plan), LIMIT).ok()?;
    let status: Status = serde_json::from_slice(bytes.expose()).ok()?;
    let told = status.version == VERSION && status.sources.len() == plan.lookups().len();
    told.then(|| {
        let moments = status.sources.iter().map(|source| source.confirmed_uptime);
        moments.map(Duration::from_secs).collect()
    })
}

/// As `docs/exit-codes.md` calls them.
fn named(class: cloud::Class) -> &'static str {
    match class {
        cloud::Class::Identity => "identity",
        cloud::Class::Denied => "denied",
        cloud::Class::NotFound => "not found",
        cloud::Class::Throttled => "throttled",
        cloud::Class::Unreachable => "unreachable",
        cloud::Class::Rejected => "refused",
        cloud::Class::Malformed => "unusable",
    }
}

fn path(args: &Args, plan: &Plan) -> PathBuf {
    args.mount(plan.mount()).join(NAME)
}

/// So long ago.
fn calendar(ago: Duration) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    cloud::iso8601(now.saturating_sub(ago).as_secs())
}
