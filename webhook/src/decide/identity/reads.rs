//! Whether the operator's policy lets a Pod read what it asks for.

use std::collections::HashMap;

use plan::{Glob, Lookup, MAX_LOOKUPS, Principal, Region, Route, Source};

use super::places::Placed;
use crate::account::Subject;
use crate::decide::endpoint;
use crate::problem::Problems;
use crate::settings::Settings;
use crate::settings::comparisons::Comparisons;
use crate::settings::policy::{CredentialsKind, Outside, ReadPlace, Reads};
use crate::settings::service::Service;

/// The one who reads the secrets of a Pod, as the operator's policy sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SecretsReader<'a> {
    /// The Pod itself, on top of which another role may be assumed.
    pub(crate) principal: Principal<'a>,
    pub(crate) credentials: CredentialsKind,
    pub(crate) subject: &'a Subject<'a>,
    pub(crate) settings: &'a Settings,
}

impl<'a> SecretsReader<'a> {
    /// Each secret must be one that the operator lets its reader have, there where it is read.
    pub(crate) fn check(
        self,
        placed: &[&Placed],
        comparisons: &mut Comparisons,
        problems: &mut Problems,
    ) {
        // The rules are looked through once for each role, however much is read with it.
        let mut known: HashMap<&str, Option<Reads<'_>>> = HashMap::new();
        // What is asked for twice is judged once. A Pod that asks for more than a plan has is refused for
        // that, and no rule is looked at for the rest.
        let mut judged: HashMap<(&Source, Option<&Lookup>), Option<Outside>> = HashMap::new();
        for Placed { secret, lookup } in placed {
            let lookup = lookup.as_ref().ok();
            if problems.is_full() || judged.len() > MAX_LOOKUPS {
                return;
            }
            let principal = self.of_lookup(lookup);
            let reads = known
                .entry(principal.as_str())
                .or_insert_with(|| self.reads(principal, comparisons));
            let Some(reads) = reads else { continue };
            let outside = judged.entry((&secret.source, lookup)).or_insert_with(|| {
                let place = place(Some(&secret.source), lookup, self.settings);
                reads.check(secret.source.name(), &place, comparisons).err()
            });
            if comparisons.is_spent() {
                return;
            }
            let Some(outside) = outside else { continue };
            let (at, remedy) = match outside {
                Outside::Name => (String::new(), "list a secret that it allows"),
                Outside::Region(region) => {
                    (format!(" in region {region}"), "name a region that it allows")
                }
                Outside::Host(host) => (format!(" from {host}"), "leave the endpoint out"),
            };
            let (namespace, name) = (self.subject.namespace, secret.source.name());
            // A denial names rules without their patterns: the client that posts a review chooses
            // its namespace.
            let rules = reads.rules();
            problems.push(secret.place.problem(
                format!(
                    "namespace {namespace} may not read {name:.64}{at} with this role: {rules} does not allow it"
                ),
                format!("{remedy}, or ask the operator for a rule"),
            ));
        }
    }

    /// Names of KMS secrets that an agent may be asked for where it looks up what its Pod does not
    /// list; `None` is all.
    pub(crate) fn of_agent(
        self,
        lookup: &Lookup,
        comparisons: &mut Comparisons,
    ) -> Option<Vec<Glob>> {
        let reads = self.reads(self.of_lookup(Some(lookup)), comparisons)?;
        reads.names(&place(None, Some(lookup), self.settings), comparisons)
    }

    fn of_lookup<'l>(self, lookup: Option<&'l Lookup>) -> Principal<'l>
    where
        'a: 'l,
    {
        let assume = lookup.and_then(Lookup::alibaba).and_then(|route| route.assume.as_ref());
        assume.map_or(self.principal, |assume| Principal::Role(&assume.role))
    }

    /// `None` where the policy limits no reading. A role that it does not allow is a problem of the
    /// role.
    fn reads(self, principal: Principal<'_>, comparisons: &mut Comparisons) -> Option<Reads<'a>> {
        let (namespace, kind) = (self.subject.namespace, self.credentials);
        let reads = self.settings.policy().reads(namespace, principal, kind, comparisons)?;
        (!reads.is_empty()).then_some(reads)
    }
}

/// Without a lookup the name alone counts. An agent that looks secrets up asks KMS, and has no
/// `source`.
fn place<'a>(
    source: Option<&Source>,
    lookup: Option<&'a Lookup>,
    settings: &Settings,
) -> ReadPlace<'a> {
    let product = source.map_or(Service::Kms, Service::of);
    let Some(lookup) = lookup else {
        return ReadPlace { product, regions: Vec::new(), host: None };
    };
    let Route::Alibaba(route) = &lookup.route;
    let operators = settings
        .endpoint(product)
        .and_then(|text| endpoint::filled(text, Some(&route.region)).ok());
    let named = route.endpoint.as_ref().filter(|host| operators.as_ref() != Some(*host));
    let region = named.and_then(|host| endpoint::shared_region(host.as_str(), product));
    let host = named.filter(|_| region.as_ref() != Some(&route.region));
    // A name may say a region of its own, whichever is asked.
    let in_name = source.and_then(Source::region);
    let in_name = in_name.and_then(|region| Region::parse(region).ok());
    let regions = [Some(route.region.clone()), region, in_name].into_iter().flatten().collect();
    ReadPlace { product, regions, host }
}
