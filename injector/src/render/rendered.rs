//! What was made of an entry: its own file, and those beside it.

use secret::Sensitive;

use super::content::Content;
use crate::input::entry::Entry;
use crate::write::new_file::NewFile;

/// An entry and what it will hold.
pub(crate) struct Rendered<'a> {
    /// Its place among the entries.
    pub(crate) at: usize,
    pub(crate) entry: &'a Entry<'a>,
    pub(super) content: Content<'a>,
    /// Files beside its own: those of all keys.
    pub(super) beside: Vec<(String, Sensitive)>,
}

impl Rendered<'_> {
    /// Its own file, and those of all keys.
    pub(crate) fn files(&self) -> impl Iterator<Item = NewFile<'_>> {
        let mode = self.entry.options.mode.bits();
        let own = NewFile { name: &self.entry.name, mode, content: self.content.bytes() };
        let beside = self.beside.iter();
        let beside =
            beside.map(move |(name, value)| NewFile { name, mode, content: value.expose() });
        [own].into_iter().chain(beside)
    }

    /// The files beside its own, by their names.
    pub(super) fn key_files(&self) -> impl Iterator<Item = &str> {
        self.beside.iter().map(|(name, _)| name.as_str())
    }
}
