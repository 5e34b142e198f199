"""The chart without a cluster: lint, every documented set of values, and values that are refused.

Uses the program that HELM names, `helm` by default.
"""

import glob
import os
import re
import shutil
import subprocess
import sys

CHART = "charts/alibabacloud-secrets-injector"
HELM = os.environ.get("HELM", "helm")
SKIPPED = 77
REQUIRED = ["image.registry=registry.example", "settings.clusterId=c0123"]
OWN = ["certificates.mode=own", "certificates.own.secretName=certificate"]

# What is set beside what is required, and what must be said about it.
REFUSED = [
    (["image.registry="], "image.registry is required: the registry that holds"),
    (["settings.clusterId="], "settings.clusterId is required: the id of the ACK cluster"),
    (["colour=red"], "additional properties 'colour' not allowed"),
    (["settings.regoin=cn-hangzhou"], "at '/settings': additional properties 'regoin' not allowed"),
    (["settings.injector.image=x"], "at '/settings/injector': additional properties 'image'"),
    (["settings.accountId=1234567890123456"], "at '/settings/accountId': got number, want string"),
    (["settings.network=vcp"], "at '/settings/network': value must be one of 'vpc', 'public'"),
    (["settings.batches=always"], "at '/settings/batches'"),
    (["settings.kmsEndpoint=https://kms.example"], "at '/settings/kmsEndpoint'"),
    (["settings.tokenExpirationSeconds=60"], "/tokenExpirationSeconds': minimum: got 60, want 600"),
    (["settings.injector.command={fetch}"], "/injector/command/0': 'fetch' does not match pattern"),
    (["settings.policy[0].name=payments"], "at '/settings/policy/0': missing properties"),
    (["image.digest=sha256:abc"], "at '/image/digest': 'sha256:abc' does not match pattern"),
    (["replicas=0"], "at '/replicas': minimum: got 0, want 1"),
    (["webhook.port=443"], "at '/webhook/port': minimum: got 443, want 1,024"),
    (["webhook.adminPort=8443"], "webhook.port and webhook.adminPort must differ"),
    (["webhook.port=null"], "at '/webhook': missing property 'port'"),
    (["webhook.timeoutSeconds=31"], "at '/webhook/timeoutSeconds': maximum: got 31, want 30"),
    (["webhook.clientCA.names={a}"], "webhook.clientCA.names needs webhook.clientCA.configMap"),
    (["webhook.clientCA.secret=a"], "at '/webhook/clientCA': additional properties 'secret'"),
    (["webhook.resources.limits.memory=lots"], "at '/webhook/resources/limits/memory': 'lots'"),
    (["certificates.mode=self"], "'self-managed', 'cert-manager', 'own'"),
    (["certificates.mode=own"], "certificates.own.secretName is required for mode own"),
    (OWN, "certificates.own.caBundle is required for mode own"),
    ([*OWN, "certificates.own.caBundle=Cg"], "certificates.own.caBundle must be certificates"),
    (["certificates.certManager.issuerRef.kind=Issuer"], "at '/certificates/certManager/issuerRef"),
    (["networkPolicy.enabled=true"], "networkPolicy.apiServerCIDRs is required"),
    (["networkPolicy.apiServerCIDRs={10.0.0.1}"], "at '/networkPolicy/apiServerCIDRs/0'"),
]
# A file with the key beside the certificate: a message must not repeat it.
SECRET = "c2VjcmV0"
PEM = f"-----BEGIN CERTIFICATE-----AA==-----END CERTIFICATE----------BEGIN PRIVATE KEY-----{SECRET}"


def helm(command, *arguments, values=(), files=()):
    words = [HELM, *command, CHART, *arguments]
    for value in values:
        # --set has no empty list.
        words += ["--set-json" if value.endswith("=[]") else "--set", value]
    for file in files:
        words += ["--values", file]
    return subprocess.run(words, text=True, capture_output=True)


def template(*arguments, values=(), files=()):
    return helm(["template", "release"], "--namespace=namespace", *arguments,
                values=values, files=files)


