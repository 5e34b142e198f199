"""What the chart's admission policies refuse, warn about and let through, on a real API server.

Wants kubectl and helm on PATH, and a cluster that the chart is not installed in: the webhook would
change the Pods before the guard sees them. Leaves nothing behind.
"""

import json
import subprocess
import sys
import time
import urllib.parse

CHART = "charts/alibabacloud-secrets-injector"
# Flags of the operator's for every fetcher; the second is none, but it would be hard to quote.
EXTRA = ["--log-format=json", "' \" \\ # {{ }} <&> $ \u00e9"]
RELEASE = "policies"
FULLNAME = "policies-alibabacloud-secrets-injector"
ITSELF = f"system:serviceaccount:{RELEASE}:{FULLNAME}"
WEBHOOK_NAME = "pods.kms.alibabacloud"
PREFIX = "kms.alibabacloud/"
ASKING = {f"{PREFIX}secrets": "db: kms://shop/db"}
OPTED_OUT = {f"{PREFIX}injection": "disabled"}
# Namespaces of the test, with their labels. The first one is the release's own, and opted in by
# mistake: it is left out nevertheless.
NAMESPACES = {
    RELEASE: "enabled",
    "policies-opted-in": "enabled",
    "policies-plain": None,
    "policies-opted-out": "disabled",
}
IN, PLAIN, OUT = "policies-opted-in", "policies-plain", "policies-opted-out"

# A case: a sentence, its outcome (ALLOWED, or what is refused or warned about, with words that must
# be in the text), and what is done: arguments of kubectl and its input.
ALLOWED, DENIED, WARNED = "allowed", "denied", "warned"
NO_CONTAINER = (DENIED, "has no container that fetches them")
NOT_OPTED_IN = (WARNED, "has not opted in: label it kms.alibabacloud/injection=enabled")
# Refused by the API server because the webhook, which does not exist here, was to be called.
CALLED = (DENIED, "failed calling webhook")


def container(name, *mounts, **more):
    return {"name": name, "image": "registry.example/app:1", "volumeMounts": list(mounts), **more}


def tracing(*capabilities):
    return {"securityContext": {"capabilities": {"add": list(capabilities)}}}


def mount(volume, **more):
    return {"name": volume, "mountPath": f"/mnt/{volume}", **more}


CONFINED = {"allowPrivilegeEscalation": False, "runAsNonRoot": True, "runAsUser": 65532,
            "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"}}


