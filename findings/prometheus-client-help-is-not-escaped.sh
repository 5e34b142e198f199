#!/usr/bin/env bash
# prometheus-client 0.25.2 (Rust): a line break in the help of a metric breaks the whole page.
#
# Expected: in OpenMetrics text a line break, a quote and a backslash of HELP are escaped, as those of
# label values are. Values of labels are escaped by the same encoder.
# Behaviour: help is written as it is. What stands behind the line break begins a line of its own, which no
# reader of the format knows, and readers refuse the page with all its metrics.
# Seen: the second line of help as a line; prometheus-client 0.22.1 (Python), which reads OpenMetrics,
# raises ValueError for the page, and reads it where the help is one line.
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
prometheus-client = "=0.25.2"
TOML
cat >src/main.rs <<'RUST'
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::{counter::Counter, family::Family};
use prometheus_client::registry::Registry;

fn main() {
    let help = std::env::args().nth(1).unwrap();
    let files: Family<Vec<(String, String)>, Counter> = Family::default();
    files.get_or_create(&vec![("name".to_owned(), "two\nlines".to_owned())]).inc();
    let mut registry = Registry::default();
    registry.register("files", help, files);
    let mut text = String::new();
    encode(&mut text, &registry).unwrap();
    print!("{text}");
}
RUST
cargo run --quiet -- 'Files that were written' >one.txt
cargo run --quiet -- $'Files that were written\nsince the start' >two.txt
python3 -m venv venv
venv/bin/pip install --quiet prometheus-client==0.22.1
cat >read.py <<'PYTHON'
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families

with open(sys.argv[1], encoding="utf-8") as page:
    try:
        print(len(list(text_string_to_metric_families(page.read()))))
    except ValueError as error:
        print(type(error).__name__)
PYTHON
one=$(venv/bin/python read.py one.txt) two=$(venv/bin/python read.py two.txt)
cat two.txt
printf 'read with one line of help: %s, with two: %s\n' "$one" "$two"
grep -qxF 'since the start.' two.txt
grep -qF 'name="two\nlines"' two.txt
[ "$one" = 1 ]
[ "$two" = ValueError ]
