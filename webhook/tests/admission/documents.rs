//! The documents have every annotation of the table, and say of each what is so.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use webhook::ask::annotations::{ANNOTATIONS, Modes};

use crate::support::{ask_with, injected_with, pod, review, settings_with};

const PAGES: [&str; 2] =
    [include_str!("../../../docs/annotations.md"), include_str!("../../../docs/agent.md")];
const TABLE: &str = include_str!("../../../docs/annotations-table.md");

/// What stands under a heading that is a key, up to the next heading.
fn sections() -> BTreeMap<String, String> {
    let mut sections = BTreeMap::new();
    for page in PAGES {
        let (mut key, mut in_code) = (None, false);
        for line in page.lines() {
            if line.starts_with("```") {
                in_code = !in_code;
            }
            if line.starts_with('#') && !in_code {
                let title = line.trim_start_matches('#').trim();
                key = title.strip_prefix('`').and_then(|title| title.strip_suffix('`'));
                if let Some(key) = key {
                    let earlier = sections.insert(key.to_owned(), String::new());
                    assert_eq!(earlier, None, "{key} has two headings");
                }
            } else if let Some(text) = key.and_then(|key| sections.get_mut(key)) {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    sections
}

fn keys() -> Vec<&'static str> {
    let mut keys: Vec<_> = ANNOTATIONS.iter().map(|row| row.key).collect();
    keys.sort_unstable();
    keys
}

/// The annotations of each example of a section, with what it says of the rest of a Pod.
fn examples(section: &str) -> Vec<(BTreeMap<String, String>, Value)> {
    let blocks = section.split("```yaml\n").skip(1);
    let blocks = blocks.map(|rest| rest.split("```").next().unwrap());
    let example = |text| {
        let value: Value = serde_saphyr::from_str(text).unwrap();
        let annotations = value.pointer("/metadata/annotations").unwrap_or(&value);
        let annotations = serde_json::from_value(annotations.clone()).unwrap();
        (annotations, value["spec"].clone())
    };
    blocks.map(example).collect()
}

/// A Pod with two containers and these annotations, and with something to fetch.
fn pod_of(annotations: &BTreeMap<String, String>, spec: &Value) -> Value {
    let mut pod = pod(&[]);
    let container = |name: &str| {
        let ports = [json!({"containerPort": if name == "app" { 9090 } else { 9091 }})];
        json!({"name": name, "image": "app:1", "command": ["/app"], "ports": ports})
    };
    pod["spec"]["containers"] = json!([container("app"), container("worker")]);
    for (field, value) in spec.as_object().into_iter().flatten() {
        pod["spec"][field] = value.clone();
    }
    let all = &mut pod["metadata"]["annotations"];
    for (key, value) in annotations {
        all[key] = json!(value);
    }
    let asks = |key: &str| annotations.keys().any(|known| known.starts_with(key));
    if asks("kms.alibabacloud/env-method") {
        all["kms.alibabacloud/env"] = json!("A: b");
    }
    let asking = ["secrets", "env", "template", "agent-secrets"];
    if !asking.iter().any(|key| asks(&format!("kms.alibabacloud/{key}"))) {
        all["kms.alibabacloud/secrets"] = json!("a: b");
    }
    pod
}

#[test]
fn every_annotation_has_a_heading_and_no_other_has_one() {
    assert_eq!(sections().into_keys().collect::<Vec<_>>(), keys());
}

#[test]
fn under_each_heading_stand_value_default_and_modes_an_example_and_what_is_refused() {
    let sections = sections();
    for row in ANNOTATIONS {
        let section = &sections[row.key];
        let facts =
            format!("{} · default: {} · modes: {}", row.value, row.default, row.modes.as_str());
        assert_eq!(section.trim_start().lines().next(), Some(facts.as_str()), "{}", row.key);
        assert!(section.contains("\nRefused: "), "{} does not say what is refused", row.key);
        let family = row.key.split(['F', 'C']).next().unwrap_or(row.key);
        let key = format!("kms.alibabacloud/{family}");
        let shows = |(annotations, _): &(BTreeMap<String, String>, Value)| {
            annotations.keys().any(|known| known.starts_with(&key))
        };
        assert!(examples(section).iter().any(shows), "{} has no example", row.key);
    }
}

#[test]
fn every_example_is_injected() {
    let rule = "policy=[{name: all, namespaces: ['*'], roles: ['*'], credentials: [rrsa, secret]}]";
    let settings = settings_with(&["oldestKubelet=1.35", rule]);
    for (key, section) in sections() {
        for (annotations, spec) in examples(&section) {
            let mut pod = pod_of(&annotations, &spec);
            if key == "credentials" {
                // These say their own role.
                let annotations = pod["metadata"]["annotations"].as_object_mut().unwrap();
                annotations.remove("kms.alibabacloud/role-arn");
            }
            if key == "secret-provider-class" {
                // What it names is in the cluster; the page has the class in words.
                assert!(ask_with(&review(&pod), &settings).message().contains("are not read"));
                continue;
            }
            let answer = ask_with(&review(&pod), &settings);
            assert_eq!(answer.response["allowed"], true, "{key}: {}", answer.response);
            injected_with(&pod, &settings);
        }
    }
}

#[test]
fn what_means_something_in_other_modes_alone_is_refused_by_its_name() {
    let sections = sections();
    let settings = settings_with(&[]);
    for row in ANNOTATIONS {
        let strangers: &[&str] = match row.modes {
            Modes::All => &[],
            Modes::RefreshAndAgent => &["init"],
            Modes::Agent => &["init", "refresh"],
        };
        for mode in strangers {
            let (mut annotations, spec) = examples(&sections[row.key]).remove(0);
            annotations.insert("kms.alibabacloud/mode".to_owned(), (*mode).to_owned());
            let answer = ask_with(&review(&pod_of(&annotations, &spec)), &settings);
            let named = format!("kms.alibabacloud/{}: ", row.key);
            assert!(answer.message().contains(&named), "{mode}: {}", answer.message());
        }
    }
}

#[test]
fn the_table_of_the_documents_has_every_annotation_once() {
    let rows = TABLE.lines().filter_map(|line| line.strip_prefix("| `"));
    let mut keys: Vec<_> = rows
        .flat_map(|row| row.split(" | ").next().unwrap().split(", "))
        .map(|key| key.trim_matches('`'))
        // The family of `env`, in the same row.
        .filter(|key| *key != "env.CONTAINER")
        .collect();
    keys.sort_unstable();
    assert_eq!(keys, self::keys());
}
