//! Names that the keys of secrets have: those that applications see, and those that they saw until files
//! were removed. A secret whose files are gone for a while finds its names again, whoever wants them
//! meanwhile, and after a restart too: the names of removed files lie beside the generations for that.

use std::collections::BTreeMap;

use plan::Plan;
use serde::{Deserialize, Serialize};
use tracing::debug;

use super::directory::REMOVED_KEYS;
use super::holds::Holds;
use super::single_file::{self, Access};
use super::volumes::current_content;
use crate::input::args::Args;
use crate::input::entry::{Entry, Form, MemoryVolume};
use crate::process::bounded;

/// By the places of entries.
#[derive(Debug, Default)]
pub(crate) struct KeyNames(BTreeMap<usize, Vec<String>>);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptNames {
    entry: usize,
    /// The entry's own file: a place alone means something in one plan only.
    file: String,
    names: Vec<String>,
}

/// The longest names of all keys that a plan may have.
const LIMIT: usize = 8 * 1024 * 1024;

impl KeyNames {
    /// What an earlier process left, and what applications see.
    pub(crate) fn known(args: &Args, plan: &Plan, entries: &[Entry<'_>], holds: &Holds) -> Self {
        let mut known = Self::left(args, plan, entries);
        known.look(args, plan, entries, holds);
        known
    }

    /// Learns what applications see. Of files that are gone the names stay.
    pub(crate) fn look(&mut self, args: &Args, plan: &Plan, entries: &[Entry<'_>], holds: &Holds) {
        for (at, entry) in entries.iter().enumerate().filter(|(_, entry)| has_keys(entry)) {
            if let Ok(Some(names)) = current_content(args, plan, entry, holds) {
                self.0.insert(at, entry.files_of_keys(&names));
            }
        }
    }

    /// The names that belong to the keys of this entry.
    pub(crate) fn of(&self, at: usize) -> &[String] {
        self.0.get(&at).map_or(&[], Vec::as_slice)
    }

    /// Leaves the names of these entries to the next process. Returns whether they could be written.
    pub(crate) fn leave(
        &self,
        args: &Args,
        plan: &Plan,
        entries: &[Entry<'_>],
        is_removed: impl Fn(&Entry<'_>) -> bool,
    ) -> bool {
        let removed = entries.iter().enumerate().filter(|(_, entry)| is_removed(entry));
        let kept: Vec<KeptNames> = removed
            .filter_map(|(at, entry)| {
                let names = self.0.get(&at)?.clone();
                Some(KeptNames { entry: at, file: entry.name.to_string(), names })
            })
            .collect();
        if kept.is_empty() {
            return true;
        }
        let Ok(json) = serde_json::to_vec(&kept) else { return false };
        let access = Access { mode: 0o400, group: None };
        match single_file::put(&MemoryVolume::Files.path(args, plan), REMOVED_KEYS, &json, access) {
            Ok(_) => true,
            Err(error) => {
                debug!("the names of removed keys were not written: {error}");
                false
            }
        }
    }

    fn left(args: &Args, plan: &Plan, entries: &[Entry<'_>]) -> Self {
        if !entries.iter().any(has_keys) {
            return Self::default();
        }
        let path = MemoryVolume::Files.path(args, plan).join(REMOVED_KEYS);
        let content = bounded::read(&path, LIMIT).ok();
        let kept = content.and_then(|json| serde_json::from_slice(json.expose()).ok());
        let kept: Vec<KeptNames> = kept.unwrap_or_default();
        let is_of = |kept: &KeptNames| {
            entries.get(kept.entry).is_some_and(|entry| has_keys(entry) && entry.name == kept.file)
        };
        Self(kept.into_iter().filter(is_of).map(|kept| (kept.entry, kept.names)).collect())
    }
}

fn has_keys(entry: &Entry<'_>) -> bool {
    matches!(entry.form, Form::AllKeys(_))
}
