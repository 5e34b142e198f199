//! Why a text is no expression.

#[derive(Debug)]
pub(super) struct Syntax {
    /// The byte of the text where it stops making sense.
    pub(super) offset: usize,
    pub(super) reason: String,
}

impl Syntax {
    pub(super) fn new(offset: usize, reason: impl Into<String>) -> Self {
        Self { offset, reason: reason.into() }
    }
}
