#!/usr/bin/env bash
# jmespath 0.5.0 (Rust): an index behind a multiselect hash is looked for in each hash, not in their list.
#
# Expected: `[*].{u: name}[0]` is the first of all users, as jmespath 1.1.0 (Python) has it: what stands
# behind a multiselect hash belongs to what all of the expression before it gave.
# Behaviour: the Rust library takes the index into the projection. An index of a hash is null, nulls
# leave a projection, and an empty list remains: no error, and nothing found.
# Seen with two users, and with `.u` in place of the index: Rust [] and ["a","b"], Python {"u":"a"} and null.
# Both answers of both are checked, so that the script fails once either changes.
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
        (r#"[{"name": "a"}, {"name": "b"}]"#, "[*].{u: name}[0]"),
        (r#"[{"name": "a"}, {"name": "b"}]"#, "[*].{u: name}.u"),
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
    ('[{"name": "a"}, {"name": "b"}]', '[*].{u: name}[0]'),
    ('[{"name": "a"}, {"name": "b"}]', '[*].{u: name}.u'),
]
for document, expression in cases:
    found = jmespath.search(expression, json.loads(document))
    print(json.dumps(found, separators=(",", ":")))
PYTHON
python=$(venv/bin/python search.py)
printf 'Rust:\n%s\nPython:\n%s\n' "$rust" "$python"
[ "$rust" = $'[]\n["a","b"]' ]
[ "$python" = $'{"u":"a"}\nnull' ]
