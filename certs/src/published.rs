//! Our webhook as the API has it, and the smallest change to it.

use k8s_openapi::ByteString;
use k8s_openapi::api::admissionregistration::v1::MutatingWebhookConfiguration;
use serde_json::{Value, json};

use crate::anchor::{self, Anchor};
use crate::place::Target;

/// A configuration that has our webhook.
#[derive(Clone, Debug)]
pub(crate) struct Published {
    /// The uid of the configuration.
    pub(crate) uid: String,
    version: String,
    index: usize,
    webhook: String,
    bundle: Option<ByteString>,
    pub(crate) anchors: Vec<Anchor>,
    pub(crate) conditions: bool,
}

impl Published {
    /// `None` where our webhook is not in it.
    pub(crate) fn read(object: MutatingWebhookConfiguration, target: &Target) -> Option<Self> {
        let webhooks = object.webhooks.unwrap_or_default().into_iter();
        let (index, webhook) =
            webhooks.enumerate().find(|(_, webhook)| webhook.name == target.webhook)?;
        let conditions = webhook.match_conditions.unwrap_or_default();
        let bundle = webhook.client_config.ca_bundle;
        Some(Self {
            uid: object.metadata.uid.unwrap_or_default(),
            version: object.metadata.resource_version.unwrap_or_default(),
            index,
            webhook: webhook.name,
            anchors: anchor::read(bundle.as_ref().map_or(&[], |bundle| &bundle.0)),
            bundle,
            conditions: conditions.iter().any(|condition| condition.name == target.condition),
        })
    }

    pub(crate) fn is_version_of(&self, other: &Self) -> bool {
        (&self.uid, &self.version) == (&other.uid, &other.version)
    }

    /// A JSON patch that sets the CAs of our webhook and fails if anything was changed since.
    pub(crate) fn patch(&self, anchors: &[Anchor]) -> Value {
        let webhook = format!("/webhooks/{}", self.index);
        let bundle = format!("{webhook}/clientConfig/caBundle");
        let mut operations = vec![
            json!({"op": "test", "path": "/metadata/resourceVersion", "value": self.version}),
            json!({"op": "test", "path": format!("{webhook}/name"), "value": self.webhook}),
        ];
        if let Some(old) = self.bundle.as_ref().filter(|old| !old.0.is_empty()) {
            operations.push(json!({"op": "test", "path": bundle, "value": old}));
        }
        let new = ByteString(anchor::write(anchors).into_bytes());
        operations.push(json!({"op": "add", "path": bundle, "value": new}));
        Value::Array(operations)
    }

    #[cfg(test)]
    pub(crate) fn with(uid: &str, anchors: Vec<Anchor>) -> Self {
        Self {
            uid: uid.into(),
            version: String::new(),
            index: 0,
            webhook: String::new(),
            bundle: None,
            anchors,
            conditions: true,
        }
    }
}
