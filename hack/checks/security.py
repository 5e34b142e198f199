"""docs/security.md claims what a test holds: each row of its tables that has a column "held by" names
a test, a story, a check or a rule of the admission policies, and whatever it names exists."""

import os
import re
import subprocess
import sys

PAGE = "docs/security.md"
POLICIES = "tests/cluster/policies.py"
QUOTED = re.compile(r"`([^`]+)`")
# Two underscores make a sentence, which is what tests and stories are called.
TEST = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+){2,}")
# Attributes, one a line, then the function.
FUNCTION = re.compile(r"((?:^[ \t]*#\[[^\n]*\n)*)^[ \t]*(?:pub )?(?:async )?fn (\w+)\(", re.MULTILINE)
IS_TEST = re.compile(r"#\[(?:tokio::)?test\b")
PATH = re.compile(r"(?:[\w.-]+/)+[\w.-]+")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def known():
    """Tests of Rust, and files without their endings: a story may be a file."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others"]
    listed = subprocess.check_output([*command, "--exclude-standard", "*.rs"], text=True)
    names = set()
    for path in filter(os.path.isfile, listed.split("\0")):
        names.add(os.path.basename(path).removesuffix(".rs"))
        functions = FUNCTION.findall(read(path))
        names |= {name for attributes, name in functions if IS_TEST.search(attributes)}
    return names


def missing(text, names, policies):
    """Whether it names something, and what of it does not exist."""
    found, absent = False, []
    for name in QUOTED.findall(text):
        rule = name.removeprefix("policies.py: ")
        if rule != name:
            there = f'"{rule}"' in policies
        elif TEST.fullmatch(name):
            there = name in names
        elif PATH.fullmatch(name) and os.path.isdir(name.partition("/")[0]):
            there = os.path.exists(name)
        else:
            continue
        found = True
        if not there:
            absent.append(name)
    return found, absent


def problems():
    names, policies = known(), read(POLICIES)
    held = False
    for number, line in enumerate(read(PAGE).splitlines(), 1):
        for name in missing(line, names, policies)[1]:
            yield number, f"there is no {name}"
        if not line.startswith("|"):
            held = False
        elif line.rstrip(" |").endswith("| held by"):
            held = True
        elif held and not line.startswith("|---"):
            if not missing(line.rstrip(" |").rpartition(" | ")[2], names, policies)[0]:
                yield number, "nothing is said to hold this"


def main():
    found = list(problems())
    for number, problem in found:
        print(f"{PAGE}:{number}: {problem}", file=sys.stderr)
    print(f"{PAGE}: {len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
