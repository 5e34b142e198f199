//! Where in a file a problem is that was found in an annotation or at a named part of a Pod.

use super::node::{Content, Node, Style};
use super::workload::annotations;
use crate::problem::Problem;

/// The line of `text` to look at.
pub(super) fn line(text: &str, template: &Node<'_>, problem: &Problem) -> usize {
    let found = match &problem.annotation {
        Some(key) => annotation(text, template, key, problem.line),
        None => part(template, &problem.place),
    };
    found.unwrap_or_else(|| annotated(template))
}

/// Where a template's annotations begin, or else the template.
pub(super) fn annotated(template: &Node<'_>) -> usize {
    let metadata = template.field("metadata");
    let first = metadata.and_then(|metadata| annotations(metadata).next());
    first.map_or(template.target().line, |(key, _)| key.line)
}

fn annotation(text: &str, template: &Node<'_>, key: &str, line: Option<usize>) -> Option<usize> {
    let mut all = annotations(template.field("metadata")?);
    let (key, value) = all.find(|(name, _)| name.scalar() == Some(key))?;
    Some(line.map_or(key.line, |line| line_within(text, value.target(), line)))
}

/// The line of the file on which a line of a scalar's value stands.
fn line_within(text: &str, node: &Node<'_>, line: usize) -> usize {
    let Content::Scalar { text: value, style, .. } = &node.content else { return node.line };
    if *style == Style::Literal {
        // The node begins at its first line that is not blank.
        let blank = value.len() - value.trim_start_matches('\n').len();
        return (node.line + line).saturating_sub(1 + blank);
    }
    let skipped = value.split_inclusive('\n').take(line.saturating_sub(1));
    let wanted: usize = skipped.map(str::len).sum();
    // Line breaks fold here: look for each source line in the value until it reaches far enough.
    let source = text.get(node.span.clone()).unwrap_or_default();
    let mut at = 0;
    let mut found = node.line;
    for (number, piece) in source.lines().enumerate() {
        let piece = piece.trim().trim_matches(['"', '\'']);
        let rest = value.get(at..).unwrap_or_default();
        let Some(offset) = rest.find(piece).filter(|_| !piece.is_empty()) else { continue };
        if at + offset > wanted {
            break;
        }
        found = node.line + number;
        at += offset + piece.len();
    }
    found
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
    names.find(|node| node.scalar() == Some(name)).map(|node| node.line)
}
