#!/usr/bin/env bash
# json-patch 4.2.0 (Rust): the operation `test` tells 1 from 1.0.
#
# Expected: RFC 6902, section 4.6: numbers are equal if their values are numerically equal. A patch that
# tests for 1 applies where somebody wrote 1.0, as jsonpatch 1.33 (Python) has it.
# Behaviour: values are compared as serde_json compares them, for which an integer is never a float.
# Seen: `test` of 1.0 fails where 1 is written, and the other way round. In Python both pass.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"

[dependencies]
json-patch = "=4.2.0"
serde_json = "1"
TOML
cat >src/main.rs <<'RUST'
use serde_json::json;

fn main() {
    let (whole, fraction) = (json!({"replicas": 1}), json!({"replicas": 1.0}));
    for (document, value) in [(&whole, json!(1.0)), (&fraction, json!(1))] {
        let patch = json!([{"op": "test", "path": "/replicas", "value": value}]);
        let patch: json_patch::Patch = serde_json::from_value(patch).unwrap();
        let mut document = document.clone();
        println!("test {}", json_patch::patch(&mut document, &patch).is_ok());
    }
}
RUST
rust=$(cargo run --quiet)
python3 -m venv venv
venv/bin/pip install --quiet jsonpatch==1.33
cat >patch.py <<'PYTHON'
import jsonpatch

whole, fraction = {"replicas": 1}, {"replicas": 1.0}
for document, value in [(whole, 1.0), (fraction, 1)]:
    patch = jsonpatch.JsonPatch([{"op": "test", "path": "/replicas", "value": value}])
    try:
        patch.apply(document)
        print("test true")
    except jsonpatch.JsonPatchTestFailed:
        print("test false")
PYTHON
python=$(venv/bin/python patch.py)
printf 'Rust:\n%s\nPython:\n%s\n' "$rust" "$python"
[ "$rust" = $'test false\ntest false' ]
[ "$python" = $'test true\ntest true' ]
