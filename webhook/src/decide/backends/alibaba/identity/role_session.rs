//! How STS is asked for a role, be it the Pod's own or one on top of it.

use plan::RoleSession;

use super::asker::Asker;
use super::{session, sts_endpoint};
use crate::problem::{PREFIX, Problem, Problems};

const DURATION: u32 = 3600;

pub(super) fn of_pod(asker: Asker<'_>, problems: &mut Problems) -> Option<RoleSession> {
    let Asker { request, subject, account_name, region, settings } = asker;
    let endpoint = sts_endpoint::of_pod(request, region, settings, problems);
    let session = session::of_pod(request, subject.namespace, account_name, problems);
    let duration = request.role_session_expiration.unwrap_or(DURATION);
    Some(RoleSession { session: session?, duration, region: region?.clone(), endpoint: endpoint? })
}

/// Annotations that say a role mean nothing where credentials of another kind say theirs.
pub(super) fn refuse_role(asker: Asker<'_>, instead: &str, problems: &mut Problems) {
    for key in ["role-arn", "oidc-provider-arn"] {
        if asker.request.given.contains(&key) {
            let kind = asker.request.credentials.kind().as_str();
            let what = format!("it says a role for rrsa, and the Pod asks for credentials {kind}");
            let remedy = format!(
                "{instead}, or name a role that is assumed on top in {PREFIX}cross-account-role-arn"
            );
            problems.push(Problem::annotation(key, what, remedy));
        }
    }
}
