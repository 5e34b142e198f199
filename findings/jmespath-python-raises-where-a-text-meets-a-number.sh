#!/usr/bin/env bash
# jmespath 1.1.0 (Python): `<` of a text and a number raises Python's own TypeError.
#
# Expected: `[?port < \`1024\`]` drops an item whose port is a text: by the specification `<` of anything
# but numbers is null, and all that the library itself says is wrong is a JMESPathError.
# Behaviour: both sides are handed to Python's operator as soon as each is a text or a number. One item
# with "443" in quotes ends the whole search with a TypeError that `except JMESPathError` does not catch.
# Seen: TypeError, which is no JMESPathError; go-jmespath 0.4.0 (Go) gives the one item with a number.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet jmespath==1.1.0
cat >search.py <<'PYTHON'
import jmespath
from jmespath.exceptions import JMESPathError

try:
    print(jmespath.search("[?port < `1024`]", [{"port": 80}, {"port": "443"}]))
except JMESPathError as error:
    print("of the library:", type(error).__name__)
except TypeError as error:
    print("of Python:", type(error).__name__)
PYTHON
python=$(venv/bin/python search.py)
cat >go.mod <<'MODULE'
module finding

go 1.24

require github.com/jmespath/go-jmespath v0.4.0
MODULE
cat >main.go <<'GO'
package main

import (
	"fmt"

	"github.com/jmespath/go-jmespath"
)

func main() {
	document := []any{map[string]any{"port": 80.0}, map[string]any{"port": "443"}}
	fmt.Println(jmespath.Search("[?port < `1024`]", document))
}
GO
go mod tidy 2>/dev/null
go=$(go run .)
printf 'Python: %s\nGo: %s\n' "$python" "$go"
[ "$python" = 'of Python: TypeError' ]
[ "$go" = '[map[port:80]] <nil>' ]
