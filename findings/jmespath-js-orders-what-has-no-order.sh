#!/usr/bin/env bash
# jmespath 0.16.0 (JavaScript): a filter by size keeps items that do not have the number at all.
#
# Expected: `[?port < \`1024\`]` gives the items whose port is a smaller number. By the specification `<`
# of a number and something else is null, which a filter drops, as jmespath 1.1.0 (Python) does.
# Behaviour: the operators are those of JavaScript, for which null is 0.
# Seen: three items instead of one; and `port < \`1024\`` of {} is true, where Python says null.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund jmespath@0.16.0
cat >documents.json <<'JSON'
[
  [[{"port": 443}, {"port": 8443}, {"name": "none"}, {"port": null}], "[?port < `1024`]"],
  [{}, "port < `1024`"]
]
JSON
cat >search.js <<'JAVASCRIPT'
const jmespath = require("jmespath");
for (const [document, expression] of require("./documents.json")) {
  console.log(JSON.stringify(jmespath.search(document, expression)));
}
JAVASCRIPT
javascript=$(node search.js)
python3 -m venv venv
venv/bin/pip install --quiet jmespath==1.1.0
cat >search.py <<'PYTHON'
import json

import jmespath

with open("documents.json", encoding="utf-8") as file:
    for document, expression in json.load(file):
        print(json.dumps(jmespath.search(expression, document), separators=(",", ":")))
PYTHON
python=$(venv/bin/python search.py)
printf 'JavaScript:\n%s\nPython:\n%s\n' "$javascript" "$python"
[ "$javascript" = '[{"port":443},{"name":"none"},{"port":null}]'$'\ntrue' ]
[ "$python" = '[{"port":443}]'$'\nnull' ]
