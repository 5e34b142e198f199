//! A lookup in Alibaba Cloud.

use crate::cloud::{Assume, Host, Region};
use crate::source::AlibabaSource;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AlibabaLookup {
    pub source: AlibabaSource,
    pub region: Region,
    pub endpoint: Option<Host>,
    /// The role that is assumed on top of the Pod's own.
    pub assume: Option<Assume>,
}

impl AlibabaLookup {
    /// What tells it from others of the same source.
    pub(super) fn place(&self, others: &[&Self]) -> String {
        let mut parts = Vec::new();
        if others.iter().any(|other| other.region != self.region) {
            parts.push(format!("in {}", self.region));
        }
        if others.iter().any(|other| other.endpoint != self.endpoint) {
            parts.push(match &self.endpoint {
                Some(host) => format!("at {host}"),
                None => "at the region's endpoint".to_owned(),
            });
        }
        if others.iter().any(|other| other.assume != self.assume) {
            parts.push(match &self.assume {
                Some(assume) => format!("as {}", assume.role),
                None => "as the Pod's own role".to_owned(),
            });
        }
        parts.join(", ")
    }

    /// At the host of the region, asked by the Pod itself.
    #[must_use]
    pub fn in_region(source: AlibabaSource, region: Region) -> Self {
        Self { source, region, endpoint: None, assume: None }
    }
}
