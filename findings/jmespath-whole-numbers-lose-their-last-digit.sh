#!/usr/bin/env bash
# jmespath 0.5.0 (Rust): whole numbers are compared and added up as floating point numbers.
#
# Expected: two numbers that differ in their last digit differ, the larger one is the maximum, and a sum of
# whole numbers is one, written without a fraction. jmespath 1.1.0 (Python) does that.
# Behaviour: beyond 2^53 the Rust library calls neighbours equal and takes the smaller one for the
# maximum where it comes last; sums, and abs and ceil as well, get a fraction.
# Seen with 9007199254740993 and 9007199254740992: Rust true, 9007199254740992, and 3.0 for the sum of 1
# and 2; Python false, 9007199254740993 and 3.
# All answers are checked, so that the script fails once one changes.
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
        (r#"[9007199254740993, 9007199254740992]"#, "@[0] == @[1]"),
        (r#"[9007199254740993, 9007199254740992]"#, "max(@)"),
        (r#"[1, 2]"#, "sum(@)"),
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
    ('[9007199254740993, 9007199254740992]', '@[0] == @[1]'),
    ('[9007199254740993, 9007199254740992]', 'max(@)'),
    ('[1, 2]', 'sum(@)'),
]
for document, expression in cases:
    found = jmespath.search(expression, json.loads(document))
    print(json.dumps(found, separators=(",", ":")))
PYTHON
python=$(venv/bin/python search.py)
printf 'Rust:\n%s\nPython:\n%s\n' "$rust" "$python"
[ "$rust" = $'true\n9007199254740992\n3.0' ]
[ "$python" = $'false\n9007199254740993\n3' ]
