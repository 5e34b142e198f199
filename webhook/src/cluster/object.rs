//! A ServiceAccount as the API server sends it: who it is, and its annotations of ours. Whoever may
//! write one puts a megabyte of labels on it; what is not read here is not kept, however much it is.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::api::core::v1::ServiceAccount as Whole;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::account::{ROLE_ARN, ROLE_NAME, ServiceAccount};

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Object {
    #[serde(default, deserialize_with = "metadata")]
    metadata: ObjectMeta,
}

impl Object {
    pub(super) fn names(&self) -> Option<(&str, &str)> {
        Some((self.metadata.namespace.as_deref()?, self.metadata.name.as_deref()?))
    }

    pub(super) fn account(&self) -> ServiceAccount {
        let annotations = self.metadata.annotations.iter().flatten();
        let pairs = annotations.map(|(key, value)| (key.as_str(), value.as_str()));
        ServiceAccount::from_annotations(pairs)
    }
}

/// Metadata is all that is asked for.
impl Resource for Object {
    type DynamicType = ();
    type Scope = <Whole as Resource>::Scope;

    fn metadata_api() -> bool {
        true
    }

    fn kind((): &()) -> Cow<'_, str> {
        Whole::kind(&())
    }

    fn group((): &()) -> Cow<'_, str> {
        Whole::group(&())
    }

    fn version((): &()) -> Cow<'_, str> {
        Whole::version(&())
    }

    fn plural((): &()) -> Cow<'_, str> {
        Whole::plural(&())
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

fn metadata<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ObjectMeta, D::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Read {
        name: Option<String>,
        namespace: Option<String>,
        resource_version: Option<String>,
        annotations: Option<Ours>,
    }
    let Read { name, namespace, resource_version, annotations } = Read::deserialize(deserializer)?;
    let annotations = annotations.map(|Ours(annotations)| annotations);
    Ok(ObjectMeta { name, namespace, resource_version, annotations, ..ObjectMeta::default() })
}

struct Ours(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Ours {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = Ours;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("annotations")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ours, A::Error> {
                let mut ours = BTreeMap::new();
                while let Some(key) = map.next_key::<String>()? {
                    if [ROLE_ARN, ROLE_NAME].contains(&key.as_str()) {
                        ours.insert(key, map.next_value()?);
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(Ours(ours))
            }
        }
        deserializer.deserialize_map(Keys)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn of_an_account_its_names_its_version_and_its_role_are_kept_and_nothing_else() {
        let object: Object = serde_json::from_value(json!({
            "apiVersion": "meta.k8s.io/v1",
            "kind": "PartialObjectMetadata",
            "metadata": {
                "name": "web",
                "namespace": "shop",
                "resourceVersion": "7",
                "labels": {"a": "b"},
                "managedFields": [{"manager": "kubectl"}],
                "annotations": {ROLE_ARN: "acs:ram::1:role/a", "other": "x"},
            },
        }))
        .unwrap();
        assert_eq!(object.names(), Some(("shop", "web")));
        assert_eq!(object.account().role_arn.as_deref(), Some("acs:ram::1:role/a"));
        assert_eq!(object.meta().resource_version.as_deref(), Some("7"));
        assert_eq!(object.metadata.annotations.as_ref().map(BTreeMap::len), Some(1));
        assert!(object.meta().labels.is_none() && object.meta().managed_fields.is_none());
    }

    #[test]
    fn an_account_without_annotations_names_no_role() {
        for metadata in [json!({"name": "a", "namespace": "b"}), json!({"annotations": null})] {
            let object: Object = serde_json::from_value(json!({"metadata": metadata})).unwrap();
            assert_eq!(object.account(), ServiceAccount::default());
        }
    }
}
