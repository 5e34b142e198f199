//! The identity that a Pod has in the cloud; its parts, and the places of its secrets, are below.

mod places;
mod ram_role;
mod reads;
mod session;

use plan::{Host, Identity, ProviderArn, Region, RoleArn};

pub(crate) use self::places::{Placed, Places, check_regions};
pub(crate) use self::ram_role::check_assumed;
pub(crate) use self::reads::{check as check_reads, of_agent as agent_reads};
use crate::account::Subject;
use crate::ask::annotations::{Given, Request};
use crate::decide::endpoint;
use crate::problem::{Problem, Problems};
use crate::settings::Settings;
use crate::settings::comparisons::Comparisons;
use crate::settings::service::Service;

const DURATION: u32 = 3600;

/// The Pod's identity, from its annotations, its ServiceAccount and the settings, in this order.
pub(crate) fn resolve(
    request: &Request<'_>,
    subject: &Subject<'_>,
    account_name: &str,
    region: Option<&Region>,
    settings: &Settings,
    comparisons: &mut Comparisons,
    problems: &mut Problems,
) -> Option<Identity> {
    let role = ram_role::of_pod(request, subject, account_name, settings, comparisons, problems);
    let provider = role.as_ref().and_then(|role| provider(request, role, settings, problems));
    let endpoint = sts_endpoint(request, region, settings, problems);
    let (role, provider, region, endpoint) = (role?, provider?, region?.clone(), endpoint?);
    let session = session::of_pod(request, subject.namespace, account_name, problems)?;
    let duration = request.role_session_expiration.unwrap_or(DURATION);
    Some(Identity { role, provider, session, duration, region, endpoint })
}

fn sts_endpoint(
    request: &Request<'_>,
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

fn provider(
    request: &Request<'_>,
    role: &RoleArn,
    settings: &Settings,
    problems: &mut Problems,
) -> Option<ProviderArn> {
    match request.oidc_provider_arn() {
        Given::Value(provider) => return Some(provider.clone()),
        Given::Bad => return None,
        Given::Nothing => {}
    }
    let provider = settings.oidc_provider(role);
    if provider.is_none() {
        problems.push(Problem::annotation(
            "oidc-provider-arn",
            "no OIDC provider is known for this cluster",
            "ask the operator for clusterId (or oidcProviderArn) in the settings, or set the annotation",
        ));
    }
    provider
}
