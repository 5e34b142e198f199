//! What a person sees who applies a Pod that cannot be injected: what is wrong, where, and what to
//! write instead.

use serde_json::{Value, json};

use crate::pods::{annotated, app, shell, with};
use crate::stage::Namespace;

/// Applies a Pod that must be refused; all of the words must be in what kubectl says.
#[track_caller]
fn refused(place: &Namespace, pod: &Value, words: &[&str]) -> String {
    let said = place.refused(pod);
    println!("{said}");
    let by_us = "admission webhook \"pods.kms.alibabacloud\" denied the request: ";
    for words in [by_us].iter().chain(words) {
        assert!(said.contains(words), "{words:?} is not in: {said}");
    }
    let first = said.split_once(by_us).unwrap().1.lines().next().unwrap();
    assert!(first.chars().count() <= 200, "{first}");
    assert!(!said.contains("lab-canary"), "{said}");
    said
}

fn asking(secrets: &str) -> Value {
    annotated(app("app", "true"), &[("secrets", secrets)])
}

fn saying(key: &str, value: &str) -> Value {
    annotated(app("app", "true"), &[(key, value)])
}

#[test]
fn about_the_list_of_secrets() {
    let place = Namespace::opted_in("secrets");
    for (secrets, words) in [
        (
            "db: {source: kms://app/db",
            &["kms.alibabacloud/secrets, line 1", "check indentation, quotes and brackets"][..],
        ),
        (
            "one: kms://app/db\ndb: s3://app/db",
            &["line 2, file \"db\"", "unknown scheme \"s3://\"", "write kms://NAME, oos://NAME"],
        ),
        (
            "db: {source: kms://app/db, fileMode: 0400}",
            &[
                "file \"db\", fileMode",
                "0400 is a bare number, which YAML readers understand differently",
                "write it quoted: fileMode: \"0400\"",
            ],
        ),
        (
            "db: {source: kms://app/db, fileMod: \"0400\"}",
            &["file \"db\", fileMod: there is no such field", "did you mean fileMode?"],
        ),
        (
            "- objectName: app/db\n  objectAlias: same\n- objectName: app/plain\n  objectAlias: same\n",
            &[
                "line 3, item 2",
                "the file name \"same\" is taken already by item 1",
                "give one of them another name",
            ],
        ),
        (
            "a/b: kms://app/db\na_b: kms://app/plain",
            &["line 2", "the file name \"a_b\" is taken already"],
        ),
        (
            "- objectName: app/db\n- objectType: kms\n",
            &[
                "line 2, item 2",
                "objectType stands in an item of its own, without objectName",
                "remove its dash, so that they are one item: `- objectName: app/db` and, below it, `  objectType: kms`",
            ],
        ),
        ("../db: kms://app/db", &["leads through other directories", "write a file name"]),
        ("kms://app/db#password", &["needs a file name of its own", "write a mapping instead"]),
        ("db: kms://app/db#a[", &["line 1, file \"db\"", "see jmespath.org"]),
        ("# only a comment\n", &["it names no secret", "write FILE: kms://NAME"]),
    ] {
        let said = refused(&place, &asking(secrets), words);
        assert!(said.contains("kms.alibabacloud/secrets, line "), "{said}");
    }
}

#[test]
fn about_other_annotations() {
    let place = Namespace::opted_in("annotations");
    for (key, value, words) in [
        (
            "secrest",
            "x",
            &["there is no such annotation", "did you mean kms.alibabacloud/secrets?"][..],
        ),
        ("injection", "enabled", &["it is a label and not an annotation", "set the label"]),
        ("mode", "sometimes", &["\"sometimes\" is no mode", "use init, refresh or agent"]),
        ("refresh-interval", "5m", &["the mode is init", "set kms.alibabacloud/mode to refresh"]),
        ("env", "LD_PRELOAD: kms://app/db", &["can run code in the container", "allowedVariables"]),
        (
            "env",
            "A: kms://a\nA: kms://b",
            &["it is set twice in container app", "keep one of them"],
        ),
        (
            "template.x",
            "{% for a in b %}{% endfor %}",
            &["a template has no statement for", "dotenv"],
        ),
        (
            "template.x",
            "{% include 'a' %}",
            &["no statement include", "neither loops nor uses other templates"],
        ),
        ("on-change", "http=http://localhost:8080/", &["is a name", "http://127.0.0.1:PORT/PATH"]),
        (
            "on-change",
            "signal=SIGKILL:app",
            &["no signal that a hook can send", "use one of SIGHUP"],
        ),
        ("metrics-port", "9300", &["the mode is init", "set kms.alibabacloud/mode to refresh"]),
        ("agent-port", "80", &["is not valid as a port", "from 1024 to 65535"]),
        (
            "agent-token-path",
            "/usr/bin/token",
            &["is no path for a token", "a directory of its own"],
        ),
        ("https-proxy", "x", &["the operator's to choose", "ask the operator for httpsProxy"]),
        ("regions", "x", &["this version does not support it", "remove the annotation"]),
        (
            "run-as-user",
            "0",
            &["our container never runs as root", "use the uid of the application"],
        ),
        ("containers", "ap", &["the Pod has no container \"ap\"", "did you mean app?"]),
        ("region", "cn-hangzou", &["there is no region cn-hangzou", "did you mean cn-hangzhou?"]),
        (
            "kms-endpoint",
            "kms.example",
            &["the endpoint \"kms.example\" is not allowed here", "or ask the operator"],
        ),
        ("timeout", "5", &["\"5\" is not a valid duration", "write it like 30s, 5m"]),
        ("role-arn", "checkout", &["acs:ram::"]),
    ] {
        let place_in_text = format!("kms.alibabacloud/{key}");
        let said = refused(&place, &saying(key, value), words);
        assert!(said.contains(&place_in_text), "{said}");
    }
    let nothing = annotated(app("app", "true"), &[("secrets", ""), ("mode", "init")]);
    refused(&place, &nothing, &["nothing to fetch", "add kms.alibabacloud/secrets"]);
}

