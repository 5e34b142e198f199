"""Who may depend on whom, and what must never be linked, as `cargo tree` sees it."""

import json
import re
import subprocess
import sys

# Direct dependencies among our own crates. The lab emulates the cloud apart from the client: if it
# shared the client's signing, both could be wrong together. Its tests may try one on the other.
OURS = {
    "printable": set(),
    "plan": {"printable"},
    "formats": {"printable"},
    "template": {"printable", "formats"},
    "manifest": set(),
    "flight": set(),
    "secret": set(),
    "transport": {"secret"},
    "cloud": {"printable", "secret", "transport"},
    "certs": set(),
    "webhook": {"printable", "plan", "template", "manifest", "flight", "certs"},
    "injector": {"printable", "plan", "formats", "template", "flight", "secret", "cloud"},
    "lab": {"plan", "certs", "webhook", "injector"},
}
FOR_TESTS = {"lab": {"cloud", "secret", "template"}}

# Crates that must not be linked into ours, and why.
NEVER_IN = {
    "plan": {
        "tokio": "a contract needs no runtime",
        "hyper": "a contract needs no network",
        "rustls": "a contract needs no network",
        "k8s-openapi": "a contract needs no Kubernetes",
    },
    "formats": {
        "tokio": "a text needs no runtime",
        "minijinja": "what readers take for a value, no template decides",
        "serde-saphyr": "a YAML writer of few lines is enough",
    },
    "template": {
        "tokio": "rendering needs no runtime",
        "hyper": "rendering needs no network",
        "regex": "the parse tree says more",
    },
    "manifest": {
        "tokio": "a text editor needs no runtime",
        "k8s-openapi": "documents are edited whatever objects are in them",
    },
    "flight": {
        "hyper": "what is read is not its affair",
    },
    "secret": {
        "tokio": "a value needs no runtime",
        "hyper": "whoever fetches a value has its own way there",
        "rustls": "whoever fetches a value has its own way there",
    },
    "transport": {
        "serde_json": "what is in a body is not its affair",
        "cloud": "a backend uses it, and it knows none",
    },
    "cloud": {
        "plan": "the client knows nothing of plans",
        "kube": "the client knows nothing of Kubernetes",
        "k8s-openapi": "the client knows nothing of Kubernetes",
    },
    "webhook": {
        "cloud": "the webhook never calls the cloud and never holds a value",
        "reqwest": "the webhook calls nobody but the API server",
    },
    "injector": {
        "kube": "the fetcher has no access to Kubernetes",
        "k8s-openapi": "the fetcher has no access to Kubernetes",
        "axum": "twice the size of hyper's server",
        "serde-saphyr": "the webhook hands over JSON",
        "granit-parser": "the webhook hands over JSON",
        "manifest": "the webhook hands over JSON",
        "clap": "30 times the size of lexopt",
    },
}

# In no lock file at all: the first costs 70-90 ms of CPU at every process start, the others
# need a C library of the system.
NOWHERE = {"aws-lc-sys", "aws-lc-rs", "openssl-sys", "openssl", "native-tls"}

# A shipped binary has exactly one library of each kind.
TLS = ("rustls", {"rustls", "openssl", "native-tls", "boring", "s2n-tls", "mbedtls"})
CRYPTO = (
    "ring",
    {"ring", "aws-lc-rs", "openssl", "boring", "mbedtls", "graviola", "hmac", "sha1", "sha2"}
    | {"sha1_smol", "md-5", "aes", "aes-gcm", "chacha20poly1305", "rsa", "p256", "ed25519-dalek"},
)

SHIPPED = ("webhook", "injector")

PLAN_LIMIT = 16

# Two versions of one crate in a shipped binary, and why that is bearable.
DUPLICATES = {
    "base64": "0.22 is ours and hyper-util's, reqwest moved to 0.23; 10 kB",
    "getrandom": "ring's and, for the seed of a hash, kube-runtime's; each a system call",
    "hashbrown": "kube-runtime's is one behind indexmap's; 20 kB",
    "syn": "procedural macros only, nothing of it is linked",
}


def linked(package):
    """Names and versions of what is linked into a package, itself included."""
    command = ["cargo", "tree", "--locked", "--edges=normal", "--prefix=none", "--format={p}"]
    output = subprocess.check_output([*command, f"--package={package}"], text=True)
    return {tuple(line.split()[:2]) for line in output.splitlines() if line}


def direct():
    """Our crates, each with those of ours that it names, and whether for its tests alone."""
    command = ["cargo", "metadata", "--format-version=1", "--locked", "--no-deps"]
    for package in json.loads(subprocess.check_output(command))["packages"]:
        entries = [entry for entry in package["dependencies"] if entry.get("path")]
        yield package["name"], {(entry["name"], entry["kind"] == "dev") for entry in entries}


def locked(path):
    with open(path, encoding="utf-8") as file:
        return set(re.findall(r'^name = "([^"]+)"$', file.read(), re.MULTILINE))


def problems():
    for package, dependencies in direct():
        if package not in OURS:
            yield f"{package} has no rule in hack/checks/dependencies.py"
            continue
        for name, in_tests in sorted(dependencies):
            allowed = OURS[package] | (FOR_TESTS.get(package, set()) if in_tests else set())
            if name not in allowed:
                yield f"{package} must not depend on {name}"

    trees = {package: linked(package) for package in OURS}
    names = {package: {name for name, _ in tree} for package, tree in trees.items()}
    for package, rules in NEVER_IN.items():
        for name in sorted(rules.keys() & names[package]):
            yield f"{package} links {name}: {rules[name]}"
    for path in ("Cargo.lock", "fuzz/Cargo.lock"):
        for name in sorted(NOWHERE & locked(path)):
            yield f"{name} is in {path}"
    if len(trees["plan"]) > PLAN_LIMIT:
        yield f"plan links {len(trees['plan'])} crates, at most {PLAN_LIMIT} are allowed"

    doubled = set()
    for package in SHIPPED:
        for wanted, kind in (TLS, CRYPTO):
            for name in sorted((names[package] & kind) - {wanted}):
                yield f"{package} links {name} beside {wanted}"
            if wanted not in names[package]:
                yield f"{package} does not link {wanted}"
        versions = [name for name, _ in trees[package]]
        doubled |= {name for name in versions if versions.count(name) > 1}
    for name in sorted(doubled - DUPLICATES.keys()):
        yield f"{name} is in a shipped binary twice; take one version, or say why not"
    for name in sorted(DUPLICATES.keys() - doubled):
        yield f"{name} is no longer a duplicate; remove it from the list"

    for package, tree in trees.items():
        print(f"{package}: {len(tree)} crates")


def main():
    found = list(problems())
    for problem in found:
        print(problem, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
