//! Resources of a container of ours that others have sized: an autoscaler, a limit range, a quota's
//! webhook. What they say stays where the fetcher can work with it.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::patch::fetcher_resources::FetcherResources;
use crate::quantity::Quantity;

/// An amount of one resource, as written and as compared.
type Amount<'v> = Option<(Quantity, &'v Value)>;

const CORE: [&str; 2] = ["cpu", "memory"];
const STORAGE: &str = "ephemeral-storage";
/// What the fetcher logs before it ends counts as storage, and the kubelet ends a Pod that has more.
const LEAST_STORAGE: u64 = 1 << 20;

/// `known`, and ours for what it does not say or where its limit is too low for our work. Devices of
/// others, which our container has no use for, go.
pub(super) fn settled(known: &Value, wanted: &FetcherResources) -> Value {
    let ours = serde_json::to_value(wanted).unwrap_or_default();
    let groups = ["requests", "limits"].map(|group| known.get(group).and_then(Value::as_object));
    let mut names: BTreeSet<&str> =
        groups.iter().flatten().flat_map(|group| group.keys()).map(String::as_str).collect();
    names.retain(|name| {
        CORE.contains(name) || *name == STORAGE || CORE.iter().any(|core| replaces(name, core))
    });
    let replaced = |core: &str| names.iter().any(|name| replaces(name, core));
    let is_ours = |name: &str| {
        ["requests", "limits"].iter().any(|group| amount(&ours, group, name).is_some())
    };
    let missing = CORE.into_iter().filter(|core| !names.contains(core) && !replaced(core));
    let storage = Some(STORAGE).filter(|name| !names.contains(name) && is_ours(name));
    let missing = missing.chain(storage);
    let (mut requests, mut limits) = (Map::new(), Map::new());
    for name in names.iter().copied().chain(missing) {
        let (request, limit) = one(name, known, &ours, wanted.guaranteed);
        requests.extend(request.map(|(_, text)| (name.to_owned(), text.clone())));
        limits.extend(limit.map(|(_, text)| (name.to_owned(), text.clone())));
    }
    let groups = [("requests", requests), ("limits", limits)];
    let groups = groups.into_iter().filter(|(_, amounts)| !amounts.is_empty());
    groups.map(|(group, amounts)| (group.to_owned(), Value::Object(amounts))).collect()
}

/// Some clusters take cpu and memory away and give others for them, such as `kubernetes.io/batch-cpu`:
/// beside those, ours would count a second time, and move the Pod out of its class. What a device has,
/// such as a memory of its own, is called otherwise: no device is in the domain `kubernetes.io`.
fn replaces(name: &str, core: &str) -> bool {
    name.split_once('/').is_some_and(|(domain, name)| match name.strip_suffix(core) {
        Some(kind) => kind.is_empty() || (domain == "kubernetes.io" && kind.ends_with('-')),
        None => false,
    })
}

/// Request and limit of one resource.
fn one<'v>(
    name: &str,
    known: &'v Value,
    ours: &'v Value,
    guaranteed: bool,
) -> (Amount<'v>, Amount<'v>) {
    let [asked, capped] = ["requests", "limits"].map(|group| amount(known, group, name));
    let [our_request, our_limit] = ["requests", "limits"].map(|group| amount(ours, group, name));
    // Below its memory limit the fetcher would be ended. Below its request a limit of cpu would have
    // it wait for most of a start.
    let least = match name {
        "memory" => our_limit.map(|(least, _)| least),
        STORAGE => Some(Quantity::bytes(LEAST_STORAGE)),
        _ => our_request.map(|(least, _)| least),
    };
    let too_low = capped.zip(least).is_some_and(|((capped, _), least)| capped < least);
    // The API server writes a request that is missing as the limit: it goes with that one.
    let implied = too_low && asked.map(|(asked, _)| asked) == capped.map(|(capped, _)| capped);
    let request = asked.filter(|_| !implied).or(our_request);
    let limit = capped.filter(|_| !too_low).or(our_limit);
    let limit = match (request, limit) {
        (Some(request), Some(limit)) if request.0 > limit.0 => Some(request),
        _ => limit,
    };
    let is_core = CORE.contains(&name);
    (if guaranteed && is_core { limit.or(request) } else { request }, limit)
}

fn amount<'v>(resources: &'v Value, group: &str, name: &str) -> Amount<'v> {
    let value = resources.get(group)?.get(name)?;
    let quantity = match value {
        Value::String(text) => Quantity::parse(text),
        Value::Number(number) => Quantity::parse(&number.to_string()),
        _ => None,
    };
    Some((quantity?, value))
}
