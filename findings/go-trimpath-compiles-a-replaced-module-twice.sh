#!/usr/bin/env bash
# Go 1.26: with -trimpath the same sources are compiled once more where a replacement chose their version.
#
# Expected: two main modules that end up with the same version of a package, and so with the same files,
# share what was compiled of it in the build cache. Without -trimpath they do.
# Behaviour: with -trimpath the key of the cache has the version that was asked for, and not the one that
# a `replace MODULE => MODULE VERSION` put in its place; its files, the compiler's flags and the paths in
# the result are the same. Who holds several programs to one set of versions with replacements, to compile
# what they share once, must leave -trimpath out.
# Seen with github.com/google/uuid 1.6.0, asked for by one module and put in place of 1.5.0 in another:
#     compiled again with -trimpath: 1, without: 0
# The script fails once that is no longer so.
set -euo pipefail

folder=$(mktemp -d)
# Modules are written so that nobody can remove them.
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
export GOCACHE=$folder/cache GOMODCACHE=$folder/modules GOFLAGS=-mod=mod GOWORK=off CGO_ENABLED=0
export GOTOOLCHAIN=go1.26.8
package=github.com/google/uuid
for name in asks replaces; do
    mkdir "$name"
    printf 'package main\n\nimport "%s"\n\nfunc main() { println(uuid.Nil.String()) }\n' "$package" \
        >"$name/main.go"
done
printf 'module asks\n\ngo 1.26\n\nrequire %s v1.6.0\n' "$package" >asks/go.mod
printf 'module replaces\n\ngo 1.26\n\nrequire %s v1.5.0\n\nreplace %s => %s v1.6.0\n' \
    "$package" "$package" "$package" >replaces/go.mod

compiled_again() { # FLAG...
    (cd asks && go build "$@" -o program . 2>/dev/null)
    (cd replaces && go build -n "$@" -o program . 2>&1) | grep -c "compile .* -p $package " || true
}
(cd replaces && go mod download)
with=$(compiled_again -trimpath)
without=$(compiled_again)
echo "compiled again with -trimpath: $with, without: $without"
[ "$with" = 1 ]
[ "$without" = 0 ]
