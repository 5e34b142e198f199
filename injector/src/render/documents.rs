//! Parts of values, each value parsed once for all of them.

use std::collections::HashMap;

use cloud::Sensitive;
use plan::Selector;

use super::Content;
use crate::select::{Document, SelectError};

/// By lookup.
#[derive(Default)]
pub(super) struct Documents(HashMap<usize, Result<Document, SelectError>>);

impl Documents {
    /// `value` is that of the lookup `from`.
    pub(super) fn part<'a>(
        &mut self,
        from: usize,
        select: Option<&Selector>,
        value: &'a Sensitive,
    ) -> Result<Content<'a>, SelectError> {
        let Some(selector) = select else { return Ok(Content::Whole(value)) };
        match self.0.entry(from).or_insert_with(|| Document::parse(value)) {
            Ok(document) => document.extract(selector).map(Content::Made),
            Err(error) => Err(error.clone()),
        }
    }
}
