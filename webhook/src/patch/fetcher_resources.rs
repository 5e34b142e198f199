//! Resources of our containers, as typed JSON.

use serde::Serialize;

use crate::quantity::WrittenQuantity;

#[derive(Debug, Serialize)]
pub(crate) struct FetcherResources {
    pub(crate) requests: RequestAndLimit,
    pub(crate) limits: RequestAndLimit,
    /// Requests are the limits because of the Pod's class, and stay so when others size the
    /// container.
    #[serde(skip)]
    pub(crate) guaranteed: bool,
}

#[derive(Debug, Serialize)]
pub(crate) struct RequestAndLimit {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cpu: Option<WrittenQuantity>,
    pub(crate) memory: WrittenQuantity,
    #[serde(rename = "ephemeral-storage", skip_serializing_if = "Option::is_none")]
    pub(crate) storage: Option<WrittenQuantity>,
}
