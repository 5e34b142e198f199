//! One document of a text: its root, and its part of the text.

use std::ops::Range;
use std::rc::Rc;

use crate::node::Node;

#[derive(Debug)]
pub struct Document<'a> {
    /// The text of all documents.
    pub(crate) text: &'a str,
    /// The part that is this one's; the parts of readable documents make up the whole text.
    pub(crate) region: Range<usize>,
    pub(crate) root: Rc<Node<'a>>,
}

impl<'a> Document<'a> {
    #[must_use]
    pub fn root(&self) -> &Node<'a> {
        &self.root
    }
}
