//! What an API server asks the webhook about a Pod, and what it does with the answer.

use anyhow::{Context, Result, anyhow, bail, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use json_patch::Patch;
use serde_json::{Value, json};

const UID: &str = "705ab4f5-6393-11e8-b7cc-42010a800002";

/// The webhook's decision, read as strictly as an API server does.
#[derive(Debug, Clone)]
pub struct Verdict {
    pub allowed: bool,
    /// The `status` of a denial.
    pub status: Value,
    pub warnings: Vec<String>,
    pub patch: Option<Patch>,
    /// The response as it came.
    pub response: Value,
}

/// An `AdmissionReview` for the creation of a Pod.
pub fn of_pod(pod: &Value, namespace: &str) -> Value {
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": UID,
            "kind": { "group": "", "version": "v1", "kind": "Pod" },
            "resource": { "group": "", "version": "v1", "resource": "pods" },
            "requestKind": { "group": "", "version": "v1", "kind": "Pod" },
            "requestResource": { "group": "", "version": "v1", "resource": "pods" },
            "name": pod.pointer("/metadata/name").cloned().unwrap_or_default(),
            "namespace": namespace,
            "operation": "CREATE",
            "userInfo": { "username": "system:admin", "groups": ["system:masters"] },
            "object": pod,
            "oldObject": null,
            "dryRun": false,
            "options": { "kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1" },
        },
    })
}

impl Verdict {
    pub fn read(body: &[u8]) -> Result<Self> {
        let review: Value = serde_json::from_slice(body).context("reading the review's answer")?;
        let field = |name: &str| review.get(name).and_then(Value::as_str).unwrap_or_default();
        ensure!(field("apiVersion") == "admission.k8s.io/v1", "answered another version");
        ensure!(field("kind") == "AdmissionReview", "answered another kind");
        let response = review.get("response").context("the answer has no response")?;
        let part = |name: &str| response.get(name).cloned().unwrap_or_default();
        ensure!(part("uid") == UID, "answered another request");
        let allowed = part("allowed").as_bool().context("the answer does not decide")?;
        let warnings = match part("warnings") {
            Value::Null => Vec::new(),
            warnings => serde_json::from_value(warnings)?,
        };
        let patch = match (part("patchType"), part("patch")) {
            (Value::Null, Value::Null) => None,
            (Value::String(kind), Value::String(patch)) if kind == "JSONPatch" => {
                let patch = STANDARD.decode(patch).map_err(|_| anyhow!("a patch not in base64"))?;
                Some(serde_json::from_slice(&patch).context("reading the patch")?)
            }
            _ => bail!("the answer has half a patch"),
        };
        ensure!(allowed || patch.is_none(), "the answer denies and patches");
        let status = part("status");
        Ok(Self { allowed, status, warnings, patch, response: response.clone() })
    }

    /// Why not; empty for a Pod that is allowed.
    pub fn message(&self) -> &str {
        self.status.get("message").and_then(Value::as_str).unwrap_or_default()
    }

    /// The Pod as the cluster stores it.
    pub fn apply(&self, pod: &Value) -> Result<Value> {
        ensure!(self.allowed, "denied: {}", self.message());
        let mut pod = pod.clone();
        if let Some(patch) = &self.patch {
            json_patch::patch(&mut pod, patch).context("applying the patch")?;
        }
        Ok(pod)
    }
}
