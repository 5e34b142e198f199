//! One value that an annotation asks for.

use plan::{ExternalId, Region, RoleArn, Selector, Source};

use super::place::Place;

/// One value that an annotation asks for, with what it says about where the value is.
#[derive(Debug)]
pub(crate) struct SecretRef {
    pub(crate) place: Place,
    pub(crate) source: Source,
    pub(crate) selector: Option<Selector>,
    pub(crate) at: Location,
}

/// A host name has at most 253 bytes; the rest is room for `{region}`.
pub(crate) const LONGEST_ENDPOINT: usize = 512;

/// What is wrong with an endpoint that is too long, and the remedy.
pub(crate) fn too_long(endpoint: &str) -> Option<(String, String)> {
    (endpoint.len() > LONGEST_ENDPOINT).then(|| {
        (
            format!(
                "the endpoint {endpoint:.64}… has {} bytes, and no host name has",
                endpoint.len()
            ),
            "write a host name".to_owned(),
        )
    })
}

/// What one object says about place and caller; the Pod and the settings fill the rest.
#[derive(Clone, Debug, Default)]
pub(crate) struct Location {
    pub(crate) region: Option<Region>,
    pub(crate) endpoint: Option<String>,
    pub(crate) cross_account_role: Option<RoleArn>,
    pub(crate) external_id: Option<ExternalId>,
}
