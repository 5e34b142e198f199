//! The Secret as it was read, and what is written into it.

use std::collections::BTreeMap;
use std::time::SystemTime;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use serde_json::{Value, json};

use crate::anchor::{self, Anchor};
use crate::pair::{Pair, Unusable};
use crate::place::Place;

/// What of a Secret can be used.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    version: String,
    /// What replicas serve.
    pub(crate) current: Result<Pair, Unusable>,
    /// What they will serve once every API server trusts it.
    pub(crate) next: Result<Pair, Unusable>,
    /// All that clients must trust.
    pub(crate) anchors: Vec<Anchor>,
}

/// What the Secret is to hold.
#[derive(Clone, Debug)]
pub(crate) struct Contents {
    pub(crate) current: Option<Pair>,
    pub(crate) next: Option<Pair>,
    pub(crate) anchors: Vec<Anchor>,
}

impl Stored {
    pub(crate) fn read(object: Secret, names: &[String], now: SystemTime) -> Self {
        let mut data = object.data.unwrap_or_default();
        let mut take = |key: &str| data.remove(key).unwrap_or_default().0;
        let anchors = anchor::read(&take(CA));
        let mut pair = |cert, key| Pair::read(&take(cert), take(key), &anchors, names, now);
        let (current, next) = (pair(CERT, KEY), pair(NEXT_CERT, NEXT_KEY));
        let version = object.metadata.resource_version.unwrap_or_default();
        Self { version, current, next, anchors }
    }

    #[cfg(test)]
    pub(crate) fn with(contents: Contents) -> Self {
        Self {
            version: String::new(),
            current: contents.current.ok_or(Unusable::Missing),
            next: contents.next.ok_or(Unusable::Missing),
            anchors: contents.anchors,
        }
    }

    pub(crate) fn is_version_of(&self, other: &Self) -> bool {
        self.version == other.version
    }

    /// A merge patch that fails if anything was changed since. What others put into the Secret
    /// under names that we do not use stays.
    pub(crate) fn patch(&self, contents: &Contents) -> Value {
        json!({"metadata": {"resourceVersion": self.version}, "data": contents.data()})
    }
}

impl Contents {
    pub(crate) fn with_next(mut self, next: Pair) -> Self {
        self.anchors.push(next.ca.clone());
        self.next = Some(next);
        self
    }

    /// The whole object, for the first time. It ends with the configuration: whoever removes
    /// that leaves nothing behind.
    pub(crate) fn object(&self, place: &Place, owner: &str) -> Value {
        let configuration = &place.target.configuration;
        let mut data = self.data();
        data.retain(|_, value| value.is_some());
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": place.secret,
                "namespace": place.namespace,
                "labels": {"app.kubernetes.io/managed-by": "secrets-webhook"},
                "ownerReferences": [{
                    "apiVersion": "admissionregistration.k8s.io/v1",
                    "kind": "MutatingWebhookConfiguration",
                    "name": configuration,
                    "uid": owner,
                }],
            },
            "type": "kubernetes.io/tls",
            "data": data,
        })
    }

    /// The type wants a certificate and a key, if only empty ones.
    fn data(&self) -> BTreeMap<&'static str, Option<ByteString>> {
        let cert = |pair: &Pair| pair.serving.cert_pem.clone();
        let key = |pair: &Pair| pair.serving.key.pem().to_owned();
        let bytes = |text: String| Some(ByteString(text.into_bytes()));
        let (current, next) = (self.current.as_ref(), self.next.as_ref());
        BTreeMap::from([
            (CA, bytes(anchor::write(&self.anchors))),
            (CERT, bytes(current.map(cert).unwrap_or_default())),
            (KEY, bytes(current.map(key).unwrap_or_default())),
            (NEXT_CERT, next.map(cert).and_then(bytes)),
            (NEXT_KEY, next.map(key).and_then(bytes)),
        ])
    }
}

const CA: &str = "ca.crt";
const CERT: &str = "tls.crt";
const KEY: &str = "tls.key";
const NEXT_CERT: &str = "next.crt";
const NEXT_KEY: &str = "next.key";
