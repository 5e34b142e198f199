//! The identity of a Pod by RRSA: a role, in exchange for the token of its ServiceAccount.

use plan::{Principal, ProviderArn, RoleArn, Rrsa};

use super::asker::Asker;
use super::{ram_role, role_session};
use crate::ask::annotations::{Given, SecretsRequest};
use crate::problem::{Problem, Problems};
use crate::settings::Settings;

pub(super) fn of_pod(
    asker: Asker<'_>,
    judge: impl FnOnce(Principal<'_>, &mut Problems),
    problems: &mut Problems,
) -> Option<Rrsa> {
    let Asker { request, subject, account_name, settings, .. } = asker;
    let role = ram_role::of_pod(request, subject, account_name, settings, problems);
    if let Some((role, _)) = &role {
        judge(Principal::Role(role), problems);
    }
    let provider = role.as_ref().and_then(|(role, _)| provider(request, role, settings, problems));
    let sts = role_session::of_pod(asker, problems);
    let (role, named_by) = role?;
    Some(Rrsa { role, named_by, provider: provider?, sts: sts? })
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
