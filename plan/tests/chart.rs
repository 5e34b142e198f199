//! The chart's policies name what the contract names, and nothing else of that kind.

#![cfg(test)]

use std::collections::BTreeSet;

use plan::{CREDENTIALS_PLACES, TOKEN_FILE, contract};

fn policies() -> String {
    let templates =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../charts/alibabacloud-secrets-injector/templates");
    ["_conditions.tpl", "guard.yaml"]
        .map(|file| std::fs::read_to_string(format!("{templates}/{file}")).unwrap())
        .concat()
}

#[test]
fn containers_and_volumes_in_the_policies_are_those_of_the_contract() {
    let policies = policies();
    let quoted = policies.split(['\'', '"']).filter(|text| {
        text.starts_with("kms-") && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
    });
    let names = contract::volumes().chain([contract::INIT_CONTAINER, contract::SIDECAR]);
    assert_eq!(quoted.collect::<BTreeSet<_>>(), names.collect());
}

#[test]
fn variables_and_directories_in_the_policies_are_those_of_the_contract() {
    let policies = policies();
    let credentials = CREDENTIALS_PLACES.map(|place| place.directory);
    let names = [
        contract::PLAN_VARIABLE,
        contract::CA_DIRECTORY,
        contract::ENVIRONMENT_DIRECTORY,
        contract::CA_FILE,
        TOKEN_FILE,
    ];
    for name in names.into_iter().chain(credentials) {
        assert!(policies.contains(&format!("'{name}'")), "{name}");
    }
}
