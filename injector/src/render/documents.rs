//! Parts of values. A value is parsed once for all of its parts that are wanted one after the other.

use plan::Selector;
use secret::Sensitive;

use super::content::Content;
use crate::render::select::{Document, SelectError};

/// The last document, with its lookup. No other is kept: a document takes a hundred times the
/// memory of its text if its author likes, and the author of one secret must not end the fetcher of
/// all.
#[derive(Default)]
pub(super) struct Documents(Option<(usize, Result<Document, SelectError>)>);

impl Documents {
    /// `value` is that of the lookup `from`.
    pub(super) fn part<'a>(
        &mut self,
        from: usize,
        select: Option<&Selector>,
        value: &'a Sensitive,
    ) -> Result<Content<'a>, SelectError> {
        let Some(selector) = select else { return Ok(Content::Whole(value)) };
        let last = self.0.take().filter(|(of, _)| *of == from);
        let (_, document) = self.0.insert(last.unwrap_or_else(|| (from, Document::parse(value))));
        match document {
            Ok(document) => document.extract(selector).map(Content::Made),
            Err(error) => Err(error.clone()),
        }
    }

    /// The members of an object, each with its content; `None` for one that is null.
    pub(super) fn members(
        &mut self,
        from: usize,
        select: Option<&Selector>,
        value: &Sensitive,
    ) -> Result<Vec<(String, Option<Sensitive>)>, SelectError> {
        let last = self.0.take().filter(|(of, _)| *of == from);
        let (_, document) = self.0.insert(last.unwrap_or_else(|| (from, Document::parse(value))));
        match document {
            Ok(document) => document.members(select),
            Err(error) => Err(error.clone()),
        }
    }

    /// Frees the document before something else takes memory.
    pub(super) fn forget(&mut self) {
        self.0 = None;
    }
}
