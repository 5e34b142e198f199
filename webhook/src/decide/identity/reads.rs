//! Whether the operator's policy lets a Pod read what it asks for.

use std::collections::HashMap;

use plan::{Glob, Lookup, MAX_LOOKUPS, Region, RoleArn, Source};

use super::places::Placed;
use crate::account::Subject;
use crate::decide::endpoint;
use crate::problem::Problems;
use crate::settings::Settings;
use crate::settings::comparisons::Comparisons;
use crate::settings::policy::{Credentials, Outside, Place, Reads};
use crate::settings::service::Service;

/// Each secret must be one that the operator lets its reader have, there where it is read.
pub(crate) fn check(
    placed: &[&Placed],
    own: &RoleArn,
    subject: &Subject<'_>,
    settings: &Settings,
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
        let role = reader(lookup, own);
        let reads =
            known.entry(role.as_str()).or_insert_with(|| of(role, subject, settings, comparisons));
        let Some(reads) = reads else { continue };
        let outside = judged.entry((&secret.source, lookup)).or_insert_with(|| {
            let place = place(Some(&secret.source), lookup, settings);
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
        let (namespace, name) = (subject.namespace, secret.source.name());
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
    lookup: &Lookup,
    own: &RoleArn,
    subject: &Subject<'_>,
    settings: &Settings,
    comparisons: &mut Comparisons,
) -> Option<Vec<Glob>> {
    let reads = of(reader(Some(lookup), own), subject, settings, comparisons)?;
    reads.names(&place(None, Some(lookup), settings), comparisons)
}

/// The role that reads: the Pod's own, or the one that is assumed on top of it.
fn reader<'l>(lookup: Option<&'l Lookup>, own: &'l RoleArn) -> &'l RoleArn {
    let assume = lookup.and_then(|lookup| lookup.assume.as_ref());
    assume.map_or(own, |assume| &assume.role)
}

/// `None` where the policy limits no reading. A role that it does not allow is a problem of the role.
fn of<'s>(
    role: &RoleArn,
    subject: &Subject<'_>,
    settings: &'s Settings,
    comparisons: &mut Comparisons,
) -> Option<Reads<'s>> {
    let reads = settings.policy().reads(subject.namespace, role, Credentials::Rrsa, comparisons)?;
    (!reads.is_empty()).then_some(reads)
}

/// Without a lookup the name alone counts. An agent that looks secrets up asks KMS, and has no
/// `source`.
fn place<'a>(
    source: Option<&Source>,
    lookup: Option<&'a Lookup>,
    settings: &Settings,
) -> Place<'a> {
    let product = source.map_or(Service::Kms, Service::of);
    let Some(lookup) = lookup else { return Place { product, regions: Vec::new(), host: None } };
    let operators = settings
        .endpoint(product)
        .and_then(|text| endpoint::filled(text, Some(&lookup.region)).ok());
    let named = lookup.endpoint.as_ref().filter(|host| operators.as_ref() != Some(*host));
    let region = named.and_then(|host| endpoint::shared_region(host.as_str(), product));
    let host = named.filter(|_| region.as_ref() != Some(&lookup.region));
    // A name may say a region of its own, whichever is asked.
    let in_name = source.and_then(Source::region);
    let in_name = in_name.and_then(|region| Region::parse(region).ok());
    let regions = [Some(lookup.region.clone()), region, in_name].into_iter().flatten().collect();
    Place { product, regions, host }
}
