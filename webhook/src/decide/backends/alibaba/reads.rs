//! Whether the operator's policy lets a Pod read what it asks for.

use std::borrow::Cow;
use std::collections::HashMap;

use plan::{AlibabaLookup, AlibabaSource, Glob, MAX_LOOKUPS, Principal, Region};

use super::endpoint;
use super::secret::AlibabaSecret;
use crate::facts::Subject;
use crate::problem::Problems;
use crate::settings::Settings;
use crate::settings::comparisons::Comparisons;
use crate::settings::policy::{CredentialsKind, Outside, ReadPlace, Reads};
use crate::settings::service::Service;

/// The one who reads the secrets of a Pod, as the operator's policy sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct SecretsReader<'a> {
    /// The Pod itself, on top of which another role may be assumed.
    pub(super) principal: Principal<'a>,
    pub(super) credentials: CredentialsKind,
    pub(super) subject: &'a Subject<'a>,
    pub(super) settings: &'a Settings,
}

impl<'a> SecretsReader<'a> {
    /// Each secret must be one that the operator lets its reader have, there where it is read.
    pub(super) fn check(
        self,
        secrets: &[AlibabaSecret<'_>],
        comparisons: &mut Comparisons,
        problems: &mut Problems,
    ) {
        // The rules are looked through once for each role, however much is read with it.
        let mut known: HashMap<Cow<'_, str>, Option<Reads<'_>>> = HashMap::new();
        // What is asked for twice is judged once. A Pod that asks for more than a plan has is refused for
        // that, and no rule is looked at for the rest.
        let mut judged: HashMap<(&AlibabaSource, Option<&AlibabaLookup>), Option<Outside>> =
            HashMap::new();
        for AlibabaSecret { secret, source, lookup } in secrets {
            let (source, lookup) = (*source, lookup.ok());
            if problems.is_full() || judged.len() > MAX_LOOKUPS {
                return;
            }
            let principal = self.of_lookup(lookup);
            let reads =
                known.entry(principal.text()).or_insert_with(|| self.reads(principal, comparisons));
            let Some(reads) = reads else { continue };
            let outside = judged.entry((source, lookup)).or_insert_with(|| {
                let place = place(source, lookup, self.settings);
                reads.check(source.name(), &place, comparisons).err()
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
            let (namespace, name) = (self.subject.namespace, source.name());
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
    pub(super) fn of_agent(
        self,
        lookup: &AlibabaLookup,
        comparisons: &mut Comparisons,
    ) -> Option<Vec<Glob>> {
        let reads = self.reads(self.of_lookup(Some(lookup)), comparisons)?;
        reads.names(&place(&lookup.source, Some(lookup), self.settings), comparisons)
    }

    fn of_lookup<'l>(self, lookup: Option<&'l AlibabaLookup>) -> Principal<'l>
    where
        'a: 'l,
    {
        let assume = lookup.and_then(|lookup| lookup.assume.as_ref());
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

/// Without a lookup the name alone counts.
fn place<'a>(
    source: &AlibabaSource,
    lookup: Option<&'a AlibabaLookup>,
    settings: &Settings,
) -> ReadPlace<'a> {
    let product = Service::of(source);
    let Some(lookup) = lookup else {
        return ReadPlace { product, regions: Vec::new(), host: None };
    };
    let operators = settings
        .endpoint(product)
        .and_then(|text| endpoint::filled(text, Some(&lookup.region)).ok());
    let named = lookup.endpoint.as_ref().filter(|host| operators.as_ref() != Some(*host));
    let region = named.and_then(|host| endpoint::shared_region(host.as_str(), product));
    let host = named.filter(|_| region.as_ref() != Some(&lookup.region));
    // A name may say a region of its own, whichever is asked.
    let in_name = source.region().and_then(|region| Region::parse(region).ok());
    let regions = [Some(lookup.region.clone()), region, in_name].into_iter().flatten().collect();
    ReadPlace { product, regions, host }
}
