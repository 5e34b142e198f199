//! The identity that a Pod has in the cloud: its credentials, each kind a file below.

mod asker;
mod ecs_ram_role;
mod ram_role;
mod role_session;
mod rrsa;
mod secret;
mod session;
mod sts_endpoint;

use plan::{Credentials, Principal, Region};

use self::asker::Asker;
pub(super) use self::ram_role::check_assumed;
use crate::ask::annotations::{RequestedCredentials, SecretsRequest};
use crate::facts::Subject;
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
    let asker = Asker { request, subject, account_name, region, settings };
    Some(match &request.credentials {
        RequestedCredentials::Rrsa => Credentials::Rrsa(rrsa::of_pod(asker, judge, problems)?),
        RequestedCredentials::EcsRamRole(name) => {
            Credentials::EcsRamRole(ecs_ram_role::of_pod(name.as_ref(), asker, judge, problems)?)
        }
        RequestedCredentials::Secret(name) => {
            Credentials::Secret(secret::of_pod(name, asker, judge, problems)?)
        }
    })
}
