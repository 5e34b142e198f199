//! The few facts of a Pod that decide, borrowed from its JSON. Whatever else the Pod holds is
//! skipped and so survives: it is only ever patched.

mod amount;
mod container;
mod containers;
mod counts;
mod escapes;
pub(crate) mod existing;
mod limits;
mod list;
mod marks;
mod mount;
mod nodes;
pub(crate) mod reserved;
mod room;
mod text;
mod users;
mod variable;
mod volume;

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

pub(crate) use self::amount::Amount;
pub(crate) use self::container::{Amounts, Container, Resources};
pub(crate) use self::containers::List;
pub(crate) use self::limits::MAX_ANNOTATION_BYTES;
pub(crate) use self::marks::{Annotated, KMS_AGENT};
pub(crate) use self::mount::VolumeMount;
pub(crate) use self::room::Room;
pub(crate) use self::variable::Variable;

use self::containers::Containers;
use self::escapes::Escapes;
use self::list::Capped;
use self::marks::Labelled;
use self::text::null_default;
use self::volume::Volume;
use crate::problem::PREFIX;

#[derive(Debug, Deserialize)]
pub(crate) struct Pod<'a> {
    #[serde(borrow, default, deserialize_with = "null_default")]
    pub(crate) metadata: Metadata<'a>,
    #[serde(borrow, default, deserialize_with = "null_default")]
    pub(crate) spec: Spec<'a>,
    /// What is escaped in its JSON.
    #[serde(skip)]
    escapes: Escapes,
    #[serde(skip)]
    bytes: usize,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Metadata<'a> {
    #[serde(borrow, default, deserialize_with = "text::text")]
    name: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "text::text")]
    generate_name: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "null_default")]
    pub(crate) annotations: Annotated<'a>,
    #[serde(borrow, default, deserialize_with = "null_default")]
    pub(crate) labels: Labelled<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Spec<'a> {
    #[serde(borrow, default, deserialize_with = "text::optional")]
    pub(crate) service_account_name: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "text::optional")]
    pub(crate) restart_policy: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "text::optional")]
    pub(crate) runtime_class_name: Option<Cow<'a, str>>,
    #[serde(default, rename = "hostPID", deserialize_with = "null_default")]
    pub(crate) host_pid: bool,
    #[serde(default, deserialize_with = "null_default")]
    pub(crate) host_network: bool,
    #[serde(default, deserialize_with = "null_default")]
    pub(crate) share_process_namespace: bool,
    #[serde(default, deserialize_with = "null_default")]
    pub(crate) security_context: PodSecurity,
    #[serde(borrow, default)]
    pub(crate) os: Option<Os<'a>>,
    #[serde(borrow, default)]
    pub(crate) node_selector: Option<NodeSelector<'a>>,
    #[serde(borrow, default, deserialize_with = "text::optional")]
    pub(crate) node_name: Option<Cow<'a, str>>,
    /// Read only where a kubelet is to set variables.
    #[serde(borrow, default)]
    pub(crate) affinity: Option<&'a RawValue>,
    /// Those of the whole Pod, which its containers share.
    #[serde(borrow, default, deserialize_with = "null_default")]
    pub(crate) resources: Resources<'a>,
    #[serde(borrow, default)]
    pub(crate) volumes: Option<Capped<Volume<'a>>>,
    #[serde(borrow, default)]
    pub(crate) init_containers: Option<Containers<'a>>,
    #[serde(borrow, default, deserialize_with = "null_default")]
    pub(crate) containers: Containers<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PodSecurity {
    #[serde(default)]
    pub(crate) run_as_user: Option<i64>,
    #[serde(default)]
    pub(crate) run_as_group: Option<i64>,
    #[serde(default)]
    pub(crate) fs_group: Option<i64>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Os<'a> {
    #[serde(borrow, default, deserialize_with = "text::optional")]
    pub(crate) name: Option<Cow<'a, str>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct NodeSelector<'a> {
    #[serde(borrow, default, rename = "type", deserialize_with = "text::optional")]
    pub(crate) kind: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "kubernetes.io/os", deserialize_with = "text::optional")]
    pub(crate) os: Option<Cow<'a, str>>,
}

