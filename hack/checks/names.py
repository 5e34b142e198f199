"""A name of a type stands for at most two things in all crates, so that a reader who searches for it
finds what was meant. `Error` is what libraries call theirs. Tests do not count."""

import collections
import os
import re
import sys
import tomllib

with open("Cargo.toml", "rb") as manifest:
    CRATES = tomllib.load(manifest)["workspace"]["members"]
TYPE = re.compile(r"^(?:pub(?:\([^)]*\))?\s+)?(?:struct|enum|trait|type|union)\s+(\w+)", re.MULTILINE)
MOST = 2


def types(folder):
    for directory, _, names in os.walk(os.path.join(folder, "src")):
        for name in sorted(names):
            path = os.path.join(directory, name)
            module = path[:-3].split(os.sep)[2:]
            if not name.endswith(".rs") or "tests" in module or module[-1].endswith("_tests"):
                continue
            with open(path, encoding="utf-8") as file:
                text = file.read()
            for found in TYPE.findall(re.split(r"^#\[cfg\(test\)\]\s*mod tests", text, flags=re.MULTILINE)[0]):
                yield found, path


def main():
    where = collections.defaultdict(list)
    for crate in CRATES:
        for name, path in types(crate):
            where[name].append(path)
    bad = {name: paths for name, paths in where.items() if len(paths) > MOST and name != "Error"}
    for name, paths in sorted(bad.items()):
        print(f"{name} is {len(paths)} things: {', '.join(paths)}; say which in the names of some", file=sys.stderr)
    print(f"{len(where)} names of types, {len(bad)} for more than {MOST} things")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
