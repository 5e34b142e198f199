#!/usr/bin/env bash
# jmespath 0.5.0 (Rust): `Expression::search` copies the whole document, though it is parsed already.
#
# Expected: `Variable::from_json` parses a document once, into a reference-counted value, and picking
# one field of it by `search` costs little, because what is found is reference-counted too.
# Behaviour: without the feature `specialized`, which needs a nightly compiler, a parsed value goes
# through Serialize like any other type: `search` builds the whole tree anew at each call, and the
# tree that it walks is not the one that was handed over. `interpret`, which is public too, walks the
# value as it is.
# Seen with a document of 64 KB in 1,000 parts and the expression `a`:
#     search: 192910 bytes allocated, interpret: 0 bytes allocated
# The program fails, and this script with it, once `search` allocates less than the document's length.
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
allocation-counter = "=0.8.1"
jmespath = "=0.5.0"
TOML
cat >src/main.rs <<'RUST'
use allocation_counter::measure;
use jmespath::{Context, DEFAULT_RUNTIME, Rcvar, Variable, compile, interpret};

fn main() {
    let parts: Vec<String> = (0..1000).map(|n| format!("\"part-{n:04}\": \"{}\"", "x".repeat(48))).collect();
    let text = format!("{{\"a\": \"found\", {}}}", parts.join(", "));
    let document = Rcvar::new(Variable::from_json(&text).unwrap());
    let expression = compile("a").unwrap();

    let by_search = measure(|| assert_eq!(expression.search(&document).unwrap().as_string().unwrap(), "found"));
    let by_interpret = measure(|| {
        let mut context = Context::new("a", &DEFAULT_RUNTIME);
        let found = interpret(&document, expression.as_ast(), &mut context).unwrap();
        assert_eq!(found.as_string().unwrap(), "found");
    });
    let (search, interpret) = (by_search.bytes_total, by_interpret.bytes_total);
    println!("search: {search} bytes allocated, interpret: {interpret} bytes allocated");
    assert!(search > text.len() as u64, "search copies no more");
    assert!(interpret < 1000, "interpret copies too");
}
RUST
cargo run --quiet
