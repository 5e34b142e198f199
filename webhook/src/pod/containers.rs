//! The Pod's two lists of containers.

use std::fmt;
use std::ops::Deref;

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};

use super::container::Container;
use super::counts::PodCounts;
use super::list::rest;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum List {
    Init,
    Main,
}

impl List {
    pub(crate) fn pointer(self) -> &'static str {
        match self {
            Self::Init => "/spec/initContainers",
            Self::Main => "/spec/containers",
        }
    }
}

/// Containers, as long as they and what they hold stay within the limits.
#[derive(Debug, Default)]
pub(crate) struct Containers<'a> {
    kept: Vec<Container<'a>>,
    /// The whole list is counted; what containers hold is counted as long as they are kept.
    counts: PodCounts,
}

impl Containers<'_> {
    pub(super) fn counts(&self) -> PodCounts {
        self.counts
    }
}

impl<'a> Deref for Containers<'a> {
    type Target = [Container<'a>];

    fn deref(&self) -> &[Container<'a>] {
        &self.kept
    }
}

impl<'c, 'a> IntoIterator for &'c Containers<'a> {
    type Item = &'c Container<'a>;
    type IntoIter = std::slice::Iter<'c, Container<'a>>;

    fn into_iter(self) -> Self::IntoIter {
        self.kept.iter()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Containers<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Containers<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of containers")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut found = Containers::default();
                while found.counts.are_within() {
                    match list.next_element()? {
                        Some(container) => {
                            found.counts.add(&container);
                            found.kept.push(container);
                        }
                        None => return Ok(found),
                    }
                }
                found.counts.add_skipped_containers(rest(list)?);
                Ok(found)
            }
        }
        deserializer.deserialize_seq(Entries)
    }
}
