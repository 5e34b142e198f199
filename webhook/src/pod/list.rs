//! Lists of a Pod, of which little more is kept than a Pod may have: what comes behind is counted and
//! skipped, so that memory does not follow a body that is made of empty entries. Whether it was too
//! much is said by the limits, and only of a Pod that wants something of us.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};

/// Entries that are kept of a list: more than the limits let through, so that nothing of a Pod
/// within them goes unseen.
pub(super) const MAX_KEPT: usize = 4096;

/// A list of which the first entries are kept.
#[derive(Debug)]
pub(crate) struct Capped<T> {
    kept: Vec<T>,
    /// How many the whole list has.
    count: usize,
}

impl<T> Capped<T> {
    pub(super) fn count(&self) -> usize {
        self.count
    }
}

impl<T> Default for Capped<T> {
    fn default() -> Self {
        Self { kept: Vec::new(), count: 0 }
    }
}

impl<T> Deref for Capped<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.kept
    }
}

impl<'c, T> IntoIterator for &'c Capped<T> {
    type Item = &'c T;
    type IntoIter = std::slice::Iter<'c, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.kept.iter()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Capped<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Capped<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut kept = Vec::new();
                while kept.len() < MAX_KEPT {
                    match list.next_element()? {
                        Some(entry) => kept.push(entry),
                        None => return Ok(Capped { count: kept.len(), kept }),
                    }
                }
                let count = MAX_KEPT + rest(list)?;
                Ok(Capped { kept, count })
            }
        }
        deserializer.deserialize_seq(Entries(PhantomData))
    }
}

/// How many more there are.
pub(super) fn rest<'de, A: SeqAccess<'de>>(mut list: A) -> Result<usize, A::Error> {
    let mut count = 0;
    while list.next_element::<IgnoredAny>()?.is_some() {
        count += 1;
    }
    Ok(count)
}
