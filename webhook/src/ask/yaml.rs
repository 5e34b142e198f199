//! YAML as people write it into an annotation: a small tree that remembers where each node stands
//! and whether a scalar was quoted. Bounded in bytes, depth and nodes; anchors, aliases, tags and
//! further documents are refused, so nothing can grow.

use std::borrow::Cow;

use granit_parser::{Event, Options, Parser, ScalarStyle};

#[derive(Debug)]
pub(crate) struct Node<'a> {
    /// From 1, within the annotation's value.
    pub(crate) line: usize,
    pub(crate) value: YamlValue<'a>,
}

#[derive(Debug)]
pub(crate) enum YamlValue<'a> {
    Scalar { text: Cow<'a, str>, quoted: bool },
    Sequence(Vec<Node<'a>>),
    Mapping(Vec<(Node<'a>, Node<'a>)>),
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub(crate) struct YamlError {
    pub(crate) line: usize,
    /// The item of a list that it is in, from 1.
    pub(crate) item: Option<usize>,
    pub(crate) what: &'static str,
    pub(crate) remedy: &'static str,
    /// It is not YAML at all, and not only more than is read here.
    pub(crate) syntax: bool,
}

/// All annotations of a Pod have room for every file that a plan may have, written generously. Some bytes
/// take three hundred instructions each.
const MAX_BYTES: usize = 64 * 1024;
const TOO_LONG: &str =
    "with it the annotations have more than 64 KiB of YAML together, the most that a Pod may have";
const MAX_DEPTH: usize = 8;
/// Keys, values, lists and mappings of all annotations of a Pod.
const MAX_ENTRIES: usize = 3200;
const TOO_MANY: &str = "with it the annotations have more than 3200 keys and values together, the most that a Pod may have";
/// An empty line takes as long as ten letters.
const MAX_LINES: usize = 4096;
const TOO_MANY_LINES: &str =
    "with it the annotations have more than 4096 lines together, the most that a Pod may have";

/// What all annotations of a Pod may still have, counted once for each time that one is read.
#[derive(Debug)]
pub(crate) struct YamlRoom {
    entries: usize,
    lines: usize,
    bytes: usize,
}

impl Default for YamlRoom {
    fn default() -> Self {
        Self { entries: MAX_ENTRIES, lines: MAX_LINES, bytes: MAX_BYTES }
    }
}

/// A collection whose end has not come yet.
struct Open<'a> {
    line: usize,
    mapping: bool,
    children: Vec<Node<'a>>,
}

/// The one document of `text`; `None` where there is nothing but comments and spaces.
///
/// `room` is for this text and for those behind it.
pub(crate) fn parse<'a>(text: &'a str, room: &mut YamlRoom) -> Result<Option<Node<'a>>, YamlError> {
    let too_large = |what| Err(YamlError { line: 1, item: None, what, remedy: "", syntax: false });
    room.bytes = match room.bytes.checked_sub(text.len()) {
        Some(left) => left,
        None => return too_large(TOO_LONG),
    };
    // A lone carriage return is a line break to YAML.
    let breaks = text.bytes().filter(|byte| matches!(byte, b'\n' | b'\r')).count();
    room.lines = match room.lines.checked_sub(breaks) {
        Some(left) => left,
        None => return too_large(TOO_MANY_LINES),
    };
    let mut options = Options::default();
    options.disallow_directives = true;
    options.flow_nesting_limit = MAX_DEPTH;
    options.block_nesting_limit = MAX_DEPTH;
    options.set_emit_comments(false);
    let mut parser = Parser::new_from_str_with_options(text, options);
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut root = None;
    let mut documents = 0;
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| YamlError {
            line: error.marker().line().max(1),
            item: item_of(&open),
            what: "it is not YAML, or nested more than 8 levels deep",
            remedy: "",
            syntax: true,
        })?;
        let line = span.start.line().max(1);
        let item = item_of(&open);
        let instead = |what, remedy| Err(YamlError { line, item, what, remedy, syntax: false });
        let fail = |what| instead(what, "");
        let closed = match event {
            Event::Scalar(_, _, anchor, _)
            | Event::SequenceStart(_, anchor, _)
            | Event::MappingStart(_, anchor, _)
                if anchor != 0 =>
            {
                return instead(
                    "anchors (&name) are not supported",
                    "write the value out at each place that has it, without & and *",
                );
            }
            Event::Scalar(_, _, _, tag) | Event::SequenceStart(_, _, tag) if tag.is_some() => {
                return instead("tags (!!name) are not supported", NO_TAG);
            }
            Event::MappingStart(_, _, tag) if tag.is_some() => {
                return instead("tags (!!name) are not supported", NO_TAG);
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                return instead("aliases (*name) are not supported", "write the value out");
            }
            Event::DocumentStart(..) => {
                documents += 1;
                if documents > 1 {
                    return fail("there is more than one YAML document");
                }
                continue;
            }
            Event::SequenceStart(..) | Event::MappingStart(..) => {
                if open.len() >= MAX_DEPTH {
                    return fail("it is nested more than 8 levels deep");
                }
                let mapping = matches!(event, Event::MappingStart(..));
                open.push(Open { line, mapping, children: Vec::new() });
                continue;
            }
            Event::Scalar(text, style, _, _) => {
                let quoted = style != ScalarStyle::Plain;
                // YAML's ways to say nothing.
                let nothing = !quoted && matches!(text.as_ref(), "~" | "null");
                let text = if nothing { Cow::Borrowed("") } else { text };
                Node { line, value: YamlValue::Scalar { text, quoted } }
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(collection) => collection.close(),
                None => continue,
            },
            _ => continue,
        };
        room.entries = match room.entries.checked_sub(1) {
            Some(left) => left,
            None => return fail(TOO_MANY),
        };
        match open.last_mut() {
            Some(parent) => parent.children.push(closed),
            None => root = Some(closed),
        }
    }
    // A document of nothing but comments reads as an empty plain scalar.
    Ok(root.filter(
        |node| !matches!(&node.value, YamlValue::Scalar { text, quoted: false } if text.is_empty()),
    ))
}

