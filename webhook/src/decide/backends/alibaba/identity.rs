//! The identity that a Pod has in the cloud: its credentials, each kind a file below.

mod ram_role;
mod rrsa;
mod session;
mod sts_endpoint;

use plan::{Credentials, Principal, Region};

pub(super) use self::ram_role::check_assumed;
use crate::account::Subject;
use crate::ask::annotations::{RequestedCredentials, SecretsRequest};
use crate::problem::Problems;
use crate::settings::Settings;
use crate::settings::comparisons::Comparisons;

/// From the Pod's annotations, its ServiceAccount and the settings, in this order.
pub(super) fn credentials(
    request: &SecretsRequest<'_>,
    subject: &Subject<'_>,
    account_name: &str,
    region: Option<&Region>,
    settings: &Settings,
    comparisons: &mut Comparisons,
    problems: &mut Problems,
) -> Option<Credentials> {
    let kind = request.credentials.kind();
    // The file of each kind gets this, so that none forgets it: what it leaves unused does not compile.
    let judge = |principal: Principal<'_>, problems: &mut Problems| {
        ram_role::check(principal, kind, subject, settings, comparisons, problems);
    };
    Some(match &request.credentials {
        RequestedCredentials::Rrsa => Credentials::Rrsa(rrsa::of_pod(
            request,
            subject,
            account_name,
            region,
            settings,
            judge,
            problems,
        )?),
    })
}
