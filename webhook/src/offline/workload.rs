//! The Kubernetes objects in a document, and the Pod templates in those objects. Templates are
//! found by their shape, so that workloads of operators count, too.

use manifest::Node;

/// An object by itself or in a list.
#[derive(Debug)]
pub(super) struct WorkloadObject<'d> {
    /// JSON pointer from the document's root.
    pub(super) pointer: String,
    pub(super) node: &'d Node<'d>,
    pub(super) kind: &'d str,
    pub(super) name: &'d str,
    pub(super) namespace: Option<&'d str>,
}

/// What Pods are made from: a Pod itself, or the template in a workload.
#[derive(Debug)]
pub(super) struct PodTemplate<'d> {
    /// JSON pointer from the document's root.
    pub(super) pointer: String,
    pub(super) node: &'d Node<'d>,
    /// Metadata around the template, where annotations do nothing.
    pub(super) outer: Vec<&'d Node<'d>>,
}

/// Lists of lists do not exist; one level more than exists is looked at.
const LIST_DEPTH: usize = 2;

/// Where workloads keep their template: Deployment and its like, CronJob, PodTemplate.
const TEMPLATES: [&[&str]; 3] =
    [&["spec", "template"], &["spec", "jobTemplate", "spec", "template"], &["template"]];

pub(super) fn objects<'d>(root: &'d Node<'d>) -> Vec<WorkloadObject<'d>> {
    let mut objects = Vec::new();
    collect(root, String::new(), LIST_DEPTH, &mut objects);
    objects
}

fn collect<'d>(
    node: &'d Node<'d>,
    pointer: String,
    depth: usize,
    objects: &mut Vec<WorkloadObject<'d>>,
) {
    let text = |path: &[&str]| node.at(path).and_then(Node::scalar).filter(|text| !text.is_empty());
    let Some(kind) = text(&["kind"]) else { return };
    let items = node.field("items").and_then(Node::items).filter(|_| kind.ends_with("List"));
    if let (Some(items), Some(depth)) = (items, depth.checked_sub(1)) {
        for (index, item) in items.enumerate() {
            collect(item, format!("{pointer}/items/{index}"), depth, objects);
        }
        return;
    }
    let name = text(&["metadata", "name"]).or_else(|| text(&["metadata", "generateName"]));
    objects.push(WorkloadObject {
        node,
        kind,
        name: name.unwrap_or("(no name)"),
        namespace: text(&["metadata", "namespace"]),
        pointer,
    });
}

impl<'d> WorkloadObject<'d> {
    pub(super) fn template(&self) -> Option<PodTemplate<'d>> {
        let node = self.node;
        if self.kind == "Pod" {
            return Some(PodTemplate { pointer: self.pointer.clone(), node, outer: Vec::new() });
        }
        let path = TEMPLATES.into_iter().find(|path| {
            let containers = node.at(path).and_then(|it| it.at(&["spec", "containers"]));
            containers.is_some_and(|it| it.items().is_some())
        })?;
        let mut outer: Vec<_> = node.field("metadata").into_iter().collect();
        outer.extend(node.at(&["spec", "jobTemplate", "metadata"]));
        Some(PodTemplate {
            pointer: format!("{}/{}", self.pointer, path.join("/")),
            node: node.at(path)?,
            outer,
        })
    }
}

/// Keys and values of the annotations in some metadata.
pub(super) fn annotations<'d>(
    metadata: &'d Node<'d>,
) -> impl Iterator<Item = (&'d Node<'d>, &'d Node<'d>)> {
    metadata.field("annotations").into_iter().flat_map(Node::pairs)
}
