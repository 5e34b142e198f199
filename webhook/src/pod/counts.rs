//! How much of everything a Pod has. What stands under names of ours is counted apart: what one
//! call adds must not make the Pod too large for the next.

use super::container::Container;
use super::list::{Capped, MAX_KEPT};
use super::text::Text;
use super::volume::Volume;
use crate::pod::reserved;

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PodCounts {
    pub(super) theirs: Amounts,
    pub(super) ours: Amounts,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Amounts {
    pub(super) containers: usize,
    /// Volumes, mounts, ports and environment variables.
    pub(super) parts: usize,
    /// Names of containers, volumes, mounts, environment variables and added capabilities.
    pub(super) names_bytes: usize,
    /// Words of commands and args.
    pub(super) words: usize,
    /// Those words, paths of mounts, and what else is read for references to variables: each letter is
    /// looked at several times.
    pub(super) texts_bytes: usize,
    /// Added ones, each counted once for each container.
    pub(super) capabilities: usize,
    pub(super) dropped: usize,
}

impl PodCounts {
    /// Whether more may be kept.
    pub(super) fn are_within(&self) -> bool {
        self.theirs.are_within(&MOST) && self.ours.are_within(&MOST_OF_OURS)
    }

    pub(super) fn add(&mut self, container: &Container<'_>) {
        let Container { command, args, env, volume_mounts, ports, security_context, .. } =
            container;
        let whole = reserved::is_container(&container.name);
        for mount in container.mounts() {
            let side = self.side(whole || reserved::is_volume(&mount.name));
            side.parts += 1;
            side.names_bytes += mount.name.len();
            side.texts_bytes += mount.mount_path.len();
            side.texts_bytes += mount.sub_path.as_deref().map_or(0, str::len);
            side.texts_bytes += mount.sub_path_expr.as_deref().map_or(0, str::len);
        }
        for variable in container.env() {
            let side = self.side(whole || variable.is_secret() || variable.is_signal_marker());
            side.parts += 1;
            side.names_bytes += variable.name.len();
            side.texts_bytes += variable.value.as_deref().map_or(0, str::len);
        }
        let command_words = command.as_deref().unwrap_or_default();
        let before = command_words.len() - container.own_command().len();
        let (starter, own) = command_words.split_at_checked(before).unwrap_or_default();
        self.side(true).add_words(starter);
        let side = self.side(whole);
        side.add_words(own);
        side.add_words(args.as_deref().unwrap_or_default());
        side.containers += 1;
        side.names_bytes += container.name.len();
        side.parts += ports.as_ref().map_or(0, Capped::count);
        side.parts += skipped(env.as_ref()) + skipped(volume_mounts.as_ref());
        side.words += skipped(command.as_ref()) + skipped(args.as_ref());
        let added = &security_context.capabilities.add;
        side.capabilities += added.count();
        side.names_bytes += added.iter().map(|name| name.len()).sum::<usize>();
        side.dropped += security_context.capabilities.drop.count();
    }

    pub(super) fn add_volumes(&mut self, volumes: &Capped<Volume<'_>>) {
        for volume in volumes {
            let side = self.side(reserved::is_volume(&volume.name));
            side.parts += 1;
            side.names_bytes += volume.name.len();
        }
        self.theirs.parts += skipped(Some(volumes));
    }

    pub(super) fn add_skipped_containers(&mut self, count: usize) {
        self.theirs.containers += count;
    }

    pub(super) fn plus(&self, other: &Self) -> Self {
        Self { theirs: self.theirs.plus(&other.theirs), ours: self.ours.plus(&other.ours) }
    }

    fn side(&mut self, is_ours: bool) -> &mut Amounts {
        if is_ours { &mut self.ours } else { &mut self.theirs }
    }
}

impl Amounts {
    pub(super) fn are_within(&self, most: &Self) -> bool {
        self.containers <= most.containers
            && self.parts <= most.parts
            && self.names_bytes <= most.names_bytes
            && self.words <= most.words
            && self.texts_bytes <= most.texts_bytes
            && self.capabilities <= most.capabilities
            && self.dropped <= most.dropped
    }

    fn add_words(&mut self, words: &[Text<'_>]) {
        self.words += words.len();
        self.texts_bytes += words.iter().map(|word| word.len()).sum::<usize>();
    }

    fn plus(&self, other: &Self) -> Self {
        Self {
            containers: self.containers + other.containers,
            parts: self.parts + other.parts,
            names_bytes: self.names_bytes + other.names_bytes,
            words: self.words + other.words,
            texts_bytes: self.texts_bytes + other.texts_bytes,
            capabilities: self.capabilities + other.capabilities,
            dropped: self.dropped + other.dropped,
        }
    }
}

pub(super) const MOST: Amounts = Amounts {
    containers: 256,
    parts: 2048,
    names_bytes: 128 * 1024,
    words: 2048,
    // Linux gives a program no more than that in one word, and an answer repeats the command that
    // it wraps.
    texts_bytes: 128 * 1024,
    capabilities: 512,
    // Some list all that there are.
    dropped: 2048,
};

/// More than is ever added: two containers with plans, and for each other one three mounts, six
/// words and names of variables.
pub(super) const MOST_OF_OURS: Amounts = Amounts {
    containers: 2,
    parts: 1280,
    names_bytes: 64 * 1024,
    words: 2048,
    texts_bytes: 640 * 1024,
    capabilities: 64,
    dropped: 64,
};

const _: () = assert!(MOST.parts + MOST_OF_OURS.parts <= MAX_KEPT);
const _: () = assert!(MOST.words + MOST_OF_OURS.words <= MAX_KEPT);

/// Entries of a list that were not kept.
fn skipped<T>(list: Option<&Capped<T>>) -> usize {
    list.map_or(0, |list| list.count() - list.len())
}
