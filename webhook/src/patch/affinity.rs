//! Keeps a Pod away from virtual nodes, where no kubelet reads files for it.

use serde_json::{Map, Value, json};

use crate::patch::desired_pod::DesiredPod;
use crate::patch::desired_pod::Method;
use crate::patch::json_patch::Patch;
use crate::pod::Pod;

pub(super) fn apply(
    pod: &Pod<'_>,
    desired: &DesiredPod<'_>,
    patch: &mut Patch,
) -> serde_json::Result<()> {
    if !desired.variables.iter().any(|target| target.method == Method::FileKeyRef) {
        return Ok(());
    }
    // One that is too large was refused with the variables.
    let known = pod.affinity().unwrap_or_default();
    let wanted = restricted(&known);
    match &known {
        Value::Null => patch.add("/spec/affinity".to_owned(), &wanted),
        known => patch.difference("/spec/affinity", known, &wanted),
    }
}

/// `affinity`, with real nodes only.
fn restricted(affinity: &Value) -> Value {
    let real = json!({"key": "type", "operator": "NotIn", "values": ["virtual-kubelet"]});
    let mut affinity = object(Some(affinity));
    let mut node = object(affinity.get("nodeAffinity"));
    let mut required = object(node.get(REQUIRED));
    // One of these terms must hold, so each says it.
    let mut terms = required.get(TERMS).and_then(Value::as_array).cloned().unwrap_or_default();
    let fresh = terms.is_empty();
    if fresh {
        terms.push(json!({}));
    }
    for term in terms.iter_mut().filter_map(Value::as_object_mut) {
        let list = |field: &str| term.get(field).and_then(Value::as_array);
        let says = |field: &str| list(field).is_some_and(|list| !list.is_empty());
        // One that says nothing matches no node.
        if !fresh && !says(EXPRESSIONS) && !says("matchFields") {
            continue;
        }
        let mut expressions = list(EXPRESSIONS).cloned().unwrap_or_default();
        if !expressions.contains(&real) {
            expressions.push(real.clone());
        }
        term.insert(EXPRESSIONS.to_owned(), Value::Array(expressions));
    }
    required.insert(TERMS.to_owned(), Value::Array(terms));
    node.insert(REQUIRED.to_owned(), Value::Object(required));
    affinity.insert("nodeAffinity".to_owned(), Value::Object(node));
    Value::Object(affinity)
}

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const TERMS: &str = "nodeSelectorTerms";
const EXPRESSIONS: &str = "matchExpressions";

fn object(value: Option<&Value>) -> Map<String, Value> {
    value.and_then(Value::as_object).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_term_that_can_hold_keeps_virtual_nodes_out_and_says_it_once() {
        let real = json!({"key": "type", "operator": "NotIn", "values": ["virtual-kubelet"]});
        let zone = json!({"key": "zone", "operator": "In", "values": ["a"]});
        let of = |terms: Value| json!({"nodeAffinity": {REQUIRED: {TERMS: terms}}});
        for (known, wanted) in [
            (Value::Null, of(json!([{"matchExpressions": [real]}]))),
            (
                of(json!([{"matchExpressions": [zone]}, {"matchFields": [1]}, {}, 7])),
                of(json!([
                    {"matchExpressions": [zone, real]},
                    {"matchFields": [1], "matchExpressions": [real]},
                    {},
                    7
                ])),
            ),
        ] {
            assert_eq!(restricted(&known), wanted);
            assert_eq!(restricted(&wanted), wanted);
        }
        let others = json!({"podAffinity": {"x": 1}, "nodeAffinity": {"preferred": []}});
        let kept = restricted(&others);
        assert_eq!(kept["podAffinity"], others["podAffinity"]);
        assert_eq!(kept["nodeAffinity"]["preferred"], json!([]));
    }
}
