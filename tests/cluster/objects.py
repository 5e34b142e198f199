"""Every object that the chart renders, as the API server sees it: strict schema, nothing written.

Wants kubectl and helm on PATH. Objects of APIs that the cluster does not serve are named.
"""

import glob
import re
import subprocess
import sys

CHART = "charts/alibabacloud-secrets-injector"
# Also the release's name, so that no object is one that is installed.
NAMESPACE = "objects"
# `helm test` makes itself a namespace, and a ServiceAccount of the same name in ours.
TESTS = ["objects-alibabacloud-secrets-injector-test", "secrets-injector-test"]
# Refused by Pod Security `restricted`, as its comment says.
ON_THE_NODES = "private-cluster.yaml"
LEVEL = "pod-security.kubernetes.io/warn=restricted"
DRY_RUN = ["apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-"]


def kubectl(*arguments, text=None):
    return subprocess.run(["kubectl", *arguments], input=text, text=True, capture_output=True)


def documents(values):
    command = ["helm", "template", NAMESPACE, CHART, f"--namespace={NAMESPACE}", f"--values={values}"]
    text = subprocess.check_output(command, text=True)
    return [document for document in re.split(r"^---$", text, flags=re.MULTILINE)
            if re.search("^kind: ", document, re.MULTILINE)]


def field(name, document):
    return re.search(f"^{name}: (.+)$", document, re.MULTILINE).group(1)


def main():
    served = set(kubectl("api-versions").stdout.split())
    if "v1" not in served:
        sys.exit("no cluster answers kubectl")
    count, problems, unserved = 0, 0, set()
    try:
        for name in [NAMESPACE, *TESTS]:
            kubectl("create", "namespace", name)
            kubectl("label", "namespace", name, LEVEL)
            kubectl("create", "serviceaccount", name, f"--namespace={NAMESPACE}")
        for values in sorted(glob.glob(f"{CHART}/ci/*.yaml")):
            for document in documents(values):
                api, kind = field("apiVersion", document), field("kind", document)
                if api not in served:
                    unserved.add(f"{kind} ({api})")
                    continue
                done = kubectl(*DRY_RUN, text=document)
                said = done.stderr.strip()
                allowed = values.endswith(ON_THE_NODES) and "(hostNetwork=true)" in said
                count += 1
                if done.returncode or (said and not allowed):
                    problems += 1
                    print(f"{values}: {kind}: {said}", file=sys.stderr)
    finally:
        kubectl("delete", "namespace", "--timeout=60s", "--ignore-not-found", NAMESPACE, *TESTS)
    print(f"{count} objects, {problems} problems")
    if unserved:
        print(f"not checked, the cluster does not serve them: {', '.join(sorted(unserved))}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
