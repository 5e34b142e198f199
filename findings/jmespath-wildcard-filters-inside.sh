#!/usr/bin/env bash
# jmespath 0.5.0 (Rust): a filter behind `a.*.b` filters inside of each b, elsewhere the list of all b.
#
# Expected: jmespath 1.1.0 (Python) lets the projection of `.*` go one step, so that `[?c]` behind
# `a.*.b` asks each list b for a member c. A list has none, and nothing is left.
# Behaviour: the Rust library lets the projection go on, and keeps the items of each b that have a c.
# Seen with two lists: Rust [[{"c":1}],[{"c":3}]], Python [].
# Both answers are checked, so that the script fails once either changes.
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
jmespath = "=0.5.0"
TOML
cat >src/main.rs <<'RUST'
use jmespath::{Variable, compile};

fn main() {
    let cases = [
        (r#"{"a": {"x": {"b": [{"c": 1}, {"d": 2}]}, "y": {"b": [{"c": 3}]}}}"#, "a.*.b[?c]"),
    ];
    for (document, expression) in cases {
        let document = Variable::from_json(document).unwrap();
        println!("{}", compile(expression).unwrap().search(document).unwrap());
    }
}
RUST
rust=$(cargo run --quiet)
python3 -m venv venv
venv/bin/pip install --quiet jmespath==1.1.0
cat >search.py <<'PYTHON'
import json

import jmespath

cases = [
    ('{"a": {"x": {"b": [{"c": 1}, {"d": 2}]}, "y": {"b": [{"c": 3}]}}}', 'a.*.b[?c]'),
]
for document, expression in cases:
    found = jmespath.search(expression, json.loads(document))
    print(json.dumps(found, separators=(",", ":")))
PYTHON
python=$(venv/bin/python search.py)
printf 'Rust:\n%s\nPython:\n%s\n' "$rust" "$python"
[ "$rust" = $'[[{"c":1}],[{"c":3}]]' ]
[ "$python" = $'[]' ]
