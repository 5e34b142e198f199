//! Builds the trees of a stream from the parser's events, within a budget.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::rc::Rc;

use granit_parser::{Event, Options, Parser, ScalarStyle, Span, StructureStyle, Tag};

use crate::document::Document;
use crate::node::{MappingEntry, Node, NodeContent, Style};
use crate::scalar::Scalar;
use crate::stream::Stream;
use crate::unreadable::Unreadable;

/// More than any Kubernetes object has, less than what recursion stands.
const MAX_DEPTH: usize = 100;
/// Nodes of one text, aliases written out: ten times what the largest manifests have.
pub(crate) const MAX_NODES: usize = 1_000_000;

/// Puts the parser's events together.
pub(crate) struct Builder<'a> {
    /// A piece of the stream's text, and where in that it begins.
    text: &'a str,
    offset: usize,
    lines: usize,
    open: Vec<OpenNode<'a>>,
    anchors: HashMap<usize, Rc<Node<'a>>>,
    nodes: usize,
}

/// A collection whose end has not come yet.
struct OpenNode<'a> {
    start: Span,
    anchor: usize,
    mapping: bool,
    flow: bool,
    children: Vec<Rc<Node<'a>>>,
}

impl<'a> Builder<'a> {
    /// For the piece `text`, which begins at the byte `offset`, with the lines before it and the
    /// nodes that were read before it.
    pub(crate) fn new(text: &'a str, offset: usize, lines: usize, nodes: usize) -> Self {
        Self { text, offset, lines, open: Vec::new(), anchors: HashMap::new(), nodes }
    }

    /// Adds the documents of the piece to the stream, and returns how many nodes are read now.
    pub(crate) fn run(mut self, stream: &mut Stream<'a>) -> usize {
        let mut options = Options::default();
        options.flow_nesting_limit = MAX_DEPTH;
        options.block_nesting_limit = MAX_DEPTH;
        options.set_emit_comments(false);
        let mut parser = Parser::new_from_str_with_options(self.text, options);
        let mut start = self.offset;
        let mut root = None;
        while let Some(event) = parser.next_event() {
            let step = match event {
                Ok((Event::DocumentEnd, span)) => {
                    let end = self.range(&span).end;
                    if let Some(root) = root.take() {
                        let (text, region) = (stream.text, start..end);
                        stream.documents.push(Document { text, region, root });
                    }
                    start = end;
                    self.anchors.clear();
                    continue;
                }
                Ok((event, span)) => self.step(event, &span),
                Err(error) => Err(Unreadable::syntax(&error, self.lines)),
            };
            match step {
                Ok(None) => {}
                Ok(Some(node)) => match self.open.last_mut() {
                    Some(parent) => parent.children.push(node),
                    None => root = Some(node),
                },
                Err(unreadable) => {
                    stream.unreadable.push(unreadable);
                    root = None;
                    self.open.clear();
                    self.anchors.clear();
                    // The documents behind it may be readable: say what is wrong there, too.
                    if self.nodes > MAX_NODES || !matches!(parser.proceed_next_document(), Ok(true))
                    {
                        break;
                    }
                }
            }
        }
        self.nodes
    }

