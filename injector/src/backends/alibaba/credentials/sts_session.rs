//! How STS is asked for a role, whatever it is asked with.

use cloud::endpoint::host;
use cloud::provider::StsSession;
use cloud::{Network, Service};
use plan::RoleSession;

/// How STS is asked, in the words of the client.
pub(super) fn sts(session: &RoleSession, network: Network) -> StsSession {
    StsSession {
        endpoint: match &session.endpoint {
            Some(endpoint) => endpoint.to_string(),
            None => host(Service::Sts, session.region.as_str(), network),
        },
        session_name: session.session.to_string(),
        duration: session.duration,
    }
}
