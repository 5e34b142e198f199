//! What a start got that was not completed in its time. The container that starts again in the same Pod
//! goes on from there, and does not ask once more for what a service that is short of answers gave already.
//! It lies in the Pod's memory volume, readable for us alone, until the next start takes it.

use std::collections::HashMap;
use std::time::Duration;

use plan::{Plan, Refresh};
use secret::{Fetched, Metadata, Sensitive};
use serde::{Deserialize, Serialize};
use tracing::{debug, info};
use zeroize::Zeroizing;

use crate::input::args::Args;
use crate::input::entry::MemoryVolume;
use crate::process::bounded;
use crate::process::clock::since_boot;
use crate::write::directory::UNFINISHED;
use crate::write::single_file::{self, Access};

/// What came for one lookup.
pub(crate) struct Kept {
    pub(crate) fetched: Fetched,
    /// Since boot.
    at: Duration,
}

/// The first line of the file; the values follow it, one behind the other.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    /// The plan that they were asked for.
    plan: String,
    values: Vec<KeptValue>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptValue {
    lookup: usize,
    size: usize,
    at: Duration,
    version: String,
    request_id: String,
    caller: String,
    binary: bool,
    /// The facts of its metadata, in their order there.
    facts: [Option<String>; 7],
    stages: Vec<String>,
}

/// A value that is older may have been replaced long ago.
const YOUNG: Duration = Duration::from_secs(600);
/// So much of the container's memory and of the volume is free for it.
const LIMIT: usize = 512 * 1024;

/// Leaves what came for the next start. Nothing depends on it: what cannot be written is asked for again.
pub(crate) fn leave<'f>(
    args: &Args,
    plan: &Plan,
    came: impl Iterator<Item = (usize, &'f Fetched, Duration)>,
) {
    let (mut values, mut bytes) = (Vec::new(), Zeroizing::new(Vec::with_capacity(LIMIT)));
    for (lookup, fetched, at) in came {
        let value = fetched.value.expose();
        if bytes.len() + value.len() <= LIMIT {
            bytes.extend_from_slice(value);
            values.push(KeptValue::new(lookup, fetched, at));
        }
    }
    if values.is_empty() {
        return;
    }
    let count = values.len();
    let Ok(encoded) = plan.encode() else { return };
    let head = Head { plan: encoded, values };
    let Ok(head) = serde_json::to_vec(&head) else { return };
    let mut content = Zeroizing::new(Vec::with_capacity(head.len() + 1 + bytes.len()));
    content.extend_from_slice(&head);
    content.push(b'\n');
    content.extend_from_slice(&bytes);
    let access = Access { mode: 0o400, group: None };
    let mount = MemoryVolume::Files.path(args, plan);
    match single_file::put(&mount, UNFINISHED, &content, access) {
        Ok(_) => info!(sources = count, "what came is kept for the next start of this container"),
        Err(error) => debug!("what came could not be kept: {error}"),
    }
}

/// What an earlier start of this container left, by lookup; it is gone afterwards.
pub(crate) fn take(args: &Args, plan: &Plan) -> HashMap<usize, Kept> {
    let mount = MemoryVolume::Files.path(args, plan);
    let content = bounded::read(&mount.join(UNFINISHED), 2 * LIMIT);
    single_file::remove(&mount, UNFINISHED);
    let kept = content.ok().and_then(|content| read(content.expose(), plan));
    let now = since_boot();
    let mut kept = kept.unwrap_or_default();
    let staleness = plan.mode().refresh().and_then(Refresh::max_staleness);
    let oldest = staleness.map_or(YOUNG, |staleness| staleness.min(YOUNG));
    kept.retain(|_, kept| now.checked_sub(kept.at).is_some_and(|age| age < oldest));
    kept
}

impl Kept {
    pub(crate) fn at(&self) -> Duration {
        self.at
    }
}

fn read(content: &[u8], plan: &Plan) -> Option<HashMap<usize, Kept>> {
    let end = content.iter().position(|byte| *byte == b'\n')?;
    let (head, mut rest) = content.split_at_checked(end + 1)?;
    let head: Head = serde_json::from_slice(head).ok()?;
    // A place among the lookups means something in this plan alone.
    if plan.encode().ok()? != head.plan {
        return None;
    }
    let mut kept = HashMap::new();
    for value in head.values {
        let (bytes, others) = rest.split_at_checked(value.size)?;
        rest = others;
        kept.insert(value.lookup, value.kept(Sensitive::new(bytes.to_vec())));
    }
    rest.is_empty().then_some(kept)
}

impl KeptValue {
    fn new(lookup: usize, fetched: &Fetched, at: Duration) -> Self {
        let Fetched { value, version, request_id, metadata, caller, attempts: _, elapsed: _ } =
            fetched;
        let Metadata {
            binary,
            name,
            kind,
            stages,
            created,
            automatic_rotation,
            last_rotation,
            next_rotation,
            rotation_interval,
        } = metadata.clone();
        Self {
            lookup,
            size: value.len(),
            at,
            version: version.clone(),
            request_id: request_id.clone(),
            caller: caller.clone(),
            binary,
            facts: [
                name,
                kind,
                created,
                automatic_rotation,
                last_rotation,
                next_rotation,
                rotation_interval,
            ],
            stages,
        }
    }

    fn kept(self, value: Sensitive) -> Kept {
        let [
            name,
            kind,
            created,
            automatic_rotation,
            last_rotation,
            next_rotation,
            rotation_interval,
        ] = self.facts;
        let metadata = Metadata {
            binary: self.binary,
            name,
            kind,
            stages: self.stages,
            created,
            automatic_rotation,
            last_rotation,
            next_rotation,
            rotation_interval,
        };
        let fetched = Fetched {
            value,
            version: self.version,
            request_id: self.request_id,
            metadata,
            caller: self.caller,
            attempts: 0,
            elapsed: Duration::ZERO,
        };
        Kept { fetched, at: self.at }
    }
}
