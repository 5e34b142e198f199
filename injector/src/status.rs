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
use crate::refresh::Failed;
use crate::write;

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Status {
    version: u32,
    /// When this was written.
    written: String,
    /// In the plan's order.
    sources: Vec<Source>,
    /// Those that cannot be rendered from what their sources gave.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    templates: Vec<Template>,
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
    failing: Option<Failing>,
    /// Its files were taken away: nobody waits for them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    removed: bool,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Template {
    file: String,
    /// When it last was rendered, by the calendar.
    rendered: String,
    rendered_uptime: u64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    removed: bool,
}

/// As `docs/exit-codes.md` calls them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Failing {
    Identity,
    Denied,
    NotFound,
    Throttled,
    Unreachable,
    Refused,
    Unusable,
    /// The files could not be written.
    Local,
}

/// What an earlier process of this Pod knew.
#[derive(Debug, Default)]
pub(crate) struct Before {
    /// By lookup.
    pub(crate) sources: Vec<Known>,
    /// By the names of their files.
    pub(crate) templates: Vec<(String, Failed)>,
}

/// And of a source.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    /// Since boot.
    pub(crate) confirmed: Duration,
    pub(crate) failing: Option<Failing>,
    pub(crate) removed: bool,
}

const VERSION: u32 = 1;
const NAME: &str = ".kms-status.json";
/// 256 files with the longest sources.
const LIMIT: usize = 1024 * 1024;

impl Status {
    pub(crate) fn new(sources: Vec<Source>, templates: Vec<Template>) -> Self {
        Self { version: VERSION, written: calendar(Duration::ZERO), sources, templates }
    }
}

impl Source {
    /// `confirmed` is since boot.
    pub(crate) fn new(
        source: &plan::Source,
        confirmed: Duration,
        failing: Option<Failing>,
        removed: bool,
    ) -> Self {
        Self {
            source: source.to_string(),
            confirmed: calendar(since_boot().saturating_sub(confirmed)),
            confirmed_uptime: confirmed.as_secs(),
            failing,
            removed,
        }
    }
}

impl Template {
    pub(crate) fn new(file: &str, failed: Failed) -> Self {
        let Failed { rendered, removed } = failed;
        Self {
            file: file.to_owned(),
            rendered: calendar(since_boot().saturating_sub(rendered)),
            rendered_uptime: rendered.as_secs(),
            removed,
        }
    }
}

/// One that cannot be written is told and changes nothing else.
pub(crate) fn write(args: &Args, plan: &Plan, status: &Status) {
    let Ok(json) = serde_json::to_vec(status) else { return };
    if let Err(error) = write::put(&args.mount(plan.mount()), NAME, &json, write::Access::ALL) {
        warn!("the status file was not written: {error}");
    }
}

/// `None` where nobody knows.
pub(crate) fn read(args: &Args, plan: &Plan) -> Option<Before> {
    let bytes = bounded::read(&path(args, plan), LIMIT).ok()?;
    let status: Status = serde_json::from_slice(bytes.expose()).ok()?;
    let told = status.version == VERSION && status.sources.len() == plan.lookups().len();
    told.then(|| {
        let known = |source: &Source| Known {
            confirmed: Duration::from_secs(source.confirmed_uptime),
            failing: source.failing,
            removed: source.removed,
        };
        let failed = |template: Template| {
            let rendered = Duration::from_secs(template.rendered_uptime);
            (template.file, Failed { rendered, removed: template.removed })
        };
        Before {
            sources: status.sources.iter().map(known).collect(),
            templates: status.templates.into_iter().map(failed).collect(),
        }
    })
}

impl From<cloud::Class> for Failing {
    fn from(class: cloud::Class) -> Self {
        match class {
            cloud::Class::Identity => Self::Identity,
            cloud::Class::Denied => Self::Denied,
            cloud::Class::NotFound => Self::NotFound,
            cloud::Class::Throttled => Self::Throttled,
            cloud::Class::Unreachable => Self::Unreachable,
            cloud::Class::Rejected => Self::Refused,
            cloud::Class::Malformed => Self::Unusable,
        }
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
