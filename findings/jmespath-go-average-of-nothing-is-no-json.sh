#!/usr/bin/env bash
# go-jmespath 0.4.0 (Go): the average of an empty list is a number that JSON cannot have.
#
# Expected: `avg(prices)` of an empty list is null, as the specification says and jmespath 1.1.0 (Python)
# has it.
# Behaviour: the sum is divided by the length, 0 by 0. Search gives NaN and no error; the program that
# writes the result as JSON fails, somewhere else.
# Seen: value NaN, error <nil>; json.Marshal: "json: unsupported value: NaN".
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >go.mod <<'MODULE'
module finding

go 1.24

require github.com/jmespath/go-jmespath v0.4.0
MODULE
cat >main.go <<'GO'
package main

import (
	"encoding/json"
	"fmt"

	"github.com/jmespath/go-jmespath"
)

func main() {
	var document any
	if err := json.Unmarshal([]byte(`{"prices": []}`), &document); err != nil {
		panic(err)
	}
	found, err := jmespath.Search("avg(prices)", document)
	fmt.Println(found, err)
	_, err = json.Marshal(found)
	fmt.Println(err)
}
GO
go mod tidy 2>/dev/null
go=$(go run .)
python3 -m venv venv
venv/bin/pip install --quiet jmespath==1.1.0
python=$(venv/bin/python -c 'import jmespath; print(jmespath.search("avg(prices)", {"prices": []}))')
printf 'Go:\n%s\nPython:\n%s\n' "$go" "$python"
[ "$go" = $'NaN <nil>\njson: unsupported value: NaN' ]
[ "$python" = None ]
