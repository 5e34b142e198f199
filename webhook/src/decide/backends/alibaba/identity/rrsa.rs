//! The identity of a Pod by RRSA: a role, in exchange for the token of its ServiceAccount.

use plan::{Principal, ProviderArn, Region, RoleArn, Rrsa};

use super::{ram_role, session, sts_endpoint};
use crate::account::Subject;
use crate::ask::annotations::{Given, SecretsRequest};
use crate::problem::{Problem, Problems};
use crate::settings::Settings;

const DURATION: u32 = 3600;

pub(super) fn of_pod(
    request: &SecretsRequest<'_>,
    subject: &Subject<'_>,
    account_name: &str,
    region: Option<&Region>,
    settings: &Settings,
    judge: impl FnOnce(Principal<'_>, &mut Problems),
    problems: &mut Problems,
) -> Option<Rrsa> {
    let role = ram_role::of_pod(request, subject, account_name, settings, problems);
    if let Some(role) = &role {
        judge(Principal::Role(role), problems);
    }
    let provider = role.as_ref().and_then(|role| provider(request, role, settings, problems));
    let endpoint = sts_endpoint::of_pod(request, region, settings, problems);
    let (role, provider, region, endpoint) = (role?, provider?, region?.clone(), endpoint?);
    let session = session::of_pod(request, subject.namespace, account_name, problems)?;
    let duration = request.role_session_expiration.unwrap_or(DURATION);
    Some(Rrsa { role, provider, session, duration, region, endpoint })
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
