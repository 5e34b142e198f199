//! Turns the difference between two values into edits of a document's text: what did not change
//! keeps its bytes, comments and quotes included. What cannot be edited in place is written anew.

use std::ops::Range;
use std::rc::Rc;

use serde_json::{Map, Value};

use crate::alignment::{AlignmentStep, align};
use crate::block::{self, ValueText};
use crate::flow;
use crate::layout::{Flow, Layout};
use crate::lines::{dash_line, indentation, leading, line_start};
use crate::node::{MappingEntry, Node, NodeContent};

#[derive(Debug)]
struct Edit {
    range: Range<usize>,
    text: String,
}

/// What a value belongs to, and whether that is within brackets.
#[derive(Clone, Copy)]
enum ValueParent<'p> {
    Root,
    Entry { key: &'p Node<'p>, column: usize },
    Item,
    Flow,
}

struct Splice<'t> {
    text: &'t str,
    layout: &'t Layout,
    edits: Vec<Edit>,
}

/// The text of `region` with `root` changed from `before` to `after`, or `None` where that cannot
/// be done in place.
pub(crate) fn splice(
    text: &str,
    region: Range<usize>,
    root: &Node<'_>,
    layout: &Layout,
    before: &Value,
    after: &Value,
) -> Option<String> {
    let mut splice = Splice { text, layout, edits: Vec::new() };
    splice.change(root, before, after, ValueParent::Root)?;
    splice.apply(region)
}

