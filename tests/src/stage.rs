//! A cloud and a webhook, and the way of a Pod through both.

use anyhow::Result;
use serde_json::{Value, json};

use crate::cloud::{Cloud, CloudConfig, Seed};
use crate::fetcher::{Ended, NAMESPACE, PROVIDER, REGION, ROLE, SERVICE_ACCOUNT};
use crate::kubelet::Sandbox;
use crate::webhook_process::WebhookProcess;

/// What runs while a story is told.
pub struct Stage {
    pub cloud: Cloud,
    pub webhook: WebhookProcess,
}

impl Stage {
    /// With the accounts and secrets of `examples/cloud.json`.
    pub async fn start() -> Result<Self> {
        let cloud = Cloud::start(CloudConfig::new(Seed::demo()?)).await?;
        Ok(Self { cloud, webhook: WebhookProcess::start(&[]).await? })
    }

    /// Admission, and the Pod on its node with our container run once.
    pub async fn run(&self, pod: &Value) -> Result<(Sandbox, Ended)> {
        let injected = self.webhook.admit(pod, NAMESPACE).await?;
        let sandbox = Sandbox::new(&self.cloud, &injected, NAMESPACE)?;
        let ended = sandbox.run().await?;
        Ok((sandbox, ended))
    }
}

/// A Pod of the demo's ServiceAccount with one container `app` and these annotations, given without
/// their prefix.
pub fn pod(annotations: &[(&str, &str)]) -> Value {
    let mut pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": "checkout", "namespace": NAMESPACE },
        "spec": {
            "serviceAccountName": SERVICE_ACCOUNT,
            "containers": [{ "name": "app", "image": "registry.example.com/app:1" }],
        },
    });
    let identity = [("role-arn", ROLE), ("oidc-provider-arn", PROVIDER), ("region", REGION)];
    let annotations = identity.iter().chain(annotations);
    let annotations: serde_json::Map<String, Value> =
        annotations.map(|(key, value)| (format!("kms.alibabacloud/{key}"), json!(value))).collect();
    if let Some(metadata) = pod.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.insert("annotations".to_owned(), Value::Object(annotations));
    }
    pod
}
