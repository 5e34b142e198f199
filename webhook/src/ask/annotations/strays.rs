//! Annotations that a Pod has although they mean nothing in its mode.

use super::request::SecretsRequest;
use super::table::{ANNOTATIONS, Annotation};

impl SecretsRequest<'_> {
    /// In the order of the table. What a bad mode would have meant, no one knows.
    pub(crate) fn strays(&self) -> impl Iterator<Item = &'static Annotation> {
        let is_stray = |row: &&Annotation| !self.is_bad("mode") && !row.modes.include(self.mode);
        ANNOTATIONS.iter().filter(is_stray).filter(|row| self.given.contains(&row.key))
    }

    pub(crate) fn is_stray(&self, key: &str) -> bool {
        self.strays().any(|row| row.key == key)
    }
}
