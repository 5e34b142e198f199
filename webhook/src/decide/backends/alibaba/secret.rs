//! A secret of Alibaba Cloud that a Pod wants, with where it is fetched.

use plan::{AlibabaLookup, AlibabaSource, Region};

use crate::ask::secrets::SecretRef;
use crate::decide::backends::unplaced::Unplaced;

pub(in crate::decide::backends) struct AlibabaSecret<'a> {
    pub(in crate::decide::backends) secret: &'a SecretRef,
    pub(in crate::decide::backends) source: &'a AlibabaSource,
    pub(in crate::decide::backends) lookup: Result<&'a AlibabaLookup, Unplaced>,
}

impl AlibabaSecret<'_> {
    pub(super) fn has_no_region(&self) -> bool {
        self.lookup == Err(Unplaced::Unknown)
    }

    pub(super) fn region(&self) -> Option<&Region> {
        self.lookup.ok().map(|lookup| &lookup.region)
    }
}