/// A Pod that cannot be read, by position only.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the Pod cannot be read at line {line}, column {column}")]
pub(crate) struct Unreadable {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl<'a> Pod<'a> {
    pub(crate) fn read(json: &'a str) -> Result<Self, Unreadable> {
        serde_json::from_str(json)
            .map(|pod| Self { escapes: Escapes::of(json), bytes: json.len(), ..pod })
            .map_err(|error| Unreadable { line: error.line(), column: error.column() })
    }

    /// Its name, or what its name will begin with.
    pub(crate) fn name(&self) -> &str {
        let Metadata { name, generate_name, .. } = &self.metadata;
        if name.is_empty() { generate_name } else { name }
    }

    /// Whether the Pod asks for anything: the same rule as the chart's one trigger expression.
    pub(crate) fn triggers(&self) -> bool {
        let Metadata { annotations, labels, .. } = &self.metadata;
        let texts = annotations.ours.iter().map(|(key, _)| key);
        let mut keys = texts.chain(annotations.untyped.iter().map(|(key, _)| key));
        keys.any(|key| key != "status")
            && !annotations.mirror
            && labels.injection.as_deref() != Some("disabled")
    }

    /// A word on a label of ours that was meant to opt the Pod out, and does not.
    pub(crate) fn label_that_means_nothing(&self) -> Option<String> {
        let value = self.metadata.labels.injection.as_deref()?;
        (!["enabled", "disabled"].contains(&value)).then(|| {
            format!(
                "the label {PREFIX}injection: {:?} opts nothing out; write disabled on a Pod that is to be left alone",
                crate::text::display_name(value)
            )
        })
    }

    /// Init containers and containers, as the two lists that a patch addresses.
    pub(crate) fn all_containers(&self) -> impl Iterator<Item = (List, usize, &Container<'a>)> {
        let init = self.spec.init_containers.iter().flatten().enumerate();
        let main = self.spec.containers.iter().enumerate();
        init.map(|(index, container)| (List::Init, index, container))
            .chain(main.map(|(index, container)| (List::Main, index, container)))
    }

    /// Init containers and containers that are not ours.
    pub(crate) fn foreign_containers(&self) -> impl Iterator<Item = (List, usize, &Container<'a>)> {
        self.all_containers().filter(|(_, _, container)| !reserved::is_container(&container.name))
    }

    pub(crate) fn restart_policy(&self) -> &str {
        match self.spec.restart_policy.as_deref() {
            Some(policy) if !policy.is_empty() => policy,
            _ => "Always",
        }
    }

    pub(crate) fn service_account(&self) -> &str {
        match self.spec.service_account_name.as_deref() {
            Some(name) if !name.is_empty() => name,
            _ => "default",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_read_and_the_rest_is_skipped() {
        let json = r#"{"metadata":{"annotations":{"a":"b","kms.alibabacloud/secrets":"x\ny"},
            "labels":null,"ownerReferences":[{"new":1}]},
            "spec":{"volumes":null,"containers":[{"name":"app","resources":{"limits":{"cpu":2}}}],
            "futureField":{"deep":[1,2]}}}"#;
        let pod = Pod::read(json).unwrap();
        assert!(pod.triggers());
        assert_eq!(pod.metadata.annotations.ours, [("secrets".into(), "x\ny".into())]);
        assert!(pod.spec.volumes.is_none());
        let cpu = pod.spec.containers[0].resources.limits.cpu.as_ref().unwrap();
        assert_eq!(cpu.text(), "2");
        assert_eq!(pod.service_account(), "default");
    }

    #[test]
    fn what_does_not_trigger_is_left_alone() {
        for json in [
            "{}",
            r#"{"metadata":{"annotations":{"kms.alibabacloud/status":"{}"}}}"#,
            r#"{"metadata":{"annotations":{"kms.alibabacloud/secrets":"x"},
                "labels":{"kms.alibabacloud/injection":"disabled"}}}"#,
            r#"{"metadata":{"annotations":{"kms.alibabacloud/secrets":"x",
                "kubernetes.io/config.mirror":"1"}}}"#,
        ] {
            assert!(!Pod::read(json).unwrap().triggers(), "{json}");
        }
    }

    #[test]
    fn an_unreadable_pod_is_not_quoted() {
        let error = Pod::read(r#"{"spec":{"containers":"CANARY"}}"#).unwrap_err();
        assert!(!error.to_string().contains("CANARY"), "{error}");
    }
}
