"""Every dependency comes from crates.io and may be used under a licence of the list below.

A page of standard library instead of cargo-deny, which takes minutes to compile: it reads what
`cargo metadata` says of the pinned versions, and works offline.
"""

import json
import re
import subprocess
import sys

ALLOWED = {
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    # Mozilla's root certificates in webpki-roots: data, not code.
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    # The tables of the Unicode consortium.
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
}

CRATES_IO = "registry+https://github.com/rust-lang/crates.io-index"


def acceptable(expression):
    """Whether an SPDX expression can be satisfied; `/` is an old way to write OR."""
    words = re.findall(r"[()]|[^\s()/]+|/", expression)
    value, rest = either(words)
    if rest:
        raise ValueError(f"licence expression {expression!r} is not understood")
    return value


def either(words):
    value, rest = both(words)
    while rest[:1] in (["OR"], ["/"]):
        other, rest = both(rest[1:])
        value = value or other
    return value, rest


def both(words):
    value, rest = single(words)
    while rest[:1] == ["AND"]:
        other, rest = single(rest[1:])
        value = value and other
    return value, rest


def single(words):
    if not words:
        raise ValueError("licence expression ends too early")
    word, rest = words[0], words[1:]
    if word == "(":
        value, rest = either(rest)
        if rest[:1] != [")"]:
            raise ValueError("licence expression lacks a closing bracket")
        return value, rest[1:]
    if rest[:1] == ["WITH"]:
        word, rest = " ".join([word, *rest[:2]]), rest[2:]
    return word in ALLOWED, rest


def main():
    command = ["cargo", "metadata", "--format-version=1", "--locked", "--all-features"]
    packages = json.loads(subprocess.check_output(command))["packages"]
    problems = []
    for package in packages:
        name = f"{package['name']} {package['version']}"
        if package["source"] not in (None, CRATES_IO):
            problems.append(f"{name} comes from {package['source']}")
        # A crate without an expression has a file instead, which somebody would have to read.
        if not acceptable(package["license"] or "none"):
            problems.append(f"{name} is licensed {package['license']!r}, which is not on the list")
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{len(packages)} packages, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
