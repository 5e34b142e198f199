//! Every setting held against values that it may have, and values that it may not.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Inputs, Settings, overrides};

/// Values that a setting may have, and values that it may not. `hack/checks/values.py` holds the
/// chart's schema against the same.
const SAMPLES: &str = include_str!("samples.json");

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Samples {
    good: Vec<Value>,
    bad: Vec<Value>,
    /// Values that are bad too, as the schema of the chart cannot tell.
    #[serde(default)]
    beyond_schema: Vec<Value>,
}

/// What settings come of a file that says this alone.
fn alone(field: &str, value: &Value) -> Result<Settings, String> {
    let nested = field.rsplit('.').fold(value.clone(), |value, name| json!({ name: value }));
    Inputs::default()
        .resolve(Some(nested.to_string().as_bytes()))
        .map_err(|problem| problem.to_string())
}

#[test]
fn every_setting_takes_what_is_good_and_refuses_what_is_bad_by_its_name() {
    let samples: BTreeMap<String, Samples> = serde_json::from_str(SAMPLES).unwrap();
    for (field, Samples { good, bad, beyond_schema }) in &samples {
        assert!(!good.is_empty() && !bad.is_empty(), "{field}");
        for value in good {
            assert!(alone(field, value).is_ok(), "{field}: {value}: {:?}", alone(field, value));
        }
        for value in bad.iter().chain(beyond_schema) {
            let problem = alone(field, value).expect_err(&format!("{field}: {value}"));
            assert!(
                problem.starts_with(&format!("setting {field}")),
                "{field}: {value}: {problem}"
            );
        }
    }
}

#[test]
fn every_setting_has_samples() {
    let samples: BTreeMap<String, Samples> = serde_json::from_str(SAMPLES).unwrap();
    let of_group = |name: &&str| !name.starts_with("allowedEndpoints.");
    let names: BTreeSet<_> = overrides::names().filter(of_group).map(str::to_owned).collect();
    assert_eq!(samples.into_keys().collect::<BTreeSet<_>>(), names);
}
