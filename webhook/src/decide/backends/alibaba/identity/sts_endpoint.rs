//! Where STS is asked, for credentials or for a role on top of them.

use plan::{Host, Region};

use crate::ask::annotations::SecretsRequest;
use crate::decide::backends::alibaba::endpoint;
use crate::problem::{Problem, Problems};
use crate::settings::Settings;
use crate::settings::service::Service;

/// The host that the Pod or the settings name; that of the region where they name none.
pub(super) fn of_pod(
    request: &SecretsRequest<'_>,
    region: Option<&Region>,
    settings: &Settings,
    problems: &mut Problems,
) -> Option<Option<Host>> {
    let found = match (request.endpoint(Service::Sts), settings.endpoint(Service::Sts)) {
        (Some(text), _) => endpoint::allowed(text, Service::Sts, region, settings, problems),
        (None, Some(text)) => endpoint::filled(text, region),
        (None, None) => return Some(None),
    };
    match found {
        Ok(host) => Some(Some(host)),
        Err((what, remedy)) => {
            problems.push(Problem::annotation("sts-endpoint", what, remedy));
            None
        }
    }
}
