//! Who the Pod is in the cloud, and where each of its values is asked for.

mod reads;
mod role;
mod session;

use plan::{Assume, Host, Identity, Lookup, ProviderArn, Region, RoleArn};

pub(crate) use self::reads::{check as check_reads, of_agent as agent_reads};
pub(crate) use self::role::check_assumed;
use crate::annotations::{self, PREFIX, Request};
use crate::comparisons::Comparisons;
use crate::endpoint::{self, Bad, Service};
use crate::inject::Subject;
use crate::problem::Problems;
use crate::secrets::Asked;
use crate::settings::Settings;

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
    let role = role::of_pod(request, subject, account_name, settings, comparisons, problems);
    let provider = role.as_ref().and_then(|role| provider(request, role, settings, problems));
    let endpoint = sts_endpoint(request, region, settings, problems);
    let (role, provider, region, endpoint) = (role?, provider?, region?.clone(), endpoint?);
    let session = session::of_pod(request, subject.namespace, account_name, problems)?;
    let duration = request.role_session_expiration.unwrap_or(DURATION);
    Some(Identity { role, provider, session, duration, region, endpoint })
}

/// The region of a Pod where an object names none.
pub(crate) fn pod_region(
    request: &Request<'_>,
    settings: &Settings,
    problems: &mut Problems,
) -> Option<Region> {
    if let Some(region) = &request.region {
        return match endpoint::check_region(region, settings, problems) {
            Ok(()) => Some(region.clone()),
            Err((what, remedy)) => {
                problems.push(annotations::problem("region", what, remedy));
                None
            }
        };
    }
    settings.region().cloned()
}

/// Where one value is asked for, and as whom.
pub(crate) fn lookup(
    asked: &Asked,
    request: &Request<'_>,
    pod_region: Option<&Region>,
    settings: &Settings,
    problems: &mut Problems,
) -> Option<Lookup> {
    let fail = |(what, remedy): Bad, problems: &mut Problems| {
        problems.push(asked.place.problem(what, remedy));
    };
    let service = Service::of(asked.source.provider());
    let at = &asked.at;
    let own = at.endpoint.as_deref();
    let shared = match service {
        Service::Kms => request.kms_endpoint,
        Service::Oos | Service::Sts => request.oos_endpoint,
    };
    let named = match &at.region {
        Some(region) => Some(region.clone()),
        None => match asked.source.arn_region().map(Region::parse) {
            Some(Ok(region)) => Some(region),
            Some(Err(error)) => {
                fail((error.to_string(), String::new()), problems);
                return None;
            }
            None => own.or(shared).and_then(endpoint::region_of),
        },
    };
    let region = named.or_else(|| pod_region.cloned());
    if let Some(region) = &region
        && let Err(bad) = endpoint::check_region(region, settings, problems)
    {
        fail(bad, problems);
        return None;
    }
    let endpoint = match (own, shared, settings.endpoint(service)) {
        (Some(text), _, _) => {
            Some(endpoint::allowed(text, service, region.as_ref(), settings, problems))
        }
        // The Pod's own endpoint was checked as an annotation; here only its region is filled in.
        (None, Some(text), _) => {
            match endpoint::allowed(text, service, region.as_ref(), settings, problems) {
                Ok(host) => Some(Ok(host)),
                Err(_) => return None,
            }
        }
        (None, None, Some(text)) => Some(endpoint::filled(text, region.as_ref())),
        (None, None, None) => None,
    };
    let endpoint: Option<Host> = match endpoint.transpose() {
        Ok(endpoint) => endpoint,
        Err(bad) => {
            fail(bad, problems);
            return None;
        }
    };
    // A shared endpoint that the Pod names says the region, where nothing closer does.
    let region =
        region.or_else(|| endpoint.as_ref().and_then(|host| endpoint::region_of(host.as_str())));
    // Said once for all sources, by `check_regions`.
    let region = region?;
    let assume = match &at.cross_account_role {
        Some(role) => Some(Assume { role: role.clone(), external_id: at.external_id.clone() }),
        None => request
            .cross_account_role_arn
            .as_ref()
            .map(|role| Assume { role: role.clone(), external_id: request.external_id.clone() }),
    };
    Some(Lookup { source: asked.source.clone(), region, endpoint, assume })
}

/// One problem where sources have no region, however many they are. A region annotation that is
/// bad has been told already.
pub(crate) fn check_regions(
    asked: &[&Asked],
    lookups: &[Option<Lookup>],
    request: &Request<'_>,
    region: Option<&Region>,
    problems: &mut Problems,
) {
    if region.is_some() || request.region.is_some() || request.is_bad("region") {
        return;
    }
    let without = asked.iter().zip(lookups).filter(|(asked, lookup)| {
        lookup.is_none() && asked.at.region.is_none() && asked.source.arn_region().is_none()
    });
    // The place in an annotation, or the annotation where it is of one file alone.
    let place = |asked: &'_ &Asked| match asked.place.what.as_str() {
        "" => asked.place.key.to_string(),
        what => what.to_owned(),
    };
    let places: Vec<_> = without.map(|(asked, _)| place(asked)).collect();
    let Some(first) = places.first() else { return };
    let which = match places.len() {
        1 => first.clone(),
        n => format!("{first} and {} more", n - 1),
    };
    problems.push(annotations::problem(
        "region",
        format!("no region is known for {which}"),
        "set the annotation, or region on the object, or ask the operator for a region in the settings",
    ));
}

/// Problems of the endpoint annotations themselves, once and not once for each object.
pub(crate) fn check_endpoints(
    request: &Request<'_>,
    region: Option<&Region>,
    settings: &Settings,
    problems: &mut Problems,
) {
    let endpoints = [
        ("kms-endpoint", request.kms_endpoint, Service::Kms),
        ("oos-endpoint", request.oos_endpoint, Service::Oos),
    ];
    for (key, text, service) in endpoints {
        let Some(text) = text else { continue };
        // Without a Pod region `{region}` may still be filled in by each object's own.
        let stand_in = Region::parse("cn-hangzhou").ok();
        if let Err((what, remedy)) =
            endpoint::allowed(text, service, region.or(stand_in.as_ref()), settings, problems)
        {
            problems.push(annotations::problem(key, what, remedy));
        }
    }
    if request.external_id.is_some() && request.cross_account_role_arn.is_none() {
        problems.push(annotations::problem(
            "external-id",
            "an external id belongs to a role of another account",
            format!("add {PREFIX}cross-account-role-arn, or remove it"),
        ));
    }
}

fn sts_endpoint(
    request: &Request<'_>,
    region: Option<&Region>,
    settings: &Settings,
    problems: &mut Problems,
) -> Option<Option<Host>> {
    let found = match (request.sts_endpoint, settings.endpoint(Service::Sts)) {
        (Some(text), _) => endpoint::allowed(text, Service::Sts, region, settings, problems),
        (None, Some(text)) => endpoint::filled(text, region),
        (None, None) => return Some(None),
    };
    match found {
        Ok(host) => Some(Some(host)),
        Err((what, remedy)) => {
            problems.push(annotations::problem("sts-endpoint", what, remedy));
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
    if request.oidc_provider_arn.is_some() || request.is_bad("oidc-provider-arn") {
        return request.oidc_provider_arn.clone();
    }
    let provider = settings.oidc_provider(role);
    if provider.is_none() {
        problems.push(annotations::problem(
            "oidc-provider-arn",
            "no OIDC provider is known for this cluster",
            "ask the operator for clusterId (or oidcProviderArn) in the settings, or set the annotation",
        ));
    }
    provider
}