const NO_TAG: &str = "leave the tag out, and put quotes around a value that is text";

/// The item of the outermost list that is being read.
fn item_of(open: &[Open<'_>]) -> Option<usize> {
    open.first().filter(|root| !root.mapping).map(|root| root.children.len() + 1)
}

impl<'a> Open<'a> {
    fn close(self) -> Node<'a> {
        let value = if self.mapping {
            let mut entries = Vec::with_capacity(self.children.len() / 2);
            let mut children = self.children.into_iter();
            while let (Some(key), Some(value)) = (children.next(), children.next()) {
                entries.push((key, value));
            }
            YamlValue::Mapping(entries)
        } else {
            YamlValue::Sequence(self.children)
        };
        Node { line: self.line, value }
    }
}

impl Node<'_> {
    pub(crate) fn kind(&self) -> &'static str {
        match self.value {
            YamlValue::Scalar { .. } => "a single value",
            YamlValue::Sequence(_) => "a list",
            YamlValue::Mapping(_) => "a mapping",
        }
    }

    /// Whether there is no value, or an empty one.
    pub(crate) fn is_nothing(&self) -> bool {
        match &self.value {
            YamlValue::Scalar { text, .. } => text.trim().is_empty(),
            YamlValue::Sequence(items) => items.is_empty(),
            YamlValue::Mapping(entries) => entries.is_empty(),
        }
    }

    pub(crate) fn scalar(&self) -> Option<&str> {
        match &self.value {
            YamlValue::Scalar { text, .. } => Some(text),
            YamlValue::Sequence(_) | YamlValue::Mapping(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<Node<'_>>, YamlError> {
        parse(text, &mut YamlRoom::default())
    }

    fn refused(text: &str) -> YamlError {
        read(text).unwrap_err()
    }

    #[test]
    fn a_tree_remembers_lines_and_quotes() {
        let node = read("# first\n- a: \"0400\"\n  b: 0400\n").unwrap().unwrap();
        let YamlValue::Sequence(items) = &node.value else { panic!("{node:?}") };
        let YamlValue::Mapping(entries) = &items[0].value else { panic!("{node:?}") };
        let quoted = |index: usize| match &entries[index].1.value {
            YamlValue::Scalar { text, quoted } => {
                (entries[index].1.line, text.to_string(), *quoted)
            }
            _ => panic!("{node:?}"),
        };
        assert_eq!(quoted(0), (2, "0400".to_owned(), true));
        assert_eq!(quoted(1), (3, "0400".to_owned(), false));
    }

    #[test]
    fn nothing_is_nothing() {
        for text in ["", "  \n", "# a comment\n", "---\n"] {
            assert!(read(text).unwrap().is_none(), "{text:?}");
        }
    }

    #[test]
    fn whatever_could_grow_is_refused() {
        assert!(refused("a: &x 1\nb: *x").what.contains("anchors"));
        assert_eq!(refused("- a\n- b\n- &x c").item, Some(3));
        assert!(refused("a: *x").line == 1);
        assert!(refused("!!binary aGk=").what.contains("tags"));
        assert!(refused("a\n---\nb").what.contains("more than one"));
        assert!(refused(&"[".repeat(60_000)).what.contains("8 levels"));
        assert!(refused(&format!("{}1", "- ".repeat(20_000))).what.contains("8 levels"));
        assert!(refused("- - - - - [[[[a]]]]").what.contains("8 levels"));
        assert!(refused(&"- a\n".repeat(MAX_ENTRIES)).what.contains("more than 3200"));
        assert!(refused(&"x".repeat(MAX_BYTES + 1)).what.contains("64 KiB"));
        assert!(refused(&"\n".repeat(MAX_LINES + 1)).what.contains("4096 lines"));
        assert!(refused(&"\r".repeat(MAX_LINES + 1)).what.contains("4096 lines"));
        let bomb = "a: &a [x,x,x]\nb: &b [*a,*a,*a]\nc: [*b,*b,*b]";
        assert!(refused(bomb).what.contains("anchors"));
    }

    #[test]
    fn all_texts_of_a_pod_have_so_many_bytes_together() {
        let (mut room, text) = (YamlRoom::default(), "x".repeat(32 * 1024));
        assert!(parse(&text, &mut room).is_ok() && parse(&text, &mut room).is_ok());
        assert!(parse("x", &mut room).unwrap_err().what.contains("64 KiB of YAML together"));
    }

    #[test]
    fn the_line_of_a_syntax_error_is_known() {
        assert_eq!(refused("a: b\nc: [d\ne: f\n").line, 3);
    }
}
