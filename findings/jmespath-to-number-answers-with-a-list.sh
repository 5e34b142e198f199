#!/usr/bin/env bash
# jmespath 0.5.0 (Rust): `to_number` of a text answers with a list, an object, a boolean or a text.
#
# Expected: the specification says of to_number that a string becomes the number that it spells, and
# that everything else becomes null. jmespath 1.0.1 (Python) does that.
# Behaviour: the Rust library parses the text as any JSON, and hands on what comes out of it.
# Seen with the document {"a": "[1, 2]"} and the expression `type(to_number(a))`, and the same for
# texts that hold an object and a boolean:
#     Rust: array object boolean, Python: null null null
# The script fails once they agree, or once Python's answer is another one.
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
    let expression = compile("type(to_number(a))").unwrap();
    let types = ["[1, 2]", "{}", "true"].map(|text| {
        let document = Variable::from_json(&format!("{{\"a\": {text:?}}}")).unwrap();
        expression.search(document).unwrap().as_string().unwrap().clone()
    });
    println!("{}", types.join(" "));
}
RUST
rust=$(cargo run --quiet)
python3 -m venv venv
venv/bin/pip install --quiet jmespath==1.0.1
python=$(venv/bin/python -c '
import jmespath
texts = ["[1, 2]", "{}", "true"]
print(*(jmespath.search("type(to_number(a))", {"a": text}) for text in texts))')
echo "Rust: $rust, Python: $python"
[ "$rust" = "array object boolean" ]
[ "$python" = "null null null" ]
