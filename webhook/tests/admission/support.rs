//! Builds Pods and reviews, and reads answers.

use base64::Engine as _;
use serde_json::{Value, json};
use webhook::settings::{Inputs, Settings};
use webhook::wire::admit::admit;
use webhook::wire::reply::Outcome;

pub(crate) const ROLE: &str = "acs:ram::1234567890123456:role/demo-app";

pub(crate) struct Answer {
    pub(crate) outcome: Outcome,
    pub(crate) response: Value,
}

/// An operator's settings for one cluster.
pub(crate) fn settings() -> Settings {
    settings_with(&[])
}

/// The same with these set beside them or instead, each like `network=public`.
pub(crate) fn settings_with(more: &[&str]) -> Settings {
    let flags = ["region=cn-hangzhou", "clusterId=c0123"];
    let flags: Vec<_> = flags.iter().chain(more).map(ToString::to_string).collect();
    Inputs::new(None, &flags, []).unwrap().load().unwrap()
}

/// A Pod with one container and these annotations, given without their prefix.
pub(crate) fn pod(annotations: &[(&str, &str)]) -> Value {
    let mut pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "app", "namespace": "shop", "annotations": {
            "kms.alibabacloud/role-arn": ROLE,
        }},
        "spec": {"serviceAccountName": "checkout", "containers": [{"name": "app", "image": "app:1"}]},
    });
    for (key, value) in annotations {
        pod["metadata"]["annotations"][format!("kms.alibabacloud/{key}")] = json!(value);
    }
    pod
}

pub(crate) fn review(pod: &Value) -> Value {
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
            "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "resource": {"group": "", "version": "v1", "resource": "pods"},
            "operation": "CREATE",
            "namespace": "shop",
            "userInfo": {"username": "admin"},
            "object": pod,
            "oldObject": null,
            "dryRun": false,
        },
    })
}

pub(crate) fn ask_with(review: &Value, settings: &Settings) -> Answer {
    let reply = admit(review.to_string().as_bytes(), settings);
    assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(body["apiVersion"], "admission.k8s.io/v1");
    assert_eq!(body["kind"], "AdmissionReview");
    assert_eq!(body["response"]["uid"], review["request"]["uid"]);
    Answer { outcome: reply.outcome, response: body["response"].clone() }
}

pub(crate) fn ask(pod: &Value) -> Answer {
    ask_with(&review(pod), &settings())
}

impl Answer {
    /// The operations, which must be there.
    pub(crate) fn patch(&self) -> Value {
        assert_eq!(self.response["allowed"], true, "{}", self.response);
        assert_eq!(self.response["patchType"], "JSONPatch", "{}", self.response);
        let patch = self.response["patch"].as_str().unwrap();
        let patch = base64::engine::general_purpose::STANDARD.decode(patch).unwrap();
        serde_json::from_slice(&patch).unwrap()
    }

    pub(crate) fn message(&self) -> &str {
        assert_eq!(self.response["allowed"], false, "{}", self.response);
        assert_eq!(self.response["status"]["code"], 400);
        assert!(self.response.get("patch").is_none());
        self.response["status"]["message"].as_str().unwrap()
    }

    pub(crate) fn warnings(&self) -> String {
        self.response["warnings"].to_string()
    }
}

/// The Pod as it comes out of admission.
pub(crate) fn injected(pod: &Value) -> Value {
    injected_with(pod, &settings())
}

pub(crate) fn injected_with(pod: &Value, settings: &Settings) -> Value {
    let answer = ask_with(&review(pod), settings);
    let mut after = pod.clone();
    let patch: json_patch::Patch = serde_json::from_value(answer.patch()).unwrap();
    json_patch::patch(&mut after, &patch).unwrap();
    after
}

pub(crate) fn ours(pod: &Value) -> &Value {
    let containers = pod["spec"]["initContainers"].as_array().unwrap();
    containers.iter().find(|container| container["name"] == "kms-secrets-init").unwrap()
}

pub(crate) fn plan(pod: &Value) -> plan::Plan {
    let env = ours(pod)["env"].as_array().unwrap();
    let variable = env.iter().find(|variable| variable["name"] == "SECRETS_INJECTOR_PLAN").unwrap();
    plan::Plan::decode(variable["value"].as_str().unwrap()).unwrap()
}

/// Where a value is fetched, which is Alibaba Cloud.
pub(crate) fn route(lookup: &plan::Lookup) -> &plan::AlibabaLookup {
    lookup.as_alibaba().unwrap()
}

pub(crate) fn rrsa(plan: &plan::Plan) -> &plan::Rrsa {
    plan.credentials().and_then(plan::Credentials::as_rrsa).unwrap()
}

pub(crate) fn volume<'p>(pod: &'p Value, name: &str) -> &'p Value {
    let volumes = pod["spec"]["volumes"].as_array().unwrap();
    volumes.iter().find(|volume| volume["name"] == name).unwrap()
}

/// Which part of its value a file holds.
pub(crate) fn selected(file: &plan::File) -> &str {
    match &file.content {
        plan::Content::Value(value) => value.select.as_ref().unwrap().as_str(),
        plan::Content::Template(_) => panic!("{} is a template", file.name),
    }
}