#[test]
fn about_who_the_pod_is() {
    let place = Namespace::opted_in("identity");
    let named = |name: &str| with(app("app", "true"), "/spec/serviceAccountName", json!(name));
    refused(
        &place,
        &named("default"),
        &[
            "ServiceAccount \"default\": no RAM role is known for this Pod",
            "annotate the ServiceAccount with ack.alibabacloud.com/role-arn: acs:ram::ACCOUNT:role/NAME",
            "or the Pod with kms.alibabacloud/role-arn",
        ],
    );
    place.create(&json!({
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {
            "name": "misspelt",
            "annotations": { "ack.alibabacloud.com/role-arn": "acs:ram::role/app" },
        },
    }));
    refused(
        &place,
        &named("misspelt"),
        &[
            "ServiceAccount \"misspelt\": annotation ack.alibabacloud.com/role-arn",
            "correct the annotation of the ServiceAccount",
        ],
    );
    // The API server asks for the account before it asks us.
    let said = place.refused(&named("missing"));
    println!("{said}");
    assert!(
        said.contains("error looking up service account")
            && said.contains("serviceaccount \"missing\" not found"),
        "{said}"
    );
}

#[test]
fn about_the_shape_of_the_pod() {
    let place = Namespace::opted_in("shapes");
    let pod = || app("app", "true");
    let csi = json!([{ "name": "csi", "csi": {
        "driver": "secrets-store.csi.k8s.io",
        "readOnly": true,
        "volumeAttributes": { "secretProviderClass": "app" },
    }}]);
    let at = |volume: &str, path: &str| json!([{ "name": volume, "mountPath": path }]);
    let mounts = "/spec/containers/0/volumeMounts";
    let trace = json!({ "capabilities": { "add": ["SYS_PTRACE"] } });
    let security = "/spec/containers/0/securityContext";
    let scratch = json!([{ "name": "scratch", "emptyDir": {} }]);
    for (pod, words) in [
        (
            with(pod(), "/spec/os", json!({ "name": "windows" })),
            &["it runs on Windows, where secrets cannot be injected", "remove the annotations"][..],
        ),
        (
            with(with(pod(), "/spec/volumes", csi), mounts, at("csi", "/mnt/secrets-store")),
            &[
                "container \"app\": the CSI volume \"csi\" is already mounted at /mnt/secrets-store",
                "remove the CSI volume and its mounts, or set kms.alibabacloud/mount-path",
            ],
        ),
        (
            with(
                with(pod(), "/spec/volumes", scratch),
                mounts,
                at("scratch", "/mnt/secrets-store/cache"),
            ),
            &[
                "the volume \"scratch\" is already mounted at /mnt/secrets-store/cache",
                "set kms.alibabacloud/mount-path to another directory",
            ],
        ),
        (
            with(with(pod(), "/spec/hostPID", json!(true)), security, trace),
            &[
                "container \"app\": it has the capability SYS_PTRACE while hostPID is set",
                "remove hostPID, or the privilege",
            ],
        ),
        (
            with(
                with(pod(), "/spec/shareProcessNamespace", json!(true)),
                security,
                json!({ "privileged": true }),
            ),
            &["while shareProcessNamespace is set", "could read the fetcher's memory"],
        ),
        (
            with(pod(), "/spec/initContainers", json!([shell("kms-secrets-init", "true")])),
            &[
                "the name is reserved for the container that fetches secrets",
                "give it another name",
            ],
        ),
        (
            with(pod(), mounts, at("kms-rrsa-token", "/var/run/stolen")),
            &[
                "it mounts the volume \"kms-rrsa-token\", which is added only here",
                "remove the mount",
            ],
        ),
        (
            with(
                with(pod(), "/spec/volumes", json!([{ "name": "kms-secrets", "emptyDir": {} }])),
                mounts,
                at("kms-secrets", "/data"),
            ),
            &["volume \"kms-secrets\": the name is reserved", "give the volume another name"],
        ),
        (
            annotated(
                with(pod(), security, json!({ "runAsUser": 1000 })),
                &[("run-as-user", "2000"), ("file-mode", "0400")],
            ),
            &[
                "container \"app\" has uid 1000 and cannot read mode 0400 of uid 2000",
                "use \"0440\"",
            ],
        ),
    ] {
        refused(&place, &pod, words);
    }
}

#[test]
fn about_everything_at_once() {
    let place = Namespace::opted_in("at-once");
    let pod = annotated(
        app("app", "true"),
        &[
            ("secrets", "one: s3://x\ntwo: {source: kms://app/db, fileMode: 440}\n"),
            ("timeout", "yes"),
        ],
    );
    let said = refused(
        &place,
        &with(pod, "/spec/serviceAccountName", json!("default")),
        &[
            "(1 of 4 problems)\n",
            "\n- kms.alibabacloud/secrets, line 1, file \"one\"",
            "\n- kms.alibabacloud/secrets, line 2, file \"two\", fileMode",
            "\n- kms.alibabacloud/timeout",
            "\n- ServiceAccount \"default\"",
        ],
    );
    assert_eq!(said.matches("\n- ").count(), 4, "{said}");
}
