"""Documents claim what a test holds and what a manifest looks like; whatever they name exists.

In docs/security.md and docs/coverage.md each row of a table that has a column "held by" names a test,
a story, a check or a rule of the admission policies. A row of docs/coverage.md that says "not" has a
reason and may do without. In docs/migrating, YAML under a link to an example is part of that example."""

import os
import re
import subprocess
import sys

PAGES = ("docs/security.md", "docs/coverage.md")
MOVES = "docs/migrating"
POLICIES = "tests/cluster/policies.py"
QUOTED = re.compile(r"`([^`]+)`")
# Two underscores make a sentence, which is what tests and stories are called.
TEST = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+){2,}")
# A test of one file.
PLACED = re.compile(r"([\w./-]+\.rs)::(\w+)")
# Attributes, one a line, then the function.
FUNCTION = re.compile(r"((?:^[ \t]*#\[[^\n]*\n)*)^[ \t]*(?:pub )?(?:async )?fn (\w+)\(", re.MULTILINE)
IS_TEST = re.compile(r"#\[(?:tokio::)?test\b")
PATH = re.compile(r"(?:[\w.-]+/)+[\w.-]+")
# Where a row says that something is not there, with its reason.
NOT_HERE = re.compile(r"\| not[:,] ")
# A line that ends in a link to an example, then YAML.
SHOWN = re.compile(r"\]\(([^)\s]*examples/[^)\s]+\.yaml)\)[^\n]*:\n\n```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
YAML = re.compile(r"^```yaml\n", re.MULTILINE)
GAP = "# …"


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


class Known:
    """Tests of Rust, by themselves and by file, and files without their endings: a story may be a file."""

    def __init__(self):
        command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others"]
        listed = subprocess.check_output([*command, "--exclude-standard", "*.rs"], text=True)
        self.names, self.tests = set(), {}
        for path in filter(os.path.isfile, listed.split("\0")):
            functions = FUNCTION.findall(read(path))
            self.tests[path] = {name for attributes, name in functions if IS_TEST.search(attributes)}
            self.names |= self.tests[path] | {os.path.basename(path).removesuffix(".rs")}
        self.policies = read(POLICIES)

    def has(self, name):
        """Whether it exists; None where it is the name of nothing of ours."""
        rule = name.removeprefix("policies.py: ")
        placed = PLACED.fullmatch(name)
        if rule != name:
            return f'"{rule}"' in self.policies
        if placed:
            return placed[2] in self.tests.get(placed[1], ())
        if TEST.fullmatch(name):
            return name in self.names
        if PATH.fullmatch(name) and os.path.isdir(name.partition("/")[0]):
            return os.path.exists(name)
        return None


def in_claims(page, known):
    held = False
    for number, line in enumerate(read(page).splitlines(), 1):
        for name in QUOTED.findall(line):
            if known.has(name) is False:
                yield number, f"there is no {name}"
        if not line.startswith("|"):
            held = False
        elif line.rstrip(" |").endswith("| held by"):
            held = True
        elif held and not line.startswith("|---") and not NOT_HERE.search(line):
            last = line.rstrip(" |").rpartition(" | ")[2]
            if all(known.has(name) is None for name in QUOTED.findall(last)):
                yield number, "nothing is said to hold this"


def in_moves(page):
    text = read(page)
    shown = {match.start(2) for match in SHOWN.finditer(text)}
    for match in YAML.finditer(text):
        if match.end() not in shown:
            yield text.count("\n", 0, match.end()), "the line above names no example that has this"
    for match in SHOWN.finditer(text):
        number = text.count("\n", 0, match.start(2)) + 1
        example = os.path.normpath(os.path.join(os.path.dirname(page), match[1]))
        if not os.path.isfile(example):
            yield number, f"there is no {example}"
            continue
        manifest = read(example)
        # What is left out stands on a line of its own.
        for part in re.split(rf"^ *{GAP}\n", match[2], flags=re.MULTILINE):
            if part not in manifest:
                yield number, f"this does not stand in {example}"


def main():
    known = Known()
    checks = [(page, lambda page: in_claims(page, known)) for page in PAGES]
    checks += [(f"{MOVES}/{name}", in_moves) for name in sorted(os.listdir(MOVES))]
    count = 0
    for page, check in checks:
        for number, problem in check(page):
            print(f"{page}:{number}: {problem}", file=sys.stderr)
            count += 1
    print(f"claims of {len(checks)} documents: {count} problems")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
