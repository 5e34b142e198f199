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
    /// At the host of the region, asked by the Pod itself.
    #[must_use]
    pub fn in_region(source: AlibabaSource, region: Region) -> Self {
        Self { source, region, endpoint: None, assume: None }
    }
}