impl Splice<'_> {
    fn change(
        &mut self,
        node: &Node<'_>,
        before: &Value,
        after: &Value,
        place: ValueParent<'_>,
    ) -> Option<()> {
        if before == after {
            return Some(());
        }
        let mark = self.edits.len();
        let done = match (&node.content, before, after) {
            (
                NodeContent::Mapping { entries, flow },
                Value::Object(before),
                Value::Object(after),
            ) if !entries.is_empty() && !after.is_empty() => {
                self.mapping(node.column, entries, *flow, before, after)
            }
            (NodeContent::Sequence { items, flow }, Value::Array(before), Value::Array(after))
                if !items.is_empty() && !after.is_empty() =>
            {
                self.sequence(items, *flow, before, after)
            }
            _ => None,
        };
        if done.is_none() {
            self.edits.truncate(mark);
            self.replace(node, after, place)?;
        }
        Some(())
    }

    fn mapping(
        &mut self,
        column: usize,
        entries: &[MappingEntry<'_>],
        flow: bool,
        before: &Map<String, Value>,
        after: &Map<String, Value>,
    ) -> Option<()> {
        let own = || entries.iter().filter(|entry| !entry.merges());
        for entry in own() {
            let name = entry.name();
            let before = before.get(&*name)?;
            match after.get(&*name) {
                Some(after) => {
                    let key = &entry.key;
                    let place =
                        if flow { ValueParent::Flow } else { ValueParent::Entry { key, column } };
                    self.change(&entry.value, before, after, place)?;
                }
                None if flow => return None,
                None => {
                    leading(self.text, entry.key.span.start)?;
                    let start = line_start(self.text, entry.key.span.start);
                    let end = self.line_after(&entry.value)?;
                    self.edit(start..end, String::new());
                }
            }
        }
        let last = entries.last()?;
        let is_own = |name: &str| own().any(|entry| entry.name() == name);
        // What a merge key brings in can be overridden, but not be taken away.
        if before.keys().any(|name| !is_own(name) && !after.contains_key(name)) {
            return None;
        }
        for (name, value) in after {
            if is_own(name) || before.get(name) == Some(value) {
                continue;
            }
            if flow {
                let end = last.key.span.end.max(last.value.span.end);
                let (separator, base) = self.flow_separator(last.key.span.start);
                let entry = flow::entry(name, value, self.layout, &base);
                self.edit(end..end, format!("{separator}{entry}"));
            } else {
                let at = self.line_after(&last.value)?;
                self.insert(at, block::entry(name, value, self.layout), column);
            }
        }
        Some(())
    }

    fn sequence(
        &mut self,
        items: &[Rc<Node<'_>>],
        flow: bool,
        before: &[Value],
        after: &[Value],
    ) -> Option<()> {
        let first = items.first()?;
        let mut previous: Option<&Node<'_>> = None;
        for step in align(before, after)? {
            match step {
                AlignmentStep::Keep(old, new) => {
                    let item = items.get(old)?;
                    let place = if flow { ValueParent::Flow } else { ValueParent::Item };
                    self.change(item, before.get(old)?, after.get(new)?, place)?;
                    previous = Some(item);
                }
                AlignmentStep::Drop(_) if flow => return None,
                AlignmentStep::Drop(old) => {
                    let item = items.get(old)?;
                    let (start, _) = dash_line(self.text, item.span.start)?;
                    let end = self.line_after(item)?;
                    self.edit(start..end, String::new());
                    previous = Some(item);
                }
                AlignmentStep::Add(new) if flow => {
                    let (separator, base) = self.flow_separator(first.span.start);
                    let value = flow::value(after.get(new)?, self.layout, &base);
                    match previous {
                        Some(item) => {
                            self.edit(item.span.end..item.span.end, format!("{separator}{value}"));
                        }
                        None => {
                            let trailing = separator.strip_prefix(',').unwrap_or_default();
                            let at = first.span.start;
                            self.edit(at..at, format!("{value},{trailing}"));
                        }
                    }
                }
                AlignmentStep::Add(new) => {
                    let (start, column) = dash_line(self.text, first.span.start)?;
                    let at = match previous {
                        Some(item) => self.line_after(item)?,
                        None => self.above_comments(start),
                    };
                    self.insert(at, block::item(after.get(new)?, self.layout), column);
                }
            }
        }
        Some(())
    }

    /// Writes a value anew in the place of another.
    fn replace(&mut self, node: &Node<'_>, after: &Value, place: ValueParent<'_>) -> Option<()> {
        match place {
            ValueParent::Flow => self.replace_flow(node, after),
            ValueParent::Root if !node.is_block() => self.replace_flow(node, after),
            ValueParent::Root => {
                let start = line_start(self.text, node.span.start);
                let end = self.line_after(node)?;
                self.edit(start..end, self.joined(&block::node(after, self.layout), end));
            }
            ValueParent::Entry { key, column } => self.replace_value(node, after, key, column)?,
            ValueParent::Item if node.is_block() => {
                let (start, column) = dash_line(self.text, node.span.start)?;
                let end = self.line_after(node)?;
                let lines = block::item(after, self.layout);
                let lines: Vec<_> = block::indented(lines, &" ".repeat(column)).collect();
                self.edit(start..end, self.joined(&lines, end));
            }
            ValueParent::Item => {
                let lines = block::node(after, self.layout).into_iter();
                let by = " ".repeat(node.column);
                let separator = format!("{}{by}", self.layout.newline);
                self.replace_inline(node, &lines.collect::<Vec<_>>().join(&separator));
            }
        }
        Some(())
    }

    fn replace_value(
        &mut self,
        node: &Node<'_>,
        after: &Value,
        key: &Node<'_>,
        column: usize,
    ) -> Option<()> {
        let (head, lines) = match block::body(after, self.layout) {
            ValueText::Inline(text) if !node.is_block() => {
                self.replace_inline(node, &text);
                return Some(());
            }
            ValueText::Inline(text) => (format!(" {text}"), Vec::new()),
            ValueText::Block { header, indent, lines } => {
                let by = " ".repeat(column + indent);
                (header.to_owned(), block::indented(lines, &by).collect())
            }
        };
        let end = self.line_after(node)?;
        if node.is_block() {
            let lines: Vec<_> = std::iter::once(format!(":{head}")).chain(lines).collect();
            self.edit(key.span.end..end, self.joined(&lines, end));
        } else {
            let before = self.text.get(..node.span.start)?;
            let start = before.trim_end_matches([' ', '\t']).len();
            self.edit(start..node.span.end, head);
            self.insert(end, lines, 0);
        }
        Some(())
    }

    fn replace_flow(&mut self, node: &Node<'_>, after: &Value) {
        let value = flow::value(after, self.layout, self.base(node.span.start));
        self.replace_inline(node, &value);
    }

    fn replace_inline(&mut self, node: &Node<'_>, text: &str) {
        // An empty value stands directly behind its colon or dash.
        let space = if node.span.is_empty() { " " } else { "" };
        self.edit(node.span.clone(), format!("{space}{text}"));
    }

    /// How an item of a flow collection is divided from the next, and its indentation.
    fn flow_separator(&self, sibling: usize) -> (String, String) {
        if self.layout.flow == Flow::Dense {
            return (",".to_owned(), String::new());
        }
        match leading(self.text, sibling) {
            Some(space) if line_start(self.text, sibling) > 0 => {
                (format!(",{}{space}", self.layout.newline), space.to_owned())
            }
            _ => (", ".to_owned(), self.base(sibling).to_owned()),
        }
    }

    /// The indentation that lines of a value in brackets start from, where it has lines.
    fn base(&self, at: usize) -> &str {
        match self.layout.flow {
            Flow::Lines(_) => indentation(self.text, at),
            Flow::Dense | Flow::Spaced => "",
        }
    }

    /// Where the line ends that a node's content ends on; nothing but a comment may follow there.
    fn line_after(&self, node: &Node<'_>) -> Option<usize> {
        let end = node.span.end;
        if self.text.get(..end)?.ends_with('\n') {
            return Some(end);
        }
        let rest = self.text.get(end..)?;
        let line = rest.find('\n').map_or(rest.len(), |newline| newline + 1);
        let behind = rest.get(..line)?.trim();
        (behind.is_empty() || behind.starts_with('#')).then_some(end + line)
    }

    /// The beginning of the comment lines directly above a line: they speak of what follows.
    fn above_comments(&self, line: usize) -> usize {
        let mut start = line;
        while let Some(end) = start.checked_sub(1) {
            let above = line_start(self.text, end);
            let comment = self.text.get(above..end).is_some_and(|it| it.trim().starts_with('#'));
            if !comment {
                break;
            }
            start = above;
        }
        start
    }

    fn insert(&mut self, at: usize, lines: Vec<String>, column: usize) {
        let lines: Vec<_> = block::indented(lines, &" ".repeat(column)).collect();
        let newline = self.layout.newline;
        let open = !self.text.get(..at).is_some_and(|before| before.ends_with('\n'));
        let text =
            if open { [newline, &lines.join(newline)].concat() } else { self.joined(&lines, at) };
        self.edit(at..at, text);
    }

    /// Lines in the place of lines that ended at `end`: with a line break, if those had one.
    fn joined(&self, lines: &[String], end: usize) -> String {
        let closed = self.text.get(..end).is_some_and(|before| before.ends_with('\n'));
        let newline = self.layout.newline;
        let mut text = lines.join(newline);
        if closed {
            text.push_str(newline);
        }
        text
    }

    fn edit(&mut self, range: Range<usize>, text: String) {
        self.edits.push(Edit { range, text });
    }

    fn apply(mut self, region: Range<usize>) -> Option<String> {
        // At one place the inner value's edit comes before the outer's: it was made earlier.
        self.edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
        let mut out = String::new();
        let mut at = region.start;
        for edit in &self.edits {
            out.push_str(self.text.get(at..edit.range.start)?);
            out.push_str(&edit.text);
            at = edit.range.end;
        }
        out.push_str(self.text.get(at..region.end)?);
        Some(out)
    }
}
