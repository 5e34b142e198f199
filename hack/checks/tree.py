"""Rules for the files of the repository that no compiler checks."""

import os
import re
import subprocess
import sys

MOST_LINES = 400

# Hosts that our files may name: the cloud's, those of documents, and the reserved ones.
HOSTS = (
    "aliyuncs.com",
    "aliyun.com",
    "alibabacloud.com",
    "kubernetes.io",
    "k8s.io",
    "github.com",
    "apache.org",
    "crates.io",
    "docs.rs",
    "rustup.rs",
    "keepachangelog.com",
    "semver.org",
    "jmespath.org",
    "json-schema.org",
    "localhost",
    "example",
    "example.com",
    "example.org",
    "invalid",
    "test",
    "svc",
    "cluster.local",
    "127.0.0.1",
    "[::1]",
    # The metadata service of cloud hosts, which a Pod must not name as an endpoint.
    "169.254.169.254",
)

# Folders of somebody's machine. The character before keeps `/proc/1/root/` out.
MACHINE = re.compile(r"(?<![\w.$}{])/(?:work|home|root|Users)/\w")
URL = re.compile(r"\bhttps?://(\[[0-9a-f:]+\]|[^/\s\"'`<>()\[\]\\,;?#]+)")
UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX)\b|#\[ignore|\btodo!|\bunimplemented!")
UNSAFE = re.compile(r"^(?!\s*//).*\bunsafe\b(?!-)")
# Words with which a comment begins that has no subject.
FRAGMENT = re.compile(r"^\s*//[/!]? (?:Of|Behind|Whose|That of|Who) ")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def files():
    """Tracked files and new ones that are not ignored; safe.directory: CI may be another user."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others"]
    output = subprocess.check_output([*command, "--exclude-standard"], text=True)
    return sorted(path for path in set(output.split("\0")) if path and os.path.isfile(path))


def is_test(path):
    parts = path.split("/")
    return parts[-1] == "tests.rs" or parts[-1].endswith("_tests.rs") or "tests" in parts[1:-1]


def known(host):
    host = host.rpartition("@")[2]
    if not host.startswith("["):
        host = host.partition(":")[0]
    host = host.rstrip(".").lower()
    # A placeholder, or a word of a test that is no name of the public tree.
    if not re.fullmatch(r"[a-z0-9.-]+\.[a-z]{2,}|[0-9.]+|\[.*\]", host):
        return True
    return any(host == allowed or host.endswith(f".{allowed}") for allowed in HOSTS)


def in_text(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        if MACHINE.search(line):
            yield number, "names a folder of one machine"
        for host in URL.findall(line):
            if not known(host):
                yield number, f"names the host {host}; if it belongs here, add it to hack/checks/tree.py"


def in_rust(path, text):
    lines = text.splitlines()
    if not is_test(path):
        if len(lines) > MOST_LINES:
            yield len(lines), f"a file has at most {MOST_LINES} lines; split it by nouns"
        if not text.startswith("//!"):
            yield 1, "a file begins with a //! line that says what it owns"
    for number, line in enumerate(lines, 1):
        if UNFINISHED.search(line):
            yield number, "unfinished"
        if UNSAFE.search(line):
            yield number, "no unsafe code, not even in tests"
        follows = number > 1 and lines[number - 2].lstrip().startswith("//")
        if FRAGMENT.search(line) and not follows:
            yield number, "a comment begins with what it is about, and is a sentence"


def in_manifest(path, text):
    if "[package]" in text and not path.startswith("fuzz/"):
        if "[lints]\nworkspace = true" not in text:
            yield 1, "a crate takes the lints of the workspace: [lints] workspace = true"


def in_markdown(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        for target in LINK.findall(line):
            if "://" in target or target.startswith("mailto:"):
                continue
            if not os.path.exists(os.path.join(os.path.dirname(path), target)):
                yield number, f"links to {target}, which does not exist"


def main():
    checks = {".rs": in_rust, "Cargo.toml": in_manifest, ".md": in_markdown}
    count, problems = 0, 0
    for path in files():
        # Seeds of the fuzz targets are bytes for a parser.
        if path.startswith("fuzz/seeds/"):
            continue
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
        count += 1
        found = list(in_text(path, text))
        for ending, check in checks.items():
            if path.endswith(ending):
                found += check(path, text)
        for number, problem in found:
            print(f"{path}:{number}: {problem}", file=sys.stderr)
        problems += len(found)
    print(f"{count} files, {problems} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
