#!/usr/bin/env bash
# jmespath 0.16.0 (JavaScript): behind `@` in brackets or in a call nothing may follow.
#
# Expected: `length(@.hosts)` is the number of hosts, as jmespath 1.1.0 (Python) has it: `@` is an
# expression like any other.
# Behaviour: at the beginning of an expression `@.hosts` is read; between brackets, as an argument of a
# function and in a filter the parser says `Invalid token (Dot): "."`.
# Seen: `@.hosts` gives the list; `length(@.hosts)`, `(@.hosts)` and `[?(@.up)]` are errors.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund jmespath@0.16.0
cat >search.js <<'JAVASCRIPT'
const jmespath = require("jmespath");
const shop = { hosts: ["a", "b"] };
const hosts = [{ up: true }, { up: false }];
for (const [document, expression] of [
  [shop, "@.hosts"],
  [shop, "length(hosts)"],
  [shop, "length(@.hosts)"],
  [shop, "(@.hosts)"],
  [hosts, "[?(@.up)]"],
]) {
  try {
    console.log(JSON.stringify(jmespath.search(document, expression)));
  } catch (error) {
    console.log(`${error.name}: ${error.message}`);
  }
}
JAVASCRIPT
javascript=$(node search.js)
python3 -m venv venv
venv/bin/pip install --quiet jmespath==1.1.0
cat >search.py <<'PYTHON'
import json

import jmespath

shop = {"hosts": ["a", "b"]}
hosts = [{"up": True}, {"up": False}]
for document, expression in [
    (shop, "@.hosts"),
    (shop, "length(hosts)"),
    (shop, "length(@.hosts)"),
    (shop, "(@.hosts)"),
    (hosts, "[?(@.up)]"),
]:
    print(json.dumps(jmespath.search(expression, document), separators=(",", ":")))
PYTHON
python=$(venv/bin/python search.py)
printf 'JavaScript:\n%s\nPython:\n%s\n' "$javascript" "$python"
refused='ParserError: Invalid token (Dot): "."'
[ "$javascript" = '["a","b"]'$'\n2\n'"$refused"$'\n'"$refused"$'\n'"$refused" ]
[ "$python" = '["a","b"]'$'\n2\n2\n["a","b"]\n[{"up":true}]' ]
