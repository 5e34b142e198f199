//! SecretProviderClasses, read for Pods that name one, in namespaces that have opted in and no others:
//! whoever reaches the webhook may ask about a Pod of any namespace.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tokio::time::{Instant, timeout};

use super::is_name;
use super::reader::{Extent, ObjectAnswer, ObjectQuestion, ObjectReader};
use crate::class::{Class, SecretProviderClass, UnusableClass};
use crate::metrics::{Metrics, ObjectRead};

/// Those that were read a moment ago, by namespace and name. A Deployment that is scaled creates hundreds
/// of Pods in a second, and each names the same class.
#[derive(Default)]
pub(super) struct Classes(Mutex<HashMap<(String, String), Recent>>);

/// A class, and until when it counts.
struct Recent(Instant, Arc<SecretProviderClass>);

impl Classes {
    pub(super) fn known(&self, namespace: &str, name: &str) -> Option<Class> {
        let recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Recent(until, class) = recent.get(&(namespace.to_owned(), name.to_owned()))?;
        (*until > Instant::now()).then(|| Class::Known(Arc::clone(class)))
    }

    /// All reads together have the time of one.
    pub(super) async fn read(
        &self,
        reader: &ObjectReader,
        metrics: &Metrics,
        namespace: &str,
        name: &str,
    ) -> Class {
        if !is_name(namespace, 63) || !is_name(name, 253) {
            return Class::Missing;
        }
        let whole = reader.patience().whole;
        let class = timeout(whole, find(reader, namespace, name))
            .await
            .unwrap_or_else(|_| Class::Unreadable(reader.too_late()));
        let read = match &class {
            Class::Known(class) => {
                let until = Instant::now() + reader.patience().kept;
                self.keep((namespace.to_owned(), name.to_owned()), until, class);
                ObjectRead::Found
            }
            Class::Missing => ObjectRead::Missing,
            Class::NotOptedIn | Class::Unusable(_) => ObjectRead::Refused,
            Class::Unreadable(why) => {
                tracing::warn!(namespace, name, reason = why, "a SecretProviderClass was not read");
                ObjectRead::Failed
            }
            Class::Unknown => ObjectRead::Failed,
        };
        metrics.cluster.class_read(read);
        class
    }

    fn keep(&self, key: (String, String), until: Instant, class: &Arc<SecretProviderClass>) {
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        recent.retain(|_, Recent(until, _)| *until > now);
        if recent.len() < MOST {
            recent.insert(key, Recent(until, Arc::clone(class)));
        }
    }
}

async fn find(reader: &ObjectReader, namespace: &str, name: &str) -> Class {
    let path = format!("/api/v1/namespaces/{namespace}");
    let found = |answer: &ObjectAnswer| matches!(answer, ObjectAnswer::Object(_));
    match reader.read(ObjectQuestion { path, extent: Extent::Metadata }, found).await {
        ObjectAnswer::Object(text) if has_opted_in(&text) => {}
        ObjectAnswer::Object(_) | ObjectAnswer::Missing | ObjectAnswer::TooLarge => {
            return Class::NotOptedIn;
        }
        ObjectAnswer::Unreadable(why) => return Class::Unreadable(why),
    }
    for version in VERSIONS {
        let path = format!(
            "/apis/secrets-store.csi.x-k8s.io/{version}/namespaces/{namespace}/secretproviderclasses/{name}"
        );
        match reader.read(ObjectQuestion { path, extent: Extent::Whole }, found).await {
            ObjectAnswer::Object(text) => return Class::read(&text),
            ObjectAnswer::Missing => {}
            ObjectAnswer::TooLarge => return Class::Unusable(UnusableClass::TooLarge),
            ObjectAnswer::Unreadable(why) => return Class::Unreadable(why),
        }
    }
    Class::Missing
}

fn has_opted_in(namespace: &str) -> bool {
    let namespace: Result<Value, _> = serde_json::from_str(namespace);
    let label = |namespace: &Value| {
        namespace.pointer("/metadata/labels/kms.alibabacloud~1injection") == Some(&ENABLED.into())
    };
    namespace.is_ok_and(|namespace| label(&namespace))
}

const ENABLED: &str = "enabled";
/// The version that the driver stores, and the one that its first releases had.
const VERSIONS: [&str; 2] = ["v1", "v1alpha1"];
/// Some 2 MiB, where each is as large as it may be.
pub(crate) const MOST: usize = 32;
