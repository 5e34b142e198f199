//! What must hold of every admission, whatever was sent.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use webhook::settings::{Inputs, Settings};
use webhook::wire::admit::admit;

/// An operator's settings for one cluster.
pub fn settings() -> Settings {
    let flags = ["region=cn-hangzhou", "clusterId=c0123"].map(str::to_owned);
    let inputs = Inputs::new(None, &flags, []).expect("the settings have these names");
    inputs.load().expect("the settings are valid")
}

/// The review of a Pod's creation that carries this text as one annotation.
pub fn review_of(key: &str, text: &str) -> Value {
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
            "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "operation": "CREATE",
            "namespace": "shop",
            "object": {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": "app", "annotations": {
                    "kms.alibabacloud/role-arn": "acs:ram::1234567890123456:role/demo-app",
                    format!("kms.alibabacloud/{key}"): text,
                }},
                "spec": {"containers": [{
                    "name": "app", "image": "app:1", "command": ["/app"],
                }]},
            },
        },
    })
}

/// What a decision may take beside its body: a small multiple of it, and what any takes.
const MEMORY: u64 = 16 << 20;
const TIMES: u64 = 8;

/// Asks for an admission, checks the answer and the memory that it took, and that our own output is
/// left as it is. How long it took, libFuzzer looks after.
pub fn check_admission(body: &[u8], settings: &Settings) {
    let before = peak();
    let reply = admit(body, settings);
    let risen = peak().saturating_sub(before);
    let size = u64::try_from(body.len()).unwrap_or(u64::MAX);
    assert!(risen <= MEMORY + TIMES * size, "{size} bytes took {risen} bytes of memory");
    if reply.status != 200 {
        assert_eq!(reply.status, 400, "a body is read or refused, it never is our fault");
        assert!(!reply.body.is_empty(), "a refusal says why");
        return;
    }
    let answer: Value = serde_json::from_slice(&reply.body).expect("the answer is JSON");
    let response = &answer["response"];
    assert!(response["uid"].as_str().is_some_and(|uid| !uid.is_empty()), "the answer has a uid");
    match response["allowed"].as_bool() {
        Some(true) => {}
        Some(false) => {
            assert_eq!(response["status"]["code"], 400, "a denial has a code");
            let message = response["status"]["message"].as_str().unwrap_or_default();
            assert!(!message.is_empty(), "a denial has a message");
            assert!(response.get("patch").is_none(), "a denial has no patch");
            return;
        }
        None => panic!("the answer says whether the Pod is allowed"),
    }
    let Some(patch) = response.get("patch") else { return };
    let patch = STANDARD.decode(patch.as_str().expect("a patch is text")).expect("in base64");
    let patch: json_patch::Patch = serde_json::from_slice(&patch).expect("of JSON Patch");
    assert!(!patch.is_empty(), "a patch is sent only where it changes something");

    // The webhook wants no more than the end of a field that nobody reads: text that is not UTF-8
    // there is no reason to keep a Pod from starting.
    let Ok(mut review) = serde_json::from_slice::<Value>(body) else { return };
    json_patch::patch(&mut review["request"]["object"], &patch).expect("the patch applies");
    let again = admit(review.to_string().as_bytes(), settings);
    let again: Value = serde_json::from_slice(&again.body).expect("the second answer is JSON");
    assert_eq!(again["response"]["allowed"], true, "our own output is allowed: {again}");
    assert!(again["response"].get("patch").is_none(), "our own output is not patched again");
}

/// The most memory that the process has had so far. It rises by what an input takes more than all
/// before it.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kilobytes.map_or(0, |kilobytes| kilobytes * 1024)
}
