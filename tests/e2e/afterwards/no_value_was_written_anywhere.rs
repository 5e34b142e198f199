//! No value of a secret is in etcd, a log, the container runtime's state or anywhere else on disk:
//! every file of the cluster is searched, outside of memory volumes.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lab::cluster::{Look, until};
use serde_json::{Value, json};

use crate::pods::{CANARY, plain};
use crate::search::{hex, holders, only_memory_is_left_out, seed_file};
use crate::stage::{Namespace, PATIENCE, cluster};

#[test]
fn in_no_form() {
    let seed = seed();
    for value in values(&seed) {
        let known = String::from_utf8_lossy(&value).into_owned();
        assert!(known.contains(CANARY), "a value of the seed that nobody looks for: {known}");
    }
    only_memory_is_left_out();
    let found = holders(CANARY);
    assert!(found.is_empty(), "a value of a secret is in\n{}", found.join("\n"));
}

/// The search finds what it should, where it should.
#[test]
fn and_it_would_be_found() {
    let root = cluster().layout().root().to_owned();
    let beginning = |directory: &str| format!("{}/", root.join(directory).display());

    let place = Namespace::plain("planted");
    let planted = format!("planted-{:08x}", fastrand::u32(..));
    let forms = json!({ "value": planted });
    let object = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "planted" }, "data": forms,
    });
    place.create(&object);
    let found = holders(&planted);
    assert!(found.iter().any(|file| file.starts_with(&beginning("etcd"))), "{found:?}");

    let printed = format!("printed-{:08x}", fastrand::u32(..));
    // Apart in the specification, so that it is in the log alone.
    let (first, second) = printed.split_at(10);
    let pod =
        plain("prints", &format!("echo {first}\"\"{second} > /written; cat /written; sleep 1000"));
    place.create(&pod);
    until("the Pod's log and its container's own file", PATIENCE, || {
        let found = holders(&printed);
        let all = ["pods", "containerd"]
            .iter()
            .all(|place| found.iter().any(|file| file.starts_with(&beginning(place))));
        Ok(if all { Look::Found(()) } else { Look::Missing(format!("only in {found:?}")) })
    })
    .unwrap();

    let value = format!("coded-{:08x}", fastrand::u32(..));
    for form in [
        STANDARD.encode(&value),
        STANDARD.encode(format!("?{value}?")),
        STANDARD.encode(format!("??{value}??")),
        hex(&value),
        hex(&value).to_uppercase(),
    ] {
        let file = root.join("planted");
        fs::write(&file, format!("{{\"data\": \"{form}\"}}")).unwrap();
        let found = holders(&value);
        fs::remove_file(&file).unwrap();
        assert_eq!(found, [file.display().to_string()], "{form}");
    }
}

fn seed() -> Value {
    serde_json::from_slice(&fs::read(seed_file()).unwrap()).unwrap()
}

/// Everything that is secret in a seed.
fn values(seed: &Value) -> Vec<Vec<u8>> {
    let mut values = Vec::new();
    let list = |value: &Value, name: &str| value[name].as_array().cloned().unwrap_or_default();
    for account in list(seed, "accounts") {
        for version in list(&account, "secrets").iter().flat_map(|secret| list(secret, "versions"))
        {
            if let Some(text) = version["text"].as_str() {
                values.push(text.as_bytes().to_vec());
            }
            if let Some(binary) = version["binary"].as_str() {
                values.push(STANDARD.decode(binary).unwrap());
            }
        }
        for parameter in list(&account, "parameters") {
            if parameter["type"] == "Secret" {
                let texts = list(&parameter, "values");
                values.extend(texts.iter().map(|text| text.as_str().unwrap().as_bytes().to_vec()));
            }
        }
    }
    assert!(!values.is_empty(), "the seed has no secrets");
    values
}
