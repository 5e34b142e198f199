//! What each kind of credentials is decided from.

use plan::Region;

use crate::ask::annotations::SecretsRequest;
use crate::facts::Subject;
use crate::settings::Settings;

/// The Pod that asks, with what it and its operator say.
#[derive(Clone, Copy)]
pub(super) struct Asker<'a> {
    pub(super) request: &'a SecretsRequest<'a>,
    pub(super) subject: &'a Subject<'a>,
    pub(super) account_name: &'a str,
    /// The region whose STS is asked where no endpoint is named.
    pub(super) region: Option<&'a Region>,
    pub(super) settings: &'a Settings,
}
