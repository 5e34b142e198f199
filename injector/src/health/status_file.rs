//! A file in the mount that says how current the secrets are; no value is in it. A process that
//! continues after a restart learns from it what the one before knew.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use plan::Plan;
use secret::Failure;
use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::health::health_board::FailedTemplate;
use crate::health::health_board::{HealthBoard, SourceHealth};
use crate::input::args::Args;
use crate::process::bounded;
use crate::process::clock::since_boot;
use crate::report::exit::Exit;
use crate::write::directory::STATUS;
use crate::write::single_file;

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Status {
    version: u32,
    /// When this was written.
    written: String,
    /// The generation that applications started with or were told of.
    #[serde(rename = "told", default, skip_serializing_if = "Option::is_none")]
    notified: Option<String>,
    /// In the plan's order.
    sources: Vec<SourceStatus>,
    /// Templates that cannot be rendered from what their sources gave.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    templates: Vec<TemplateStatus>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SourceStatus {
    source: String,
    /// When the source last gave a value, by the calendar. It has not yet where this is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    confirmed: Option<String>,
    /// The same moment in seconds since the machine was started, which no clock change moves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    confirmed_uptime: Option<u64>,
    /// The kind of failure since then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failing: Option<Failure>,
    /// Its files were taken away: nobody waits for them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    removed: bool,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TemplateStatus {
    file: String,
    /// When it last was rendered, by the calendar.
    rendered: String,
    rendered_uptime: u64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    removed: bool,
}

/// What an earlier process of this Pod knew.
#[derive(Debug, Default)]
pub(crate) struct Before {
    /// The sources, in the plan's order.
    pub(crate) sources: Vec<Known>,
    /// The templates, by the names of their files.
    pub(crate) templates: Vec<(String, FailedTemplate)>,
}

/// What an earlier process of this Pod knew of a source.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    /// When it last gave a value, since boot; `None` where it had not.
    pub(crate) confirmed: Option<Duration>,
    pub(crate) failing: Option<Failure>,
    pub(crate) removed: bool,
}

const VERSION: u32 = 1;
/// 256 files with the longest sources.
const LIMIT: usize = 1024 * 1024;

impl Status {
    /// The status of the plan's sources, and which templates fail.
    pub(crate) fn new(plan: &Plan, health: &HealthBoard, notified: Option<String>) -> Self {
        let snapshot = health.snapshot();
        let of_plan = snapshot.sources.iter().enumerate().take(plan.lookups().len());
        let label = |index| plan::lookup_label(plan.lookups(), index);
        let sources = of_plan.map(|(index, source)| SourceStatus::new(label(index), source));
        Self {
            version: VERSION,
            written: calendar(Duration::ZERO),
            notified,
            sources: sources.collect(),
            templates: snapshot.templates.iter().map(TemplateStatus::new).collect(),
        }
    }
}

impl SourceStatus {
    fn new(source: String, health: &SourceHealth) -> Self {
        let ago = |confirmed| calendar(since_boot().saturating_sub(confirmed));
        Self {
            source,
            confirmed: health.confirmed.map(ago),
            confirmed_uptime: health.confirmed.map(|confirmed| confirmed.as_secs()),
            failing: health.failing,
            removed: health.removed,
        }
    }
}

impl TemplateStatus {
    fn new((file, failed): &(String, FailedTemplate)) -> Self {
        Self {
            file: file.clone(),
            rendered: calendar(since_boot().saturating_sub(failed.rendered)),
            rendered_uptime: failed.rendered.as_secs(),
            removed: failed.removed,
        }
    }
}

/// Writes the file. A file that cannot be written is logged and changes nothing else.
pub(crate) fn write(args: &Args, plan: &Plan, status: &Status) {
    let Ok(json) = serde_json::to_vec(status) else { return };
    if let Err(error) =
        single_file::put(&args.mount(plan.mount()), STATUS, &json, single_file::Access::ALL)
    {
        warn!("the status file was not written: {error}");
    }
}

/// Returns `None` where no earlier process left a status.
pub(crate) fn read(args: &Args, plan: &Plan) -> Option<Before> {
    load(args, plan).map(|status| {
        let known = |source: &SourceStatus| Known {
            confirmed: source.confirmed_uptime.map(Duration::from_secs),
            failing: source.failing,
            removed: source.removed,
        };
        let failed = |template: TemplateStatus| {
            let rendered = Duration::from_secs(template.rendered_uptime);
            (template.file, FailedTemplate { rendered, removed: template.removed })
        };
        Before {
            sources: status.sources.iter().map(known).collect(),
            templates: status.templates.into_iter().map(failed).collect(),
        }
    })
}

/// The generation that applications know, as an earlier process of this Pod left it.
pub(crate) fn notified_generation(args: &Args, plan: &Plan) -> Option<String> {
    load(args, plan)?.notified
}

/// Why the files may not be there yet, as the process that fetches them says; empty where it does
/// not say.
pub(crate) fn waiting(args: &Args, plan: &Plan) -> String {
    let Some(status) = load(args, plan) else { return String::new() };
    let failing: Vec<String> = status
        .sources
        .iter()
        .filter_map(|of| {
            let failing = of.failing?;
            Some(format!("{}: {} ({})", of.source, failing.word(), Exit::from(failing) as u8))
        })
        .collect();
    if !failing.is_empty() {
        return format!("; not fetched: {}", some_of(&failing));
    }
    let waiting = status.sources.iter().filter(|of| of.confirmed.is_none());
    let waiting: Vec<String> = waiting.map(|of| of.source.clone()).collect();
    match waiting.as_slice() {
        [] => String::new(),
        waiting => format!("; still fetching {}", some_of(waiting)),
    }
}

/// A line has room for a few.
pub(crate) fn some_of(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().take(4).map(String::as_str).collect();
    match names.len() - shown.len() {
        0 => shown.join(", "),
        others => format!("{} and {others} more", shown.join(", ")),
    }
}

fn load(args: &Args, plan: &Plan) -> Option<Status> {
    let bytes = bounded::read(&path(args, plan), LIMIT).ok()?;
    let status: Status = serde_json::from_slice(bytes.expose()).ok()?;
    let ours = status.version == VERSION && status.sources.len() == plan.lookups().len();
    ours.then_some(status)
}

fn path(args: &Args, plan: &Plan) -> PathBuf {
    args.mount(plan.mount()).join(STATUS)
}

/// The calendar's time so long ago.
fn calendar(ago: Duration) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    secret::iso8601(now.saturating_sub(ago).as_secs())
}
