//! Where a Pod says that it runs.

use serde_json::Value;

use super::Pod;
use super::room::Room;
use crate::pod::reserved;
use crate::problem::{Problem, Problems};

/// The type of virtual nodes, and how their names begin.
const VIRTUAL: &str = "virtual-kubelet";

impl Pod<'_> {
    /// Its affinity; `None` where that is larger than any that is written by hand or by a program.
    pub(crate) fn affinity(&self) -> Option<Value> {
        let Some(raw) = self.spec.affinity else { return Some(Value::Null) };
        let mut names = self.all_containers().map(|(_, _, container)| &container.name);
        let mut room = match names.any(|name| reserved::is_container(name)) {
            true => Room::of_restricted_affinity(),
            false => Room::of_affinity(),
        };
        room.read(raw.get())
    }

    /// Whether it says that it runs on a virtual node, and so on no other.
    pub(crate) fn is_for_virtual_nodes(&self, problems: &mut Problems) -> bool {
        let Some(affinity) = self.affinity() else {
            problems.push(Problem::pod(
                "the Pod",
                "its affinity is too large to be read, and it says whether variables can be set",
                "shorten it, or write files with kms.alibabacloud/secrets and no variables",
            ));
            return false;
        };
        let spec = &self.spec;
        let selector = spec.node_selector.as_ref();
        selector.and_then(|selector| selector.kind.as_deref()) == Some(VIRTUAL)
            || self.metadata.labels.eci.as_deref() == Some("true")
            || spec.node_name.as_deref().is_some_and(is_virtual_name)
            || requires_virtual(&affinity)
    }
}

fn is_virtual_name(name: &str) -> bool {
    name.starts_with(VIRTUAL)
}

/// One of the terms must hold, so each says it.
fn requires_virtual(affinity: &Value) -> bool {
    let terms = affinity.pointer(TERMS).and_then(Value::as_array).into_iter().flatten();
    let mut terms = terms.filter(|term| selects(term)).peekable();
    terms.peek().is_some() && terms.all(is_virtual_term)
}

/// One without requirements selects no node.
fn selects(term: &Value) -> bool {
    ["matchExpressions", "matchFields"]
        .iter()
        .any(|list| term.get(*list).and_then(Value::as_array).is_some_and(|all| !all.is_empty()))
}

fn is_virtual_term(term: &Value) -> bool {
    let says = |list: &str, key: &str, fits: fn(&str) -> bool| {
        let requirements = term.get(list).and_then(Value::as_array).into_iter().flatten();
        requirements.filter(|of| of["key"] == *key && of["operator"] == "In").any(|of| {
            let values = of["values"].as_array();
            values.is_some_and(|all| all.iter().all(|value| value.as_str().is_some_and(fits)))
        })
    };
    says("matchExpressions", "type", |value| value == VIRTUAL)
        || says("matchFields", "metadata.name", is_virtual_name)
}

const TERMS: &str =
    "/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms";
