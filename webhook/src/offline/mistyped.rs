//! Where a Pod's template has a value of a type that Kubernetes does not have there.

use std::fmt::Write as _;

use manifest::Node;
use serde_json::Value;

use crate::problem::Problem;

/// One step on the way from the template to the value.
#[derive(Clone, Copy, Debug)]
enum PathStep<'v> {
    Field(&'v str),
    Item(usize),
}

/// What is wrong at `line` of `template`, written as pretty JSON, and on which line of the file.
pub(super) fn problem(template: &Value, node: &Node<'_>, line: usize) -> (usize, Problem) {
    let mut way = Vec::new();
    let found = find(template, &mut 1, line, &mut way).unwrap_or(template);
    let (mut place, mut field) = (String::new(), "pod".to_owned());
    let mut at = Some(node);
    for step in way {
        let dot = if place.is_empty() { "" } else { "." };
        // Writing to a String does not fail.
        let _ = match step {
            PathStep::Field(name) => {
                write!(place, "{dot}{name:.64}").and(write!(field, ".{name:.64}"))
            }
            PathStep::Item(index) => write!(place, "[{index}]"),
        };
        at = at.and_then(|node| match step {
            PathStep::Field(name) => node.field(name),
            PathStep::Item(index) => node.items()?.nth(index),
        });
    }
    let problem = Problem::pod(
        if place.is_empty() { "the Pod".to_owned() } else { place },
        format!("it is {}, and Kubernetes has another type {}", kind(found), whereabouts(found)),
        format!("correct it as `kubectl explain {field}` says"),
    );
    (at.unwrap_or(node).line(), problem)
}

/// A mapping or a list is known to be wrong at its end only, which may be because of its last value.
fn whereabouts(found: &Value) -> &'static str {
    if found.is_object() || found.is_array() { "there, or for a value in it" } else { "there" }
}

/// The value that begins or ends on `line`, where the first one begins on line `at`.
fn find<'v>(
    value: &'v Value,
    at: &mut usize,
    line: usize,
    way: &mut Vec<PathStep<'v>>,
) -> Option<&'v Value> {
    if *at == line {
        return Some(value);
    }
    let children: Vec<(PathStep<'v>, &'v Value)> = match value {
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, item)| (PathStep::Item(index), item)).collect()
        }
        Value::Object(fields) => {
            fields.iter().map(|(name, field)| (PathStep::Field(name), field)).collect()
        }
        _ => return None,
    };
    if children.is_empty() {
        return None;
    }
    for (step, child) in children {
        *at += 1;
        way.push(step);
        if let Some(found) = find(child, at, line, way) {
            return Some(found);
        }
        way.pop();
    }
    // Its closing bracket.
    *at += 1;
    (*at == line).then_some(value)
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "empty",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}
