//! The identity of a Pod by RRSA: a role, in exchange for the token of its ServiceAccount.

use plan::{Host, ProviderArn, Region, RoleArn, Rrsa};

use super::{ram_role, session};
use crate::account::Subject;
use crate::ask::annotations::{Given, SecretsRequest};
use crate::decide::endpoint;
use crate::problem::{Problem, Problems};
use crate::settings::Settings;
use crate::settings::comparisons::Comparisons;
use crate::settings::service::Service;

const DURATION: u32 = 3600;

pub(super) fn of_pod(
    request: &SecretsRequest<'_>,
    subject: &Subject<'_>,
    account_name: &str,
    region: Option<&Region>,
    settings: &Settings,
    comparisons: &mut Comparisons,
    problems: &mut Problems,
) -> Option<Rrsa> {
    let role = ram_role::of_pod(request, subject, account_name, settings, comparisons, problems);
    let provider = role.as_ref().and_then(|role| provider(request, role, settings, problems));
    let endpoint = sts_endpoint(request, region, settings, problems);
    let (role, provider, region, endpoint) = (role?, provider?, region?.clone(), endpoint?);
    let session = session::of_pod(request, subject.namespace, account_name, problems)?;
    let duration = request.role_session_expiration.unwrap_or(DURATION);
    Some(Rrsa { role, provider, session, duration, region, endpoint })
}

fn sts_endpoint(
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

fn provider(
    request: &SecretsRequest<'_>,
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
