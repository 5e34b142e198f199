"""Large reviews for the fuzz target, each filled with one thing that a Pod's author repeats."""

import json
import pathlib
import sys

OURS = "kms.alibabacloud/"
SECRETS = {"secrets": "db: kms://shop/db"}


def review(annotations, spec):
    ours = {OURS + key: value for key, value in annotations.items()}
    ours[OURS + "role-arn"] = "acs:ram::1234567890123456:role/demo-app"
    pod = {"metadata": {"name": "app", "annotations": ours}, "spec": spec}
    request = {
        "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
        "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "operation": "CREATE",
        "namespace": "shop",
        "object": pod,
    }
    kind = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}
    return json.dumps(kind | {"request": request}, separators=(",", ":"))


def containers(count, name="c{:04}"):
    return [{"name": name.format(n), "command": ["/app"]} for n in range(count)]


def seeds():
    variables = "\n".join(f"A{n}: kms://shop/db" for n in range(250))
    wrong = ",".join("y" * 40 + f"{n:05}" for n in range(300))
    app = {"name": "app", "command": ["/app"]}
    yield "containers", review(SECRETS, {"containers": [{}] * 60_000})
    yield "env", review(SECRETS, {"containers": [app | {"env": [{}] * 60_000}]})
    yield "variables", review({"env": variables}, {"containers": containers(250)})
    yield "names", review(
        SECRETS | {"containers": "c0000," + wrong}, {"containers": containers(300, "y" * 40 + "{:04}")}
    )
    yield "annotations", review(
        {f"resources.requests.memori{n}": "x" for n in range(2000)}, {"containers": [app]}
    )
    yield "references", review(
        {"env": variables}, {"containers": [app | {"args": ["$(" * 100_000]}]}
    )
    yield "scalar", review({"secrets": "a," * 32_000}, {"containers": [app]})


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in seeds():
        (folder / f"{name}.json").write_text(text)


if __name__ == "__main__":
    main()
