//! Where in a file a problem is that was found in an annotation or at a named part of a Pod.

use manifest::{Document, Node};

use super::workload::annotations;
use crate::problem::{Origin, Problem};

/// The line to look at of the text that the document is in.
pub(super) fn line(document: &Document<'_>, template: &Node<'_>, problem: &Problem) -> usize {
    let found = match &problem.origin {
        Origin::Annotation(key) => annotation(document, template, key, problem.line),
        Origin::Pod => part(template, &problem.place),
        Origin::Class(_) | Origin::Rule(_) => None,
    };
    found.unwrap_or_else(|| annotated(template))
}

/// Where a template's annotations begin, or else the template.
pub(super) fn annotated(template: &Node<'_>) -> usize {
    let metadata = template.field("metadata");
    let first = metadata.and_then(|metadata| annotations(metadata).next());
    first.map_or(template.target().line(), |(key, _)| key.line())
}

fn annotation(
    document: &Document<'_>,
    template: &Node<'_>,
    key: &str,
    line: Option<usize>,
) -> Option<usize> {
    let mut all = annotations(template.field("metadata")?);
    let (key, value) = all.find(|(name, _)| name.scalar() == Some(key))?;
    Some(line.map_or(key.line(), |line| document.line_within(value, line)))
}

/// `container "app"` and `volume "data"` are found by their names.
fn part(template: &Node<'_>, place: &str) -> Option<usize> {
    let (what, rest) = place.split_once(" \"")?;
    let (name, _) = rest.split_once('"')?;
    let lists: &[&str] = match what {
        "container" => &["containers", "initContainers"],
        "volume" => &["volumes"],
        _ => return None,
    };
    let spec = template.field("spec")?;
    let items = lists.iter().filter_map(|list| spec.field(list)?.items()).flatten();
    let mut names = items.filter_map(|item| item.field("name"));
    names.find(|node| node.scalar() == Some(name)).map(Node::line)
}
