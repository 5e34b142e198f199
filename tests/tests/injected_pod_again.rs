//! A Pod that already carries what we inject: seen again, copied, restored, edited by others.

use lab::fetcher::NAMESPACE;
use lab::kubelet::Sandbox;
use lab::stage::{Stage, pod};
use serde_json::{Value, json};

const OURS: &str = "kms-secrets-init";

type Edit = fn(&mut Value);

fn plain() -> Value {
    pod(&[("secrets", "password: kms://shop/db#password\ntoken: oos://shop-api-token\n")])
}

async fn injected(stage: &Stage) -> Value {
    stage.webhook.admit(&plain(), NAMESPACE).await.unwrap()
}

/// What comes of a Pod that is sent again; it must end with the same files as a new one.
async fn again(stage: &Stage, pod: &Value) -> Value {
    let after = stage.webhook.admit(pod, NAMESPACE).await.unwrap();
    let sandbox = Sandbox::new(&stage.cloud, &after, NAMESPACE).unwrap();
    let ended = sandbox.run().await.unwrap();
    assert_eq!(ended.code(), Some(0), "{}", ended.said());
    let files = sandbox.files("app").unwrap();
    assert_eq!(files["password"].content, b"demo-second-password");
    assert_eq!(files["token"].content, b"demo-api-token");
    let verdict = stage.webhook.review(&after, NAMESPACE).await.unwrap();
    assert!(verdict.allowed && verdict.patch.is_none(), "{}", verdict.response);
    after
}

fn ours(pod: &mut Value) -> &mut Value {
    let containers = pod["spec"]["initContainers"].as_array_mut().unwrap();
    containers.iter_mut().find(|container| container["name"] == OURS).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn its_own_output_is_not_changed_again() {
    let stage = Stage::start().await.unwrap();
    let injected = injected(&stage).await;
    assert_ne!(injected, plain());
    assert_eq!(again(&stage, &injected).await, injected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_made_for_debugging_gets_the_same_files() {
    let stage = Stage::start().await.unwrap();
    let mut copy = injected(&stage).await;
    // As `kubectl debug POD --copy-to=… --set-image=… --image=…` leaves it.
    copy["metadata"]["name"] = json!("checkout-debug");
    copy["metadata"].as_object_mut().unwrap().remove("labels");
    copy["spec"]["nodeName"] = json!("node-1");
    copy["spec"]["containers"][0]["image"] = json!("registry.example.com/app:debug");
    copy["spec"]["containers"].as_array_mut().unwrap().push(json!({
        "name": "debugger", "image": "busybox", "stdin": true, "tty": true,
    }));
    for list in ["containers", "initContainers"] {
        for container in copy["spec"][list].as_array_mut().unwrap() {
            container["terminationMessagePath"] = json!("/dev/termination-log");
            container["imagePullPolicy"] = json!("IfNotPresent");
        }
    }
    let verdict = stage.webhook.review(&copy, NAMESPACE).await.unwrap();
    assert!(
        verdict.warnings.iter().any(|text| text.contains("debugger")),
        "{:?}",
        verdict.warnings
    );
    assert_eq!(again(&stage, &copy).await, copy);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_output_of_an_older_version_is_brought_up_to_date() {
    let stage = Stage::start().await.unwrap();
    let now = injected(&stage).await;
    let mut older = now.clone();
    let container = ours(&mut older);
    container["image"] = json!("secrets-injector:0.0.1");
    container["args"] = json!(["init", "--an-option-of-old"]);
    container["env"][0]["value"] = json!(r#"{"version":0,"secrets":["kms://shop/db"]}"#);
    older["metadata"]["annotations"]["kms.alibabacloud/status"] = json!(r#"{"version":"0.0.1"}"#);
    assert_eq!(again(&stage, &older).await, now);
}

#[tokio::test(flavor = "multi_thread")]
async fn containers_and_volumes_that_others_added_in_between_stay_and_change_nothing() {
    let stage = Stage::start().await.unwrap();
    let mut meshed = injected(&stage).await;
    meshed["spec"]["initContainers"]
        .as_array_mut()
        .unwrap()
        .insert(0, json!({ "name": "istio-init", "image": "istio" }));
    meshed["spec"]["containers"]
        .as_array_mut()
        .unwrap()
        .insert(0, json!({ "name": "istio-proxy", "image": "istio" }));
    meshed["spec"]["volumes"]
        .as_array_mut()
        .unwrap()
        .insert(0, json!({ "name": "istio", "emptyDir": {} }));
    assert_eq!(again(&stage, &meshed).await, meshed);
    // In our container they do not.
    let mut reached = meshed.clone();
    let variables = ours(&mut reached)["env"].as_array_mut().unwrap();
    variables.push(json!({ "name": "OF_OTHERS", "value": "1" }));
    assert_eq!(again(&stage, &reached).await, meshed);
}

#[tokio::test(flavor = "multi_thread")]
async fn something_foreign_in_our_place_is_denied_and_named() {
    let stage = Stage::start().await.unwrap();
    let edits: [(&str, Edit); 5] = [
        ("kms-secrets-init", |pod| {
            pod["spec"]["initContainers"] = json!([{ "name": "kms-secrets-init", "image": "x" }]);
        }),
        ("kms-secrets", |pod| {
            pod["spec"]["volumes"] =
                json!([{ "name": "kms-secrets", "hostPath": { "path": "/" } }]);
        }),
        ("kms-rrsa-token", |pod| {
            pod["spec"]["volumes"] = json!([{ "name": "kms-rrsa-token", "emptyDir": {} }]);
        }),
        ("kms-rrsa-token", |pod| {
            pod["spec"]["containers"][0]["volumeMounts"] =
                json!([{ "name": "kms-rrsa-token", "mountPath": "/t" }]);
        }),
        ("/mnt/secrets-store", |pod| {
            pod["spec"]["volumes"] = json!([{
                "name": "csi",
                "csi": { "driver": "secrets-store.csi.k8s.io", "readOnly": true },
            }]);
            pod["spec"]["containers"][0]["volumeMounts"] =
                json!([{ "name": "csi", "mountPath": "/mnt/secrets-store" }]);
        }),
    ];
    for (name, edit) in edits {
        let mut pod = plain();
        edit(&mut pod);
        let verdict = stage.webhook.review(&pod, NAMESPACE).await.unwrap();
        assert!(!verdict.allowed && verdict.patch.is_none(), "{name}: {}", verdict.response);
        assert_eq!(verdict.status["code"], 400);
        assert!(verdict.message().contains(name), "{name}: {}", verdict.message());
    }
}
