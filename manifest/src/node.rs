//! The tree of a YAML or JSON document: each node knows where its text stands, so that a change
//! can be written into the text and everything else stays as it was.

use std::borrow::Cow;
use std::ops::Range;
use std::rc::Rc;

use crate::scalar::Scalar;

#[derive(Debug)]
pub struct Node<'a> {
    /// Bytes of the content: without anchor and tag, without comments behind it. A block scalar
    /// ends behind its last line break, an empty value is an empty range.
    pub(crate) span: Range<usize>,
    pub(crate) line: usize,
    /// Characters before the content on its line.
    pub(crate) column: usize,
    /// Levels and nodes below this one, itself included and aliases written out.
    pub(crate) height: usize,
    pub(crate) size: usize,
    pub(crate) content: NodeContent<'a>,
}

#[derive(Debug)]
pub(crate) enum NodeContent<'a> {
    Scalar {
        text: Cow<'a, str>,
        style: Style,
        value: Scalar,
    },
    Sequence {
        items: Vec<Rc<Node<'a>>>,
        flow: bool,
    },
    Mapping {
        entries: Vec<MappingEntry<'a>>,
        flow: bool,
    },
    /// Another node of the document, finished before this one.
    Alias(Rc<Node<'a>>),
}

#[derive(Debug)]
pub(crate) struct MappingEntry<'a> {
    pub(crate) key: Rc<Node<'a>>,
    pub(crate) value: Rc<Node<'a>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Quoted,
    Literal,
    Folded,
}

impl<'a> Node<'a> {
    /// Where the content begins, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// The node itself, or the one that an alias stands for.
    #[must_use]
    pub fn target(&self) -> &Self {
        let mut node = self;
        while let NodeContent::Alias(target) = &node.content {
            node = target;
        }
        node
    }

    /// The text of a scalar, without quotes.
    #[must_use]
    pub fn scalar(&self) -> Option<&str> {
        match &self.target().content {
            NodeContent::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The items of a list.
    #[must_use]
    pub fn items(&self) -> Option<impl ExactSizeIterator<Item = &Self>> {
        Some(self.sequence()?.iter().map(|item| &**item))
    }

    /// The keys and values of a mapping as they are written: a merge key (`<<`) is one of them.
    pub fn pairs(&self) -> impl Iterator<Item = (&Self, &Self)> {
        let entries = self.entries().unwrap_or_default();
        entries.iter().map(|entry| (&*entry.key, &*entry.value))
    }

    fn sequence(&self) -> Option<&[Rc<Self>]> {
        match &self.target().content {
            NodeContent::Sequence { items, .. } => Some(items),
            _ => None,
        }
    }

    pub(crate) fn entries(&self) -> Option<&[MappingEntry<'a>]> {
        match &self.target().content {
            NodeContent::Mapping { entries, .. } => Some(entries),
            _ => None,
        }
    }

    /// The value under a key, merged mappings (`<<`) included.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Self> {
        let entries = self.entries()?;
        let own = entries.iter().find(|entry| !entry.merges() && entry.name() == name);
        own.map(|entry| &*entry.value).or_else(|| {
            entries
                .iter()
                .filter(|entry| entry.merges())
                .find_map(|entry| entry.merged().find_map(|mapping| mapping.field(name)))
        })
    }

    /// The value at the end of a row of keys.
    #[must_use]
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, name| node.field(name))
    }

    /// Whether the text runs over lines of its own, which an end of line closes.
    pub(crate) fn is_block(&self) -> bool {
        match &self.content {
            NodeContent::Scalar { style, .. } => matches!(style, Style::Literal | Style::Folded),
            NodeContent::Sequence { flow, .. } | NodeContent::Mapping { flow, .. } => !flow,
            NodeContent::Alias(_) => false,
        }
    }
}

impl<'a> MappingEntry<'a> {
    /// The key as Kubernetes reads it.
    pub(crate) fn name(&self) -> Cow<'_, str> {
        match &self.key.target().content {
            NodeContent::Scalar { value: Scalar::Text, text, .. } => Cow::Borrowed(text),
            NodeContent::Scalar { value, .. } => Cow::Owned(value.to_string()),
            // Other keys are refused when a document is read.
            _ => Cow::Borrowed(""),
        }
    }

    pub(crate) fn merges(&self) -> bool {
        matches!(&self.key.content,
            NodeContent::Scalar { text, style: Style::Plain, .. } if text == "<<")
    }

    /// The mappings that a merge key brings in, strongest first.
    pub(crate) fn merged(&self) -> impl Iterator<Item = &Node<'a>> {
        let several = self.value.sequence().unwrap_or_default();
        let single = several.is_empty().then(|| self.value.target());
        several.iter().map(|item| item.target()).chain(single)
    }
}
