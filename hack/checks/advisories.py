"""No pinned dependency was yanked from crates.io.

What this does not do: compare with the RustSec advisory database, which is a git repository and
not a package. Where it can be reached, run `cargo audit` as well.
"""

import glob
import json
import os
import re
import subprocess
import sys

SKIPPED = 77


def pinned(path):
    """Name and version of every package that comes from the registry."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    pattern = r'name = "([^"]+)"\nversion = "([^"]+)"\nsource = "registry'
    return re.findall(pattern, text)


def index_path(name):
    """Where the registry's index keeps a crate."""
    name = name.lower()
    if len(name) < 3:
        return f"{len(name)}/{name}"
    if len(name) == 3:
        return f"3/{name[0]}/{name}"
    return f"{name[:2]}/{name[2:4]}/{name}"


def releases(name):
    """What cargo's own copy of the index says of the versions of a crate: `{version: yanked}`."""
    home = os.environ.get("CARGO_HOME", os.path.expanduser("~/.cargo"))
    found = {}
    for path in glob.glob(f"{home}/registry/index/*/.cache/{index_path(name)}"):
        with open(path, "rb") as file:
            entries = file.read().split(b"\0")
        for entry in entries:
            if entry.startswith(b"{"):
                release = json.loads(entry)
                found[release["vers"]] = release["yanked"]
    return found


def main():
    # Asks the registry for what changed; the lock file stays as it is.
    refresh = subprocess.run(
        ["cargo", "update", "--dry-run", "--quiet"], stderr=subprocess.DEVNULL, check=False
    )
    if refresh.returncode != 0:
        print("the registry's index cannot be refreshed, so what was yanked is not known")
        return SKIPPED
    packages = pinned("Cargo.lock")
    problems = 0
    for name, version in packages:
        yanked = releases(name).get(version)
        if yanked is None:
            print(f"{name} {version} is not in cargo's copy of the index", file=sys.stderr)
        elif yanked:
            print(f"{name} {version} was yanked", file=sys.stderr)
        problems += yanked is not False
    print(f"{len(packages)} pinned packages, {problems} problems")
    print("not checked: the RustSec advisory database; run `cargo audit` where it can be reached")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
