#!/usr/bin/env bash
# go-jmespath 0.4.0 (Go): a function that fails is null as soon as `[]`, `.*` or a filter stands behind it.
#
# Expected: `sort(name)` of a text is an error of type, and so is `sort(name)[]`: both call the same
# function with the same argument, as jmespath 1.1.0 (Python) has it.
# Behaviour: what `[]`, `.*` and `[?…]` are taken of is evaluated, and its error is dropped. The result is
# null without an error, as if a key were missing; `[0]`, `[*]`, `.x` and `|` pass the error on.
# Seen: an error for `sort(name)`, `sort(name)[0]`, `sort(name)[*]` and `sort(name) | x`; null for
# `sort(name)[]`, `sort(name).*` and `sort(name)[?@]`. In Python all seven are errors.
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
	"fmt"
	"os"

	"github.com/jmespath/go-jmespath"
)

func main() {
	document := map[string]any{"name": "shop"}
	for _, expression := range os.Args[1:] {
		found, err := jmespath.Search(expression, document)
		if err != nil {
			found = "error"
		}
		fmt.Println(expression, found)
	}
}
GO
go mod tidy 2>/dev/null
expressions=('sort(name)' 'sort(name)[0]' 'sort(name)[*]' 'sort(name) | x' 'sort(name)[]' 'sort(name).*' 'sort(name)[?@]')
go=$(go run . "${expressions[@]}")
python3 -m venv venv
venv/bin/pip install --quiet jmespath==1.1.0
cat >search.py <<'PYTHON'
import sys

import jmespath
from jmespath.exceptions import JMESPathTypeError

for expression in sys.argv[1:]:
    try:
        print(expression, jmespath.search(expression, {"name": "shop"}))
    except JMESPathTypeError:
        print(expression, "error")
PYTHON
python=$(venv/bin/python search.py "${expressions[@]}")
printf 'Go:\n%s\nPython:\n%s\n' "$go" "$python"
[ "$(awk '{ print $NF }' <<<"$go" | tr '\n' ' ')" = 'error error error error <nil> <nil> <nil> ' ]
[ "$(grep -c ' error$' <<<"$python")" = 7 ]
