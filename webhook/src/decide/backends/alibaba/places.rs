//! Where each secret of a Pod is fetched: in which region, from which host, and with which role on
//! top of the Pod's own.

use plan::{AlibabaLookup, AlibabaSource, Assume, Host, Region};

use super::endpoint::{self, Bad};
use super::secret::AlibabaSecret;
use crate::ask::annotations::{Given, SecretsRequest};
use crate::ask::secrets::SecretRef;
use crate::decide::backends::unplaced::Unplaced;
use crate::problem::{PREFIX, Problem, Problems};
use crate::settings::Settings;
use crate::settings::service::Service;

/// What a Pod and its operator say of all secrets together.
#[derive(Clone, Debug)]
pub(in crate::decide::backends) struct Places<'a> {
    pub(super) request: &'a SecretsRequest<'a>,
    pub(super) settings: &'a Settings,
    region: PodRegion,
}

/// The region of secrets that name none.
#[derive(Clone, Debug)]
enum PodRegion {
    Known(Region),
    Unknown,
    Refused,
}

impl<'a> Places<'a> {
    /// Problems of the Pod's own annotations are found here once, and not for each secret.
    pub(in crate::decide::backends) fn of_pod(
        request: &'a SecretsRequest<'a>,
        settings: &'a Settings,
        problems: &mut Problems,
    ) -> Self {
        let region = match (request.region(), settings.region()) {
            (Given::Value(region), _) => match endpoint::check_region(region, settings, problems) {
                Ok(()) => PodRegion::Known(region.clone()),
                Err((what, remedy)) => {
                    problems.push(Problem::annotation("region", what, remedy));
                    PodRegion::Refused
                }
            },
            // Other problems are found with the operator's region as well as with another.
            (Given::Bad | Given::Nothing, Some(region)) => PodRegion::Known(region.clone()),
            (Given::Bad, None) => PodRegion::Refused,
            (Given::Nothing, None) => PodRegion::Unknown,
        };
        let places = Self { request, settings, region };
        places.check_endpoints(problems);
        places.check_external_id(problems);
        places
    }

    /// The same for what has no region of its own and would be in this one.
    pub(super) fn or_in(mut self, region: Option<&Region>) -> Self {
        if let (PodRegion::Unknown | PodRegion::Refused, Some(region)) = (&self.region, region) {
            self.region = PodRegion::Known(region.clone());
        }
        self
    }

    pub(super) fn region(&self) -> Option<&Region> {
        match &self.region {
            PodRegion::Known(region) => Some(region),
            PodRegion::Unknown | PodRegion::Refused => None,
        }
    }

    pub(in crate::decide::backends) fn lookup(
        &self,
        source: &AlibabaSource,
        secret: &SecretRef,
        problems: &mut Problems,
    ) -> Result<AlibabaLookup, Unplaced> {
        let Self { request, settings, .. } = *self;
        if problems.is_full() {
            return Err(Unplaced::Refused);
        }
        let refuse = |(what, remedy): Bad, problems: &mut Problems| {
            problems.push(secret.place.problem(what, remedy));
            Unplaced::Refused
        };
        let service = Service::of(source);
        let at = &secret.at;
        let own = at.endpoint.as_deref();
        let shared = request.endpoint(service);
        let named = match (&at.region, source.region().map(Region::parse)) {
            (Some(region), _) => Some(region.clone()),
            (None, Some(Ok(region))) => Some(region),
            (None, Some(Err(error))) => {
                return Err(refuse((error.to_string(), String::new()), problems));
            }
            (None, None) => own.or(shared).and_then(endpoint::region_of),
        };
        let region = named.or_else(|| self.region().cloned());
        if let Some(region) = &region
            && let Err(bad) = endpoint::check_region(region, settings, problems)
        {
            return Err(refuse(bad, problems));
        }
        let missing = region.is_none().then_some(self.without_region());
        let endpoint: Option<Host> = match (own, shared, settings.endpoint(service)) {
            (Some(text), _, _) => {
                let host = endpoint::allowed(text, service, region.as_ref(), settings, problems);
                Some(host.map_err(|bad| {
                    let refused = refuse(bad, problems);
                    missing.unwrap_or(refused)
                })?)
            }
            // The Pod's own endpoint was checked as an annotation; here only its region is filled in.
            (None, Some(text), _) => {
                let host = endpoint::allowed(text, service, region.as_ref(), settings, problems);
                Some(host.map_err(|_| missing.unwrap_or(Unplaced::Refused))?)
            }
            (None, None, Some(text)) => {
                let host = endpoint::filled(text, region.as_ref());
                Some(host.map_err(|bad| {
                    let refused = refuse(bad, problems);
                    missing.unwrap_or(refused)
                })?)
            }
            (None, None, None) => None,
        };
        // A shared endpoint that the Pod names says the region, where nothing closer does.
        let of_host = || endpoint.as_ref().and_then(|host| endpoint::region_of(host.as_str()));
        let region = region.or_else(of_host).ok_or(self.without_region())?;
        let assume = match &at.cross_account_role {
            Some(role) => Some(Assume { role: role.clone(), external_id: at.external_id.clone() }),
            None => request.cross_account_role_arn.as_ref().map(|role| Assume {
                role: role.clone(),
                external_id: request.external_id.clone(),
            }),
        };
        Ok(AlibabaLookup { source: source.clone(), region, endpoint, assume })
    }

    /// Why a secret without a region has no place.
    fn without_region(&self) -> Unplaced {
        match self.region {
            PodRegion::Refused => Unplaced::Refused,
            PodRegion::Unknown | PodRegion::Known(_) => Unplaced::Unknown,
        }
    }

    fn check_endpoints(&self, problems: &mut Problems) {
        let Self { request, settings, .. } = *self;
        let endpoints = [("kms-endpoint", Service::Kms), ("oos-endpoint", Service::Oos)];
        // Without a Pod region `{region}` may still be filled in by each secret's own.
        let stand_in = Region::parse("cn-hangzhou").ok();
        let region = self.region().or(stand_in.as_ref());
        for (key, service) in endpoints {
            let Some(text) = request.endpoint(service) else { continue };
            if let Err((what, remedy)) =
                endpoint::allowed(text, service, region, settings, problems)
            {
                problems.push(Problem::annotation(key, what, remedy));
            }
        }
    }

    fn check_external_id(&self, problems: &mut Problems) {
        if self.request.external_id.is_some() && self.request.cross_account_role_arn.is_none() {
            problems.push(Problem::annotation(
                "external-id",
                "an external id belongs to a role of another account",
                format!("add {PREFIX}cross-account-role-arn, or remove it"),
            ));
        }
    }
}

/// One problem where secrets have no region, however many they are.
pub(super) fn check_regions(secrets: &[AlibabaSecret<'_>], problems: &mut Problems) {
    // The place in an annotation, or the annotation where it is of one file alone.
    let place = |asked: &AlibabaSecret<'_>| {
        let place = &asked.secret.place;
        if place.what.is_empty() { place.key.to_string() } else { place.what.clone() }
    };
    let mut without = secrets.iter().filter(|asked| asked.has_no_region());
    let Some(first) = without.next().map(place) else { return };
    let which = match without.count() {
        0 => first,
        more => format!("{first} and {more} more"),
    };
    problems.push(Problem::annotation(
        "region",
        format!("no region is known for {which}"),
        "set the annotation, or region on the object, or ask the operator for a region in the settings",
    ));
}