TOKEN_DIRECTORY = "/var/run/secrets/kubernetes.io/serviceaccount"
AUDIENCE = {"serviceAccountToken": {"audience": "sts.aliyuncs.com", "path": "token"}}
CA = {"name": "ca", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
# Volumes as injection adds them, and one of somebody else's.
VOLUMES = {
    "kms-rrsa-token": {"projected": {"sources": [AUDIENCE]}},
    "kms-credentials": {"secret": {"secretName": "keys"}},
    "kms-ca": {"configMap": CA},
    "own": {"emptyDir": {}},
} | {name: {"emptyDir": {"medium": "Memory"}} for name in ("kms-secrets", "kms-env", "kms-agent")}


def ours(name="kms-secrets-init", **more):
    plan = [{"name": "SECRETS_INJECTOR_PLAN", "value": "{}"}]
    token = mount("kms-rrsa-token") | {"mountPath": TOKEN_DIRECTORY}
    mounts = [mount("kms-secrets"), token, *more.pop("mounts", [])]
    confined = CONFINED | more.pop("security", {})
    role = "init" if name == "kms-secrets-init" else "refresh"
    return container(name, *mounts, env=plan, command=["/secrets-injector"], args=[role, *EXTRA],
                     securityContext=confined) | more


PROBE = {"exec": {"command": ["/secrets-injector", "probe"]}}


def native(**more):
    """Our native sidecar: what is behind it waits for its probe."""
    return ours("kms-secrets", **{"restartPolicy": "Always", "startupProbe": PROBE} | more)


def pod(namespace=IN, annotations=ASKING, labels=None, init=(), containers=None, volumes=None):
    volumes = [{"name": name} | kind for name, kind in (VOLUMES | (volumes or {})).items()]
    metadata = {"generateName": "case-", "namespace": namespace}
    metadata |= {"annotations": annotations, "labels": labels or {}}
    spec = {"initContainers": list(init), "containers": containers or [container("app")]}
    spec |= {"volumes": volumes, "schedulingGates": [{"name": "case.example/never"}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def mirror():
    value = pod(annotations=ASKING | {"kubernetes.io/config.mirror": "1"})
    del value["spec"]["schedulingGates"], value["spec"]["volumes"]
    value["spec"]["nodeName"] = "node"
    return value


def workload(kind, namespace=IN, own=None, job=None, owners=None, **template):
    annotations = pod(**template)["metadata"]["annotations"]
    inner = {"metadata": {"labels": {"app": "case"}, "annotations": annotations},
             "spec": {"containers": [container("app")]}}
    metadata = {"generateName": "case-", "namespace": namespace, "annotations": own or {}}
    metadata |= {"ownerReferences": owners or []}
    spec = {"template": inner}
    if kind in ("Job", "CronJob"):
        inner["spec"]["restartPolicy"] = "Never"
    else:
        spec["selector"] = {"matchLabels": {"app": "case"}}
    if kind == "CronJob":
        spec = {"schedule": "0 0 * * *",
                "jobTemplate": {"metadata": {"annotations": job or {}}, "spec": spec}}
    group = "batch/v1" if kind in ("Job", "CronJob") else "apps/v1"
    return {"apiVersion": group, "kind": kind, "metadata": metadata, "spec": spec}


def created(value):
    return ["create", "-f", "-"], value


def debugged(name, *containers):
    """The Pod of this name gets ephemeral containers, as by `kubectl debug`."""
    # By its path: not every kubectl that is supported knows the subresource's name.
    path = f"/api/v1/namespaces/{IN}/pods/{name}/ephemeralcontainers?dryRun=All"

    def changed():
        value = json.loads(must("get", "pod", name, f"--namespace={IN}", "--output=json"))
        value["spec"]["ephemeralContainers"] = list(containers)
        return value

    return ["replace", f"--raw={path}", "-f", "-"], changed


def run(command, container="kms-secrets-init", namespace=IN, verb="get"):
    """A command is run in a container of the Pod `running`, which runs nowhere."""
    query = urllib.parse.urlencode({"container": container, "command": command}, doseq=True)
    path = f"/api/v1/namespaces/{namespace}/pods/running/exec?{query}"
    more = ["-f", "-"] if verb == "create" else []
    return [verb, f"--raw={path}", *more], lambda: None


def image(name, init=None, app=None):
    """An image of the Pod of this name is changed."""
    lists = {"initContainers": ("kms-secrets-init", init), "containers": ("app", app)}
    spec = {field: [{"name": name, "image": new}] for field, (name, new) in lists.items() if new}
    return ["patch", "pod", name, f"--namespace={IN}", f"--patch={json.dumps({'spec': spec})}"], None


def annotated(name, annotations):
    """The template of the Deployment of this name gets annotations."""
    change = json.dumps({"spec": {"template": {"metadata": {"annotations": annotations}}}})
    return ["patch", "deployment", name, f"--namespace={PLAIN}", f"--patch={change}"], None


def patched(*operations, by=ITSELF):
    """The configuration is patched, by the webhook's ServiceAccount unless said otherwise."""
    impersonated = [f"--as={by}"] if by else []
    return ["patch", "mutatingwebhookconfiguration", FULLNAME, "--type=json",
            f"--patch={json.dumps(operations)}", *impersonated], None


def put(path, value):
    return {"op": "add", "path": path, "value": value}


# Pods that ask for secrets, and Pods that do not: the guard and the webhook's match conditions
# must agree on each.
TRIGGERS = [
    ("a Pod with annotations of ours", pod(), True),
    ("a Pod with an unknown annotation of ours", pod(annotations={f"{PREFIX}secretz": ""}), True),
    ("a Pod that says it is opted in", pod(labels={f"{PREFIX}injection": "enabled"}), True),
    ("a Pod without annotations", pod(annotations=None), False),
    ("a Pod with annotations of others", pod(annotations={"example.com/kms.alibabacloud": ""}),
     False),
    ("a Pod with nothing but a status", pod(annotations={f"{PREFIX}status": "{}"}), False),
    ("a Pod that opted out", pod(labels=OPTED_OUT), False),
    ("the mirror of a static Pod", mirror(), False),
]

READ_ONLY = mount("kms-secrets", readOnly=True)
TOKEN, WRITABLE = mount("kms-rrsa-token", readOnly=True), mount("kms-secrets")
REACHES, WRITES = "mounts kms-rrsa-token", "mounts secrets writable"
READS = "has a variable that the kubelet would read from a volume of secrets"
TRACES = "container debug could trace the container that fetches secrets"
TRACING = ["ALL", "SYS_PTRACE", "SYS_ADMIN", "PERFMON", "BPF", "SYS_MODULE", "SYS_RAWIO",
           "CHECKPOINT_RESTORE"]
# Container runtimes make some letters of Unicode ASCII ones, and the API server looks at no name.
FOREIGN = ["\u017fYS_PTRACE", "SYS_ADM\u0131N", "SYS-ADMIN", ""]
LOOSENED = (DENIED, "container kms-secrets-init fetches secrets and is less confined")
LED = (DENIED, "container kms-secrets-init fetches secrets and would run otherwise")
ASTRAY = (DENIED, "container kms-secrets fetches secrets and would run otherwise")
COVERED = (DENIED, "container kms-secrets-init fetches secrets and has something else mounted")


def token(*sources):
    return {"projected": {"sources": list(sources)}}


def read(volume, path):
    reference = {"volumeName": volume, "path": path, "key": "PW"}
    return {"env": [{"name": "PW", "valueFrom": {"fileKeyRef": reference}}]}


def injected(*mounts, **more):
    return pod(init=[ours()], containers=[container("app", *mounts)], **more)


def sharing(value, how="shareProcessNamespace"):
    """The Pod, with processes that all of its containers see."""
    return value | {"spec": value["spec"] | {how: True}}


def beside(*init, how="shareProcessNamespace", **more):
    """A Pod that shares its processes, as `kubectl debug --copy-to` leaves it: nothing of ours in
    its metadata, and a container beside ours."""
    app = [] if init else [container("debug", **more)]
    value = pod(annotations=None, init=[ours(), *init], containers=[container("app"), *app])
    return created(sharing(value, how))


def many(count, named, mounts=1):
    """As many consumers, as many of them named."""
    each = [READ_ONLY, *(mount("kms-env", readOnly=True) | {"mountPath": f"/more/{n}"}
                         for n in range(1, mounts))]
    names = [f"app-{number:03}" for number in range(count)]
    asking = ASKING | {f"{PREFIX}containers": ",".join(names[:named])}
    return pod(annotations=asking, init=[ours()], containers=[container(n, *each) for n in names])



GUARD = [
    ("an injected Pod is let through", ALLOWED, created(injected(READ_ONLY))),
    ("so is one with a native sidecar of ours", ALLOWED,
     created(pod(init=[native()]))),
    ("so is one with both", ALLOWED,
     created(pod(init=[ours(), native(startupProbe=None)]))),
    ("so is one with both and the agent, for which the application waits", ALLOWED,
     created(pod(init=[ours(mounts=[mount("kms-agent")]), native(mounts=[mount("kms-agent")])]))),
    ("so is one with an ordinary sidecar of ours", ALLOWED,
     created(pod(init=[ours()], containers=[container("app"), ours("kms-secrets")]))),
    ("one of them with another image is not ours", (DENIED, "has another image than the other"),
     created(pod(init=[ours(), ours("kms-secrets", image="registry.example/thief:1")]))),
    ("an ordinary sidecar with another image is not either", (DENIED, "has another image"),
     created(pod(init=[ours()], containers=[container("app"),
                                            ours("kms-secrets", image="registry.example/x:1")]))),
    ("an ordinary sidecar alone fetches nothing before the start", NO_CONTAINER,
     created(pod(containers=[container("app"), ours("kms-secrets")]))),
    ("a container of our name without a plan is not ours", NO_CONTAINER,
     created(pod(init=[container("kms-secrets-init")]))),
    ("a container with a plan and another name is not ours", NO_CONTAINER,
     created(pod(init=[ours("fetcher")]))),
    ("an ordinary container of our name is not ours", NO_CONTAINER,
     created(pod(containers=[ours()]))),
    ("a consumer must not mount the token", (DENIED, f"container app {REACHES}"),
     created(injected(TOKEN))),
    ("nor may an init container", (DENIED, f"container first {REACHES}"),
     created(pod(init=[container("first", TOKEN), ours()]))),
    ("nor may one beside it that has our name alone", (DENIED, f"container kms-secrets {REACHES}"),
     created(pod(init=[ours(), container("kms-secrets", TOKEN)]))),
    ("all who do are named", (DENIED, f"container first, app, more {REACHES}"),
     created(pod(init=[ours(), container("first", TOKEN)],
                 containers=[container("app", TOKEN), container("more", TOKEN)]))),
    ("a consumer must not mount the secrets writable", (DENIED, f"container app {WRITES}"),
     created(injected(WRITABLE))),
    ("readOnly: false is writable", (DENIED, f"container app {WRITES}"),
     created(injected(mount("kms-secrets", readOnly=False)))),
    ("one read-only mount does not cover a writable one", (DENIED, f"container app {WRITES}"),
     created(injected(READ_ONLY, mount("kms-secrets") | {"mountPath": "/mnt/more"}))),
    ("a sub path is writable too", (DENIED, f"container app {WRITES}"),
     created(injected(mount("kms-secrets", subPath="db")))),
    ("nor any other volume that is ours to write", (DENIED, f"container app, more {WRITES}"),
     created(pod(init=[ours()], containers=[container("app", mount("kms-env")),
                                            container("more", mount("kms-agent"))]))),
    ("all of them may be read", ALLOWED,
     created(injected(READ_ONLY, *(mount(name, readOnly=True) for name in ("kms-env", "kms-agent"))))),
    ("an init container must not mount the secrets writable", (DENIED, f"container first {WRITES}"),
     created(pod(init=[ours(), container("first", WRITABLE)]))),
    *[(f"no variable is read from {volume} by the kubelet", (DENIED, f"container app {READS}"),
       created(pod(init=[ours()], containers=[container("app", **read(volume, path))])))
      for volume, path in [("kms-secrets", "..data/db"), ("kms-agent", "token"),
                           ("kms-env", "other.PW")]],
    ("… but for what the webhook writes", ALLOWED,
     created(pod(init=[ours()], containers=[container("app", **read("kms-env", "app.PW"))]))),
    ("our container is refused with a variable that the kubelet reads from a file", LED,
     created(pod(init=[ours(env=[{"name": "SECRETS_INJECTOR_PLAN", "value": "{}"},
                                 *read("kms-env", "kms-secrets-init.PW")["env"]])]))),
    ("an injected Pod that opts out stays guarded", (DENIED, REACHES),
     created(injected(TOKEN, labels=OPTED_OUT))),
    ("an injected Pod without annotations stays guarded", (DENIED, WRITES),
     created(injected(WRITABLE, annotations=None))),
    ("volumes of our names in a Pod that is not ours are its own affair", ALLOWED,
     created(pod(annotations=None, containers=[container("app", TOKEN, WRITABLE)]))),
    ("so are they in a Pod that opted out", ALLOWED,
     created(pod(labels=OPTED_OUT, containers=[container("app", TOKEN, WRITABLE)]))),
    ("an ephemeral container that mounts nothing of ours is let through", ALLOWED,
     debugged("running", container("debug"))),
    ("one that reads the secrets is let through", ALLOWED,
     debugged("running", container("debug", READ_ONLY))),
    *[(f"one that reads them and has {name} is refused", (DENIED, "could make them writable"),
       debugged("running", container("debug", READ_ONLY, **more)))
      for name, more in [("SYS_ADMIN", tracing("SYS_ADMIN")), ("ALL", tracing("all")),
                         ("all privileges", {"securityContext": {"privileged": True}})]],
    ("one that has all privileges and reads none is let through", ALLOWED,
     debugged("running", container("debug", securityContext={"privileged": True}))),
    ("a Pod of ours alone is refused", (DENIED, "no container (spec.containers) but the one"),
     created(pod(init=[ours()], containers=[ours("kms-secrets")]))),
    ("one that mounts the token is refused", (DENIED, f"container debug {REACHES}"),
     debugged("running", container("debug", TOKEN))),
    ("one that mounts the secrets writable is refused", (DENIED, f"container debug {WRITES}"),
     debugged("running", container("debug", WRITABLE))),
    ("one with a variable from a file of ours is refused", (DENIED, f"container debug {READS}"),
     debugged("running", container("debug", **read("kms-secrets", "..data/db")))),
    ("one of our name and with a plan is not ours", (DENIED, f"container kms-secrets {REACHES}"),
     debugged("running", ours("kms-secrets"))),
    ("once its annotations are gone and it has opted out, it stays guarded", (DENIED, REACHES),
     debugged("opted-out-later", container("debug", TOKEN))),
    ("a Pod that is not ours may be debugged, though annotations came later", ALLOWED,
     debugged("annotated-later", container("debug", TOKEN, WRITABLE))),
    ("one that may trace is refused where containers share their processes", (DENIED, TRACES),
     debugged("sharing", container("debug", **tracing("SYS_PTRACE")))),
    *[(f"… however {name} is written", (DENIED, TRACES),
       debugged("sharing", container("debug", **tracing(name))))
      for name in ("sys_ptrace", "Cap_Sys_Ptrace", "all")],
    *[(f"… with {name} too", (DENIED, TRACES),
       debugged("sharing", container("debug", **tracing("KILL", name)))) for name in TRACING],
    *[(f"a capability that is not written in ASCII letters is refused there: {name!r}",
       (DENIED, TRACES), debugged("sharing", container("debug", **tracing("KILL", name))))
      for name in FOREIGN],
    ("one that is privileged is refused there", (DENIED, TRACES),
     debugged("sharing", container("debug", securityContext={"privileged": True}))),
    ("one with another capability is let through there", ALLOWED,
     debugged("sharing", container("debug", **tracing("net_admin")))),
    ("one that may trace is let through where nothing is shared", ALLOWED,
     debugged("running", container("debug", **tracing("SYS_PTRACE")))),
    ("one whose target is ours is refused everywhere", (DENIED, TRACES),
     debugged("running", container("debug", targetContainerName="kms-secrets-init"))),
    ("a copy with a container that may do nothing is let through", ALLOWED, beside()),
    *[(f"a copy is refused whose container has {name}", (DENIED, TRACES), beside(**tracing(name)))
      for name in [*TRACING, *(f"CAP_{name}" for name in TRACING), "sys_Admin", "cap_bpf"]],
    *[(f"a copy is refused whose container has the capability {name!r}", (DENIED, TRACES),
       beside(how=how, **tracing(name)))
      for name in FOREIGN for how in ("shareProcessNamespace", "hostPID")],
    ("a copy is refused whose container is privileged", (DENIED, TRACES),
     beside(securityContext={"privileged": True})),
    ("… with the processes of the node too", (DENIED, TRACES),
     beside(how="hostPID", **tracing("SYS_PTRACE"))),
    ("an init container that may trace is refused", (DENIED, TRACES),
     beside(container("debug", **tracing("PERFMON")))),
    ("so is one in a Pod that asks for secrets", (DENIED, TRACES),
     created(sharing(pod(init=[ours()], containers=[container("debug", **tracing("BPF"))])))),
    ("other capabilities are let through", ALLOWED,
     beside(**tracing("NET_ADMIN", "DAC_READ_SEARCH", "SYS_TIME"))),
    ("a copy that shares nothing is let through", ALLOWED,
     created(pod(annotations=None, init=[ours()],
                 containers=[container("debug", **tracing("SYS_PTRACE"))]))),
    ("a Pod that is not ours may trace", ALLOWED,
     created(sharing(pod(annotations=None, containers=[container("app", **tracing("ALL"))])))),
    *[(f"our container is refused with {field}: {value}", LOOSENED,
       created(pod(annotations=annotations, init=[ours(security={field: value})])))
      for annotations in (ASKING, None) for field, value in [
          ("capabilities", {"add": ["NET_ADMIN"]}), ("runAsUser", 0), ("runAsNonRoot", False),
          ("allowPrivilegeEscalation", None), ("seLinuxOptions", {"type": "spc_t"}),
          ("seccompProfile", {"type": "Unconfined"}), ("appArmorProfile", {"type": "Unconfined"}),
          ("seccompProfile", None), ("capabilities", {}), ("readOnlyRootFilesystem", False)]],
    ("our container is refused where it is privileged", LOOSENED,
     created(pod(init=[ours(security={"privileged": True, "allowPrivilegeEscalation": True})]))),
    ("what keeps it apart more strictly is let through", ALLOWED,
     created(pod(init=[ours(security={"seLinuxOptions": {"level": "s0:c1,c2"},
                                      "appArmorProfile": {"type": "RuntimeDefault"}})]))),
    *[(f"our container is refused with something else at {path}", COVERED,
       created(pod(init=[ours(mounts=[mount("own", **more) | {"mountPath": path}])])))
      for path, more in [
          ("/", {}), ("/etc", {}), ("/etc/resolv.conf", {}), ("/proc", {}), ("/usr/lib", {}),
          ("/secrets-injector", {}), ("/secrets-injector/", {"subPath": "x"}), ("/other", {}),
          ("/mnt/kms-secrets/db", {}), ("/x/../etc", {}), ("//etc", {}), ("etc", {})]],
    ("so is an ordinary sidecar of ours", (DENIED, "container kms-secrets fetches secrets and has"),
     created(pod(init=[ours()], containers=[container("app"), ours("kms-secrets",
                                                                   mounts=[mount("own")])]))),
    *[(f"our container is refused with {volume} at {path}", COVERED,
       created(pod(init=[ours(mounts=[mount(volume, **more) | {"mountPath": path}])])))
      for volume, path, more in [
          ("kms-ca", "/secrets-injector", {}), ("kms-ca", "/etc/kms-ca", {"subPath": "ca.crt"}),
          ("kms-env", "/lib", {}), ("kms-agent", "/a", {"subPathExpr": "$(A)"}),
          ("kms-agent", "/secrets-injector", {}), ("kms-agent", "/secrets-injector/", {}),
          ("kms-agent", "/x/../secrets-injector", {}), ("kms-agent", "//secrets-injector", {}),
          ("kms-agent", "secrets-injector", {})]],
    *[(f"our container is let through with {volume} at {path}", ALLOWED,
       created(pod(init=[ours(mounts=[mount(volume) | {"mountPath": path}])])))
      for volume, path in [("kms-agent", "/secrets-injector.d"), ("kms-agent", "/a/.kms/..b/"),
                           ("kms-env", "/kms-env")]],
    ("the keys where they belong are let through", ALLOWED,
     created(pod(init=[ours(mounts=[mount("kms-credentials") | {"mountPath": "/etc/kms-credentials"}])]))),
    ("the keys anywhere else are refused", COVERED,
     created(pod(init=[ours(mounts=[mount("kms-credentials") | {"mountPath": "/x"}])]))),
    ("another container that mounts the keys is refused", (DENIED, "kms-credentials, with which secrets"),
     created(pod(init=[ours()], containers=[container("app", mount("kms-credentials", readOnly=True))]))),
    ("the private CA where it belongs is let through", ALLOWED,
     created(pod(init=[ours(mounts=[mount("kms-ca") | {"mountPath": "/etc/kms-ca"}])]))),
    *[(f"a volume of our name is refused where {name} is {kind}", (DENIED, f"volume {name} has a name"),
       created(pod(init=[ours()], volumes={name: kind})))
      for name, kind in [
          ("kms-secrets", {"hostPath": {"path": "/x"}}), ("kms-secrets", {"emptyDir": {}}),
          ("kms-env", {"persistentVolumeClaim": {"claimName": "x"}}),
          ("kms-rrsa-token", {"emptyDir": {}}), ("kms-ca", {"emptyDir": {}}),
          ("kms-credentials", {"emptyDir": {}}), ("kms-credentials", {"hostPath": {"path": "/x"}}),
          ("kms-rrsa-token", token(AUDIENCE, {"configMap": {"name": "x"}})), ("kms-rrsa-token", token()),
          ("kms-rrsa-token", token({"secret": {"name": "x"}})),
          *[("kms-rrsa-token", token({"serviceAccountToken": kind}))
            for kind in ({"path": "token"}, {"audience": "other", "path": "token"},
                         {"audience": "sts.aliyuncs.com", "path": "other"})],
          ("kms-ca", {"configMap": {"name": "ca"}}),
          ("kms-ca", {"configMap": CA | {"items": [{"key": "other", "path": "ca.crt"}]}}),
          ("kms-ca", {"configMap": CA | {"items": 2 * CA["items"]}})]],
    *[(f"our container is refused with {field}: {value}", LED,
       created(pod(init=[ours(**{field: value})])))
      for field, value in [
          *[("command", command) for command in (
              ["/kms-env/secrets-exec"], ["own/evil"], ["/proc/self/root/own/evil"], ["$(D)/evil"],
              ["/bin/sh"], ["/secrets-injector", "get"], ["/secrets-injector/"], None)],
          *[("args", args) for args in (
              ["get"], None, ["init"], ["refresh", *EXTRA], ["init", "--", "refresh"],
              ["init", *EXTRA, "--ca=/own/ca.pem"], ["--root=/own", "init", *EXTRA],
              ["init", *EXTRA, "$(X)"], ["init", *reversed(EXTRA)])],
          ("workingDir", "/own"), ("terminationMessagePath", "/mnt/kms-secrets/x"), ("stdin", True), ("tty", True),
          ("restartPolicy", "Always"), ("envFrom", [{"secretRef": {"name": "x"}}]),
          ("env", 2 * [{"name": "SECRETS_INJECTOR_PLAN", "value": "{}"}]),
          ("env", [{"name": "SECRETS_INJECTOR_PLAN"}]),
          ("env", [{"name": "SECRETS_INJECTOR_PLAN",
                    "valueFrom": {"configMapKeyRef": {"name": "x", "key": "x"}}}]),
          ("volumeMounts", [mount("kms-rrsa-token") | {"mountPath": TOKEN_DIRECTORY}])]],
    ("without its token it would have that of the API server, and is refused", COVERED,
     created(pod(init=[ours(volumeMounts=[mount("kms-secrets")])]))),
    ("a variable that it does not read is let through", ALLOWED,
     created(pod(init=[ours(env=[{"name": "SECRETS_INJECTOR_PLAN", "value": "{}"},
                                 {"name": "OTHER", "value": "1"}])]))),
    ("so is what an image that is always pulled needs", ALLOWED,
     created(pod(init=[ours(imagePullPolicy="Always")]))),
    *[(f"a sidecar of ours is refused with {field}: {value}", ASTRAY,
       created(pod(init=[native(**{field: value})])))
      for field, value in [
          ("lifecycle", {"postStart": {"exec": {"command": ["/own/x"]}}}),
          ("startupProbe", {"exec": {"command": ["/own/x"]}}), ("startupProbe", None),
          ("startupProbe", {"httpGet": {"port": 1}}), ("args", ["init", *EXTRA]),
          ("command", ["/own/x"]), ("livenessProbe", {"exec": {"command": ["/own/x"]}})]],
    ("one that would not stay is refused", ASTRAY,
     created(pod(init=[native(restartPolicy=None, startupProbe=None)]))),
    ("one that has the agent is refused without a probe, behind an init container too", ASTRAY,
     created(pod(init=[ours(), native(mounts=[mount("kms-agent")], startupProbe=None)]))),
    *[(f"an ordinary sidecar of ours is refused with {field}: {value}", ASTRAY,
       created(pod(init=[ours()], containers=[container("app"), ours("kms-secrets", **{field: value})])))
      for field, value in [("command", ["/own/x"]), ("args", ["init", *EXTRA]),
                           ("startupProbe", {"tcpSocket": {"port": 1}})]],
    ("as many consumers as may be named are let through", ALLOWED, created(many(256, 256, 15))),
    ("one name more is refused", (DENIED, "has more than 256 names"), created(many(257, 257))),
    ("names that nothing has are refused, however many they are", (DENIED, "names app-255, which"),
     created(many(255, 255) | {"metadata": many(256, 256)["metadata"]})),
    ("names without end are refused", (DENIED, "has more than 256 names"),
     created(pod(annotations=ASKING | {f"{PREFIX}containers": "a," * 100_000}, init=[ours()]))),
    ("so many containers need no names", ALLOWED, created(many(1500, 0, 2))),
    ("the image of our container is not for others to change", (DENIED, "the operator's to choose"),
     image("running", init="registry.example/other:1")),
    ("that of a consumer is", ALLOWED, image("running", app="registry.example/app:2")),
    ("so is that of ours in a Pod that nothing was injected into", ALLOWED,
     image("annotated-later", app="registry.example/app:2")),
    ("a Pod that was there before the guard can be edited", ALLOWED,
     (["label", "pod", "before", f"--namespace={IN}", "a=b"], None)),
    ("… but its image cannot", (DENIED, "the operator's to choose"),
     image("before", init="registry.example/other:1")),
    ("an asking Pod is warned about where nobody opted in", NOT_OPTED_IN, created(pod(PLAIN))),
    ("… and where the label says something else", NOT_OPTED_IN, created(pod(OUT))),
    ("… not where it was injected beforehand", ALLOWED,
     created(injected(READ_ONLY, namespace=PLAIN))),
    ("… not where it opted out", ALLOWED, created(pod(PLAIN, labels=OPTED_OUT))),
    ("a forbidden mount is warned about there", (WARNED, REACHES),
     created(injected(TOKEN, namespace=PLAIN))),
    ("the webhook's own namespace gets no secrets, and says so",
     (DENIED, f"none are ever injected in namespace {RELEASE}"), created(pod(RELEASE))),
]

KINDS = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob"]
OWNER = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "a", "uid": "u", "controller": True}
MISPLACED = f"{PREFIX}secrets on the %s itself does nothing: annotations of its Pods belong into %s"
WORKLOADS = [
    *[(f"an asking {kind} is let through where its namespace opted in", ALLOWED,
       created(workload(kind))) for kind in KINDS],
    *[(f"an asking {kind} is warned about elsewhere", NOT_OPTED_IN,
       created(workload(kind, PLAIN))) for kind in KINDS],
    *[(f"annotations on the {kind} itself are warned about", (WARNED, MISPLACED % (kind, place)),
       created(workload(kind, own=ASKING)))
      for kind, place in [("Deployment", "spec.template.metadata.annotations"),
                          ("CronJob", "spec.jobTemplate.spec.template.metadata.annotations")]],
    ("annotations of a CronJob's Jobs are warned about",
     (WARNED, MISPLACED % ("CronJob", "spec.jobTemplate.spec.template.metadata.annotations")),
     created(workload("CronJob", job=ASKING))),
    ("a workload without annotations is let through", ALLOWED,
     created(workload("Deployment", PLAIN, annotations=None))),
    ("nobody is warned about what a controller made", ALLOWED,
     created(workload("ReplicaSet", PLAIN, own=ASKING, owners=[OWNER]))),
    ("a workload that gets its annotations later is warned about", NOT_OPTED_IN,
     annotated("existing", ASKING)),
    ("the webhook's own namespace is named", (WARNED, f"ever injected in namespace {RELEASE}"),
     created(workload("Deployment", RELEASE))),
]

# What the API server says of a Pod that has no node, once it lets a command through.
WOULD_RUN = (DENIED, "does not have a host assigned")
NO_COMMAND = (DENIED, "no other command may be run than /secrets-injector probe")
EXEC = [
    ("how our container is may be asked", WOULD_RUN, run(["/secrets-injector", "probe"])),
    *[(f"nothing else is run in it: {command}", NO_COMMAND, run(command))
      for command in [["/secrets-injector", "get", "kms://shop/db"],
                      ["/secrets-injector", "probe", "--ca=/x"],
                      ["/secrets-injector", "init"], ["/secrets-injector"], ["sh"], []]],
    ("nor by POST", NO_COMMAND, run(["/secrets-injector", "init"], verb="create")),
    ("nor in the one that stays", NO_COMMAND, run(["sh"], "kms-secrets")),
    ("in the application what one likes is run", WOULD_RUN, run(["sh", "-c", "true"], "app")),
    ("in a namespace that did not opt in too", WOULD_RUN,
     run(["/secrets-injector", "init"], namespace=PLAIN)),
]

HOOK = "/webhooks/0/"
WEBHOOK = {"name": "more.kms.alibabacloud", "admissionReviewVersions": ["v1"],
           "sideEffects": "None", "clientConfig": {"url": "https://elsewhere.example"}}
MAY_NOT = (DENIED, "the webhook may change nothing of its configuration but caBundle")
NOT_METADATA = (DENIED, "the webhook may not change the metadata of its configuration")
BUNDLE = put(HOOK + "clientConfig/caBundle", "Cg==")
SELF = [
    ("the webhook may put a caBundle", ALLOWED, patched(BUNDLE)),
    *[(f"it may not change {path}", MAY_NOT, patched(BUNDLE, put(HOOK + path, value)))
      for path, value in [
          ("admissionReviewVersions/-", "v1beta1"),
          ("clientConfig/service/name", "other"),
          ("clientConfig/service/namespace", "other"),
          ("clientConfig/service/path", "/other"),
          ("clientConfig/service/port", 8443),
          ("clientConfig", {"url": "https://elsewhere.example"}),
          ("failurePolicy", "Ignore"),
          ("matchConditions/-", {"name": "more", "expression": "true"}),
          ("matchConditions/0/expression", "true"),
          ("matchPolicy", "Exact"),
          ("name", "other.kms.alibabacloud"),
          ("namespaceSelector", {}),
          ("objectSelector", {"matchLabels": {"a": "b"}}),
          ("reinvocationPolicy", "Never"),
          ("rules/0/operations/-", "UPDATE"),
          ("rules/0/resources/0", "secrets"),
          ("sideEffects", "NoneOnDryRun"),
          ("timeoutSeconds", 30),
      ]],
    ("it may not leave out match conditions", MAY_NOT,
     patched({"op": "remove", "path": HOOK + "matchConditions"})),
    ("it may not add a webhook", MAY_NOT, patched(put("/webhooks/-", WEBHOOK))),
    ("it may not remove its webhook", MAY_NOT, patched({"op": "remove", "path": "/webhooks/0"})),
    *[(f"it may not change metadata.{field}", NOT_METADATA,
       patched(put(f"/metadata/{field}", value)))
      for field, value in [("labels/a", "b"), ("annotations", {"a": "b"}),
                           ("finalizers", ["example.com/never"]), ("ownerReferences", [OWNER])]],
    ("others may change what they like", ALLOWED,
     patched(put(HOOK + "timeoutSeconds", 30), put("/metadata/labels/a", "b"), by=None)),
]

def stored(by=ITSELF, type="kubernetes.io/tls", name=f"{FULLNAME}-certificate", **more):
    """The certificate's Secret is made, as the webhook makes it unless said otherwise."""
    metadata = {"name": name, "namespace": RELEASE} | more.pop("metadata", {})
    value = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": type, **more}
    value |= {"data": {"tls.crt": "", "tls.key": ""}}
    # By apply: no other way to make it is allowed.
    arguments = ["apply", "--server-side", "--force-conflicts", f"--field-manager=case", "-f", "-"]
    return [*arguments, *([f"--as={by}"] if by else [])], value


def restored(change):
    """The certificate's Secret is patched by the webhook's ServiceAccount."""
    return ["patch", "secret", f"{FULLNAME}-certificate", f"--namespace={RELEASE}", "--type=merge",
            f"--patch={json.dumps(change)}", f"--as={ITSELF}"], None


ITS_OWNER = {"apiVersion": "admissionregistration.k8s.io/v1", "name": FULLNAME, "uid": "u",
             "kind": "MutatingWebhookConfiguration"}
FOR_A_TOKEN = {"annotations": {"kubernetes.io/service-account.name": "default"}}
# What the API server says of a Secret of this type that has no certificate, and makes all the same.
LET_THROUGH = (WARNED, "failed to find any PEM data")
NOTHING_ELSE = (DENIED, "may keep nothing but a certificate")
PLAINLY = (DENIED, "without annotations and finalizers, owned by its configuration alone")
CERTIFICATE_MADE = [
    ("the webhook may make its Secret", LET_THROUGH, stored(metadata={"ownerReferences": [ITS_OWNER]})),
    *[(f"it may not make one of type {type}", NOTHING_ELSE, stored(type=type))
      for type in ("Opaque", "bootstrap.kubernetes.io/token")],
    ("it may not have a token written into it", NOTHING_ELSE,
     stored(type="kubernetes.io/service-account-token", metadata=FOR_A_TOKEN)),
    ("it may not make one that never changes", NOTHING_ELSE, stored(immutable=True)),
    *[(f"it may not make one with {field}", PLAINLY, stored(metadata={field: value}))
      for field, value in [("annotations", {"a": "b"}), ("finalizers", ["example.com/never"]),
                           ("ownerReferences", [ITS_OWNER, OWNER | {"uid": "another"}]),
                           ("ownerReferences", [ITS_OWNER | {"name": "other"}])]],
    ("others may make what they like", ALLOWED,
     stored(by=None, type="Opaque", name="other", metadata={"annotations": {"a": "b"}})),
]
UNMOVED = (DENIED, "may not change the metadata of its certificate's Secret")
CERTIFICATE_CHANGED = [
    ("the webhook may put another certificate", LET_THROUGH, restored({"data": {"ca.crt": "Cg=="}})),
    ("it may not make it unchangeable", NOTHING_ELSE, restored({"immutable": True})),
    *[(f"it may not change metadata.{field}", UNMOVED, restored({"metadata": {field: value}}))
      for field, value in [("labels", {"a": "b"}), ("annotations", {"a": "b"}),
                           ("finalizers", ["example.com/never"]), ("ownerReferences", [OWNER])]],
]

SECRET = f"secrets/{FULLNAME}-certificate"
CONFIGURATION = f"mutatingwebhookconfigurations/{FULLNAME}"
RIGHTS = {
    "yes": ["list serviceaccounts --all-namespaces", "watch serviceaccounts --all-namespaces",
            f"get {CONFIGURATION}", f"watch {CONFIGURATION}", f"patch {CONFIGURATION}",
            *[f"{verb} {SECRET}" for verb in ("get", "watch", "patch", "create")]],
    "no": [f"update {CONFIGURATION}", f"delete {CONFIGURATION}",
           "list mutatingwebhookconfigurations", "patch mutatingwebhookconfigurations/other",
           f"delete {SECRET}", "list secrets",
           "create secrets", "get secrets/other", f"get {SECRET} --namespace={IN}", "get pods",
           "list configmaps", "create serviceaccounts --subresource=token", "create pods",
           "patch validatingadmissionpolicies", "escalate clusterroles", "impersonate users"],
}


def kubectl(*arguments, value=None):
    text = None if value is None else json.dumps(value)
    return subprocess.run(["kubectl", *arguments], input=text, text=True, capture_output=True)


def must(*arguments, value=None):
    done = kubectl(*arguments, value=value)
    if done.returncode:
        sys.exit(f"kubectl {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def rendered(*templates, more=()):
    command = ["helm", "template", RELEASE, CHART, f"--namespace={RELEASE}"]
    command += ["--set=image.registry=registry.example,settings.clusterId=c0123"]
    command += [f"--set-json=settings.injector.extraArgs={json.dumps(EXTRA)}", *more]
    return subprocess.check_output(command + [f"--show-only=templates/{t}.yaml" for t in templates],
                                   text=True)


def apply(text, verb="apply"):
    quiet = ["--ignore-not-found"] if verb == "delete" else []
    command = ["kubectl", verb, "-f", "-", *quiet]
    subprocess.run(command, input=text, text=True, check=True, stdout=subprocess.DEVNULL)


def until(what, condition):
    """Policies and configurations take effect some seconds after they are written."""
    end = time.monotonic() + 60
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"not within 60 s: {what}")
        time.sleep(0.2)


def happened(action):
    arguments, value = action
    if callable(value):
        done = kubectl(*arguments, value=value())
    else:
        done = kubectl(*arguments, "--dry-run=server", value=value)
    text = done.stderr.strip()
    if done.returncode:
        return DENIED, text
    return (WARNED, text) if text else (ALLOWED, "")


def check(title, cases):
    failed = 0
    for sentence, expected, action in cases:
        outcome, words = (expected, "") if expected == ALLOWED else expected
        got, text = happened(action)
        if got != outcome or words not in text:
            print(f"FAILED: {title}: {sentence}\n  expected {outcome} {words!r}\n  {got} {text!r}")
            failed += 1
    print(f"{title}: {len(cases)} cases, {failed} failed")
    return failed


def check_rights():
    cases, failed = 0, 0
    for expected, questions in RIGHTS.items():
        for question in questions:
            words = question.split()
            if not any(word.startswith(("--namespace", "--all")) for word in words):
                words.append(f"--namespace={RELEASE}")
            got = kubectl("auth", "can-i", *words, f"--as={ITSELF}").stdout.strip()
            cases += 1
            if got != expected:
                print(f"FAILED: rights: {question}: expected {expected}, got {got}")
                failed += 1
    print(f"rights: {cases} cases, {failed} failed")
    return failed


def check_types():
    """What the API server's own type checker says; kube-controller-manager asks it."""
    def policies():
        listed = json.loads(must("get", "validatingadmissionpolicies", "-o", "json"))["items"]
        return [item for item in listed if item["metadata"]["name"].startswith(FULLNAME)]

    def done(policy):
        observed = policy.get("status", {}).get("observedGeneration")
        return observed == policy["metadata"]["generation"]

    until("policies are type-checked", lambda: len(policies()) == 5 and all(map(done, policies())))
    failed = 0
    for policy in policies():
        for warning in policy["status"].get("typeChecking", {}).get("expressionWarnings", []):
            print(f"FAILED: types: {policy['metadata']['name']}: {warning}")
            failed += 1
    print(f"types: 5 policies, {failed} warnings")
    return failed


def prepare():
    for name, label in NAMESPACES.items():
        must("create", "namespace", name)
        must("label", "namespace", name, f"{PREFIX}injection={label}") if label else None
        # A controller makes it, sooner or later.
        kubectl("create", "serviceaccount", "default", f"--namespace={name}")
        until(f"{name} has a ServiceAccount",
              lambda name=name: not kubectl("get", "sa", "default", "-n", name).returncode)
    bare = pod(annotations=None)
    for name, value in [("running", injected()), ("opted-out-later", injected()),
                        ("sharing", sharing(injected())), ("annotated-later", bare),
                        ("before", injected(TOKEN, WRITABLE))]:
        metadata = {"name": name, "namespace": IN, "annotations": value["metadata"]["annotations"]}
        must("create", "-f", "-", value=value | {"metadata": metadata})
    elsewhere = injected()
    metadata = elsewhere["metadata"] | {"name": "running", "namespace": PLAIN}
    must("create", "-f", "-", value=elsewhere | {"metadata": metadata})
    later = workload("Deployment", PLAIN, annotations=None)
    later["metadata"] = {"name": "existing", "namespace": PLAIN}
    must("create", "-f", "-", value=later | {"spec": later["spec"] | {"replicas": 0}})
    must("annotate", "pod", "opted-out-later", f"--namespace={IN}", f"{PREFIX}secrets-")
    must("label", "pod", "opted-out-later", f"--namespace={IN}", f"{PREFIX}injection=disabled")
    must("annotate", "pod", "annotated-later", f"--namespace={IN}", f"{PREFIX}secrets=a")


BY_FILE = created(pod(init=[ours()], containers=[container("app", **read("kms-env", "app.PW"))]))
NEVER_BY_FILE = [
    ("a variable by a file is refused though it is as the webhook would write it",
     (DENIED, f"container app {READS}"), BY_FILE),
    ("one in a Pod that is written by hand too", (DENIED, f"container app {READS}"),
     created(pod(annotations=None, init=[ours()],
                 containers=[container("app", **read("kms-env", "app.PW"))]))),
    ("an injected Pod without one is let through", ALLOWED, created(injected(READ_ONLY))),
]


def main():
    if WEBHOOK_NAME in must("get", "mutatingwebhookconfigurations", "-o", "yaml"):
        sys.exit(f"the chart is installed in this cluster: a webhook {WEBHOOK_NAME} is there")
    policies = rendered("guard", "exec", "workloads", "self", "rbac")
    configuration = rendered("webhook")
    failed = 0
    try:
        prepare()
        apply(policies)
        until("the guard refuses", lambda: happened(created(pod()))[0] == DENIED)
        until("workloads are warned about",
              lambda: happened(created(workload("Job", PLAIN)))[0] == WARNED)
        failed += check("guard, triggers", [
            (sentence, NO_CONTAINER if triggers else ALLOWED, created(value))
            for sentence, value, triggers in TRIGGERS])
        failed += check("guard", GUARD)
        apply(rendered("guard", more=["--set=settings.fileKeyRef=never"]))
        until("no variable goes by a file", lambda: happened(BY_FILE)[0] == DENIED)
        failed += check("guard, fileKeyRef: never", NEVER_BY_FILE)
        apply(policies)
        failed += check("workloads", WORKLOADS)
        until("commands are refused", lambda: happened(run(["sh"]))[1].find(NO_COMMAND[1]) >= 0)
        failed += check("commands", EXEC)
        failed += check_types()

        apply(configuration)
        until("the webhook is called", lambda: happened(created(pod()))[1].find(CALLED[1]) >= 0)
        failed += check("match conditions", [
            (sentence, CALLED if triggers else ALLOWED, created(value))
            for sentence, value, triggers in TRIGGERS])
        failed += check("selectors", [
            ("a namespace that did not opt in is left alone", NOT_OPTED_IN, created(pod(PLAIN))),
            ("so is one with another value", NOT_OPTED_IN, created(pod(OUT))),
            ("so is the webhook's own", (DENIED, "ever injected"), created(pod(RELEASE)))])
        failed += check("the webhook itself", SELF)
        failed += check("its certificate, made", CERTIFICATE_MADE)
        must("create", "-f", "-", value=stored()[1])
        failed += check("its certificate, changed", CERTIFICATE_CHANGED)
        failed += check_rights()
    finally:
        apply(configuration, "delete")
        apply(policies, "delete")
        must("delete", "namespace", "--ignore-not-found", "--timeout=60s", *NAMESPACES)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