    /// The node that an event completes.
    fn step(&mut self, event: Event<'a>, span: &Span) -> Result<Option<Rc<Node<'a>>>, Unreadable> {
        let (node, anchor) = match event {
            Event::Scalar(value, style, anchor, tag) => {
                (self.scalar(value, style, tag.as_deref(), span), anchor)
            }
            Event::SequenceStart(style, anchor, _) => {
                self.open(span, anchor, false, style);
                return Ok(None);
            }
            Event::MappingStart(style, anchor, _) => {
                self.open(span, anchor, true, style);
                return Ok(None);
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else { return Ok(None) };
                let anchor = open.anchor;
                (self.close(open, span)?, anchor)
            }
            Event::Alias(id) => {
                let Some(target) = self.anchors.get(&id).cloned() else {
                    return Err(self.refused(span, "an alias within what it stands for"));
                };
                let (height, size) = (target.height, target.size);
                let node =
                    self.node(span, self.range(span), height, size, NodeContent::Alias(target));
                self.nodes = self.nodes.saturating_add(size);
                (node, 0)
            }
            _ => return Ok(None),
        };
        self.nodes += 1;
        if self.nodes > MAX_NODES || node.size > MAX_NODES {
            return Err(self.refused(span, "more than a million values, aliases written out"));
        }
        if node.height > MAX_DEPTH || self.open.len() > MAX_DEPTH {
            return Err(self.refused(span, "nested more than 100 levels deep"));
        }
        let node = Rc::new(node);
        if anchor != 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        Ok(Some(node))
    }

    fn open(&mut self, span: &Span, anchor: usize, mapping: bool, style: StructureStyle) {
        let flow = style == StructureStyle::Flow;
        self.open.push(OpenNode { start: *span, anchor, mapping, flow, children: Vec::new() });
    }

    fn scalar(
        &self,
        value: Cow<'a, str>,
        style: ScalarStyle,
        tag: Option<&Tag>,
        span: &Span,
    ) -> Node<'a> {
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
            ScalarStyle::Literal => Style::Literal,
            ScalarStyle::Folded => Style::Folded,
        };
        // As in Kubernetes' reader: with any tag but those of the core types it is text.
        let typed = tag.is_none_or(|tag| {
            tag.is_yaml_core_schema() && !matches!(tag.core_suffix(), Some("str" | "binary"))
        });
        let meaning = match style {
            Style::Plain if typed => Scalar::plain(&value),
            _ => Scalar::Text,
        };
        let mut range = self.range(span);
        if matches!(style, Style::Literal | Style::Folded) {
            range.end = self.offset + block_end(self.text, span, &value);
        }
        let content = NodeContent::Scalar { text: value, style, value: meaning };
        self.node(span, range, 1, 1, content)
    }

    fn close(&self, open: OpenNode<'a>, end: &Span) -> Result<Node<'a>, Unreadable> {
        let OpenNode { start, mapping, flow, mut children, .. } = open;
        if mapping {
            for pair in children.chunks_exact_mut(2) {
                if let [key, value] = pair {
                    self.behind_colon(key, value);
                }
            }
        }
        let mut range = self.range(&start);
        range.end = match children.last() {
            Some(last) if !flow => last.span.end,
            _ => self.range(end).end,
        };
        let height = 1 + children.iter().map(|child| child.height).max().unwrap_or_default();
        let size = children.iter().fold(1, |sum: usize, child| sum.saturating_add(child.size));
        let content = if mapping {
            NodeContent::Mapping { entries: entries(children)?, flow }
        } else {
            NodeContent::Sequence { items: children, flow }
        };
        Ok(self.node(&start, range, height, size, content))
    }

    /// The parser puts an empty value at the end of its key, where no value could be written.
    fn behind_colon(&self, key: &Node<'a>, value: &mut Rc<Node<'a>>) {
        let Some(value) =
            Rc::get_mut(value).filter(|value| value.span == (key.span.end..key.span.end))
        else {
            return;
        };
        let rest = self.text.get(key.span.end - self.offset..).unwrap_or_default();
        let colon = rest.trim_start_matches([' ', '\t']);
        if colon.starts_with(':') {
            let at = key.span.end + rest.len() - colon.len() + 1;
            value.span = at..at;
        }
    }

    fn node(
        &self,
        at: &Span,
        span: Range<usize>,
        height: usize,
        size: usize,
        content: NodeContent<'a>,
    ) -> Node<'a> {
        let line = self.line(at);
        Node { span, line, column: at.start.col(), height, size, content }
    }

    fn range(&self, span: &Span) -> Range<usize> {
        let range = span.byte_range().unwrap_or_default();
        range.start + self.offset..range.end + self.offset
    }

    fn line(&self, span: &Span) -> usize {
        span.start.line().max(1) + self.lines
    }

    fn refused(&self, span: &Span, what: &'static str) -> Unreadable {
        Unreadable { line: self.line(span), what }
    }
}

/// Pairs keys with values; keys are scalars, each one once.
fn entries<'a>(children: Vec<Rc<Node<'a>>>) -> Result<Vec<MappingEntry<'a>>, Unreadable> {
    let mut entries = Vec::with_capacity(children.len() / 2);
    let mut children = children.into_iter();
    while let (Some(key), Some(value)) = (children.next(), children.next()) {
        entries.push(MappingEntry { key, value });
    }
    let mut names = HashSet::with_capacity(entries.len());
    for entry in &entries {
        let line = entry.key.line;
        let refused = |what| Err(Unreadable { line, what });
        if !matches!(entry.key.target().content, NodeContent::Scalar { .. }) {
            return refused("a key that is not a simple word (a template that is not rendered?)");
        }
        if entry.merges() {
            if entry.merged().any(|mapping| mapping.entries().is_none()) {
                return refused("a merge key (<<) that does not name mappings");
            }
        } else if !names.insert(entry.name()) {
            return refused("the same key twice in one mapping");
        }
    }
    drop(names);
    Ok(entries)
}

/// Where a block scalar's own lines end: the parser also counts the blank lines behind it and the
/// indentation of what follows.
fn block_end(text: &str, span: &Span, value: &str) -> usize {
    let range = span.byte_range().unwrap_or_default();
    let raw = text.get(range.clone()).unwrap_or_default();
    // At the end of the text the last line may have no break.
    let closed = if range.end == text.len() { raw.trim_end_matches(' ') } else { raw };
    let end = if closed.len() == raw.len() && range.end == text.len() && !raw.ends_with('\n') {
        raw.len()
    } else {
        raw.rfind('\n').map_or(0, |at| at + 1)
    };
    let raw = raw.get(..end).unwrap_or_default();
    // With "keep" the blank lines are content.
    if value.ends_with("\n\n") || value.trim_end_matches('\n').is_empty() {
        return range.start + raw.len();
    }
    let content = raw.trim_end_matches([' ', '\n', '\r', '\t']);
    let rest = raw.get(content.len()..).unwrap_or_default();
    range.start + content.len() + rest.find('\n').map_or(rest.len(), |at| at + 1)
}