def value_sets():
    for path in sorted(glob.glob(f"{CHART}/ci/*.yaml")):
        linted = helm(["lint", "--strict"], files=[path])
        if linted.returncode:
            yield f"{path}: {linted.stdout}{linted.stderr}"
        rendered = template(files=[path])
        if rendered.returncode:
            yield f"{path}: {rendered.stderr}"
        with open(path, encoding="utf-8") as file:
            if not file.read().startswith("# "):
                yield f"{path} does not begin with what it is for"


def refusals():
    for values, expected in REFUSED:
        done = template(values=[*REQUIRED, *values])
        if not done.returncode:
            yield f"{values} was accepted"
        elif expected not in done.stderr:
            yield f"{values}: expected {expected!r} in {done.stderr!r}"
    done = template(values=[*REQUIRED, *OWN, f"certificates.own.caBundle={PEM}"])
    if not done.returncode or SECRET in done.stderr:
        yield "a private key as caBundle must be refused and not repeated"
    theirs = template("--namespace=kube-system", values=REQUIRED)
    if "namespace kube-system belongs to the cluster" not in theirs.stderr:
        yield f"the namespace kube-system must be refused: {theirs.stderr!r}"
    old = template("--kube-version=v1.29.9", values=REQUIRED)
    if "which is incompatible with Kubernetes v1.29.9" not in old.stderr:
        yield f"Kubernetes 1.29 must be refused: {old.stderr!r}"


def renderings():
    def settings(*values):
        return template("--show-only=templates/settings.yaml", values=[*REQUIRED, *values]).stdout

    def object_(name, *values):
        return template(f"--show-only=templates/{name}.yaml", values=[*REQUIRED, *values]).stdout

    digest = "sha256:" + "0" * 64
    facts = [
        ("a digest wins over a tag",
         f"registry.example/secrets-webhook@{digest}\n" in
         object_("deployment", f"image.digest={digest}", "image.tag=v1")),
        ("the injected image comes from the webhook's registry",
         "image: registry.example/secrets-injector:v1\n" in settings("injector.image.tag=v1")),
        ("… or from one of its own",
         "image: other.example/secrets-injector:" in
         settings("injector.image.registry=other.example")),
        ("what is empty is left to the webhook", "region" not in settings()),
        ("no mesh proxies are not the default ones",
         "meshProxies: []" in settings("settings.meshProxies=[]")),
        ("caBundle is not named where it is another's", "caBundle" not in object_("webhook")),
        ("the webhook may write in the self-managed mode alone",
         "patch" in object_("rbac") and
         "patch" not in object_("rbac", "certificates.mode=cert-manager")),
        ("classes and namespaces may be read where that is turned on alone",
         all(text not in object_("rbac") and
             text in object_("rbac", "settings.secretProviderClasses=read")
             for text in ("secretproviderclasses", "resources: [namespaces]\n    verbs: [get]"))),
        ("everybody may connect unless a CA is named", "client" not in object_("deployment")),
        ("… and then clients of the CA and of these names",
         all(text in object_("deployment", "webhook.clientCA.configMap=api-servers",
                             "webhook.clientCA.names={one,two}")
             for text in ("--client-ca=/etc/secrets-webhook-clients/ca.crt\n",
                          '- "--client-name=one"\n', '- "--client-name=two"\n',
                          "mountPath: /etc/secrets-webhook-clients\n", "name: api-servers\n"))),
        ("a shutdown has time for its two phases",
         "terminationGracePeriodSeconds: 85\n" in
         object_("deployment", "webhook.drainSeconds=20", "webhook.shutdownTimeout=20")),
    ]
    yield from (f"not so: {sentence}" for sentence, holds in facts if not holds)

    # The webhook's condition stands in the guard, word for word.
    condition = re.search(r"name: triggers\n +expression: >-\n(.*?)\n +#", object_("webhook"), re.S)
    words = condition.group(1).split() if condition else []
    if not words or " ".join(words) not in " ".join(object_("guard").split()):
        yield "the guard has another trigger than the webhook"


def main():
    if not shutil.which(HELM):
        print(f"{HELM} is not there", file=sys.stderr)
        return SKIPPED
    problems = [*value_sets(), *refusals(), *renderings()]
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{len(glob.glob(f'{CHART}/ci/*.yaml'))} sets of values, {len(REFUSED) + 3} refusals, "
          f"{len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
