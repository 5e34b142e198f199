//! A plan of each version, as it was written: what another release may find in a Pod.
//!
//! A release that reads or writes anything else writes another version. Where a test here fails, do
//! not change a file of `golden`: raise `VERSION`, and add the file of the new version beside them.

#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};

use plan::{CREDENTIALS_PLACES, InvalidPlan, Plan, Recorded, VERSION};
use serde_json::{Map, Value};

const WHAT_TO_DO: &str =
    "the plan has changed: raise VERSION in plan/src/plan.rs and add tests/golden/vN.jsonl";

fn golden(version: u64) -> Vec<String> {
    let path = format!("{}/tests/golden/v{version}.jsonl", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("{path} is missing"));
    text.lines().map(str::to_owned).collect()
}

#[test]
fn plans_of_this_version_are_written_as_they_were() {
    for line in golden(VERSION) {
        let plan = Plan::decode(&line).unwrap_or_else(|error| panic!("{error}; {WHAT_TO_DO}"));
        assert_eq!(plan.encode().unwrap(), line, "{WHAT_TO_DO}");
        let consumers = plan.consumers().to_vec();
        assert_eq!(Plan::recorded(&line), Recorded::Same { consumers });
        for volume in plan.credentials_volumes() {
            assert!(CREDENTIALS_PLACES.contains(&volume.place), "{volume:?}");
        }
    }
}

#[test]
fn plans_of_earlier_versions_are_known_as_such() {
    for version in (1..).take_while(|version| *version < VERSION) {
        for line in golden(version) {
            assert_eq!(Plan::recorded(&line), Recorded::Older);
            assert_eq!(Plan::decode(&line).unwrap_err(), InvalidPlan::Version(version));
        }
    }
    let beyond = format!("{}/tests/golden/v{}.jsonl", env!("CARGO_MANIFEST_DIR"), VERSION + 1);
    assert!(!std::path::Path::new(&beyond).exists(), "VERSION is behind {beyond}");
}

#[test]
fn a_plan_of_a_later_version_is_known_whatever_else_is_in_it() {
    let later = format!(r#"{{"consumers":7,"unheardOf":[],"version":{}}}"#, VERSION + 1);
    assert_eq!(Plan::recorded(&later), Recorded::Newer(VERSION + 1));
    let without_consumers = format!(r#"{{"version":{VERSION}}}"#);
    for unreadable in ["", "[]", "{}", r#"{"version":"1"}"#, &without_consumers] {
        assert_eq!(Plan::recorded(unreadable), Recorded::Unreadable, "{unreadable}");
    }
}

/// What has another version is refused at once, and nothing behind that is tried.
#[test]
fn the_seeds_of_the_fuzz_target_have_this_version() {
    let seeds = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/seeds/plan");
    for seed in std::fs::read_dir(seeds).unwrap() {
        let seed = seed.unwrap().path();
        let decoded = Plan::decode(&std::fs::read_to_string(&seed).unwrap());
        assert!(decoded.is_ok(), "{}: {decoded:?}", seed.display());
    }
}

/// The reader itself says which fields and variants it knows: each must stand in the golden plans, so
/// that none is added to a version that is out.
#[test]
fn golden_plans_have_every_field_and_every_variant() {
    let plans: Vec<Value> =
        golden(VERSION).iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (mut known, mut used) = (Words::default(), Words::default());
    for plan in &plans {
        let mut places = Vec::new();
        walk(plan, &mut Vec::new(), &mut places);
        for place in &places {
            let Some(value) = plan.pointer(&pointer(place)) else { continue };
            let last = || place.last().cloned().unwrap_or_default();
            let (name, words): (_, Vec<String>) = match value {
                // A variant stands in an object or alone, and is enough at one place of its field.
                Value::Object(members) if members.len() == 1 => {
                    (last(), members.keys().cloned().collect())
                }
                Value::Object(members) => (general(place), members.keys().cloned().collect()),
                Value::String(text) => (last(), vec![text.clone()]),
                _ => continue,
            };
            used.entry(name.clone()).or_default().extend(words);
            let mut other = plan.clone();
            *other.pointer_mut(&pointer(place)).unwrap() = with_unknown(value);
            if let Err(error) = serde_json::from_value::<Plan>(other) {
                let listed = listed(&error.to_string());
                // An untagged enum would not say it, and hide what is added to it.
                assert!(
                    !value.is_object() || !listed.is_empty(),
                    "{name} hides its fields: {error}"
                );
                known.entry(name).or_default().extend(listed);
            }
        }
    }
    assert!(known.values().flatten().count() > 60, "{known:?}");
    for (place, words) in known {
        let used = used.remove(&place).unwrap_or_default();
        // What holds without a word is not written.
        let is_written = |word: &&String| {
            !matches!(
                (place.as_str(), word.as_str()),
                ("onMissing", "fail") | ("encoding", "as-is")
            )
        };
        let missing: Vec<_> = words.difference(&used).filter(is_written).collect();
        assert!(
            missing.is_empty(),
            "{place} knows {missing:?}, which no golden plan has; {WHAT_TO_DO}"
        );
    }
}

type Words = BTreeMap<String, BTreeSet<String>>;

fn walk(value: &Value, place: &mut Vec<String>, places: &mut Vec<Vec<String>>) {
    places.push(place.clone());
    let members: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect()
        }
        _ => Vec::new(),
    };
    for (key, member) in members {
        place.push(key);
        walk(member, place, places);
        place.pop();
    }
}

fn pointer(place: &[String]) -> String {
    place.iter().map(|step| format!("/{step}")).collect()
}

/// The same for all items of a list.
fn general(place: &[String]) -> String {
    let general = |step: &String| match step.parse::<usize>() {
        Ok(_) => "/*".to_owned(),
        Err(_) => format!("/{step}"),
    };
    place.iter().map(general).collect()
}

/// An object with one more field, or of another variant, or another word.
fn with_unknown(value: &Value) -> Value {
    match value {
        Value::Object(members) if members.len() == 1 => {
            Value::Object(Map::from_iter([(UNKNOWN.to_owned(), Value::Null)]))
        }
        Value::Object(members) => {
            let mut members = members.clone();
            members.insert(UNKNOWN.to_owned(), Value::Null);
            Value::Object(members)
        }
        _ => Value::from(UNKNOWN),
    }
}

/// What serde lists in "unknown field `…`, expected one of `…`, `…`", or the same of a variant.
fn listed(error: &str) -> Vec<String> {
    if !error.starts_with("unknown field `?`") && !error.starts_with("unknown variant `?`") {
        return Vec::new();
    }
    let words = error.split('`').skip(1).step_by(2).skip(1);
    words.map(str::to_owned).collect()
}

const UNKNOWN: &str = "?";
