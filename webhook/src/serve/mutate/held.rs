//! Bytes with their share of the memory that all requests have together.

use hyper::body::Bytes;

use crate::serve::server::Share;

/// A body that is being read or decided, or an answer that is being taken.
#[derive(Debug)]
pub(super) struct Held {
    bytes: Vec<u8>,
    share: Share,
}

impl Held {
    pub(super) fn new(share: Share) -> Self {
        Self { bytes: Vec::new(), share }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Adds bytes and room for those that are `expected` after them, or says that they do not fit.
    pub(super) fn extend(&mut self, data: &[u8], expected: usize) -> bool {
        if !self.share.grow(data.len()) {
            return false;
        }
        if self.bytes.is_empty() {
            // One allocation for the ordinary body, no more than was sent for a long one.
            self.bytes.reserve_exact(data.len() + expected.min(ORDINARY));
        }
        self.bytes.extend_from_slice(data);
        true
    }

    /// The answer in place of the review, as bytes that keep their share until the last of them
    /// has been sent or dropped. `None` where they do not fit.
    pub(super) fn answered(mut self, answer: Vec<u8>) -> Option<Bytes> {
        if !self.share.grow(answer.len()) {
            return None;
        }
        let review = std::mem::replace(&mut self.bytes, answer);
        self.share.shrink(review.len());
        Some(Bytes::from_owner(self))
    }
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

const ORDINARY: usize = 64 * 1024;
