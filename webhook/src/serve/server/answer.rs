//! The body of an answer, which is on the connection's account until its last byte has been sent.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::Body as Inner;
use hyper::body::{Body, Bytes, Frame, SizeHint};

use super::activity::Answering;

/// HTTP takes a body in one piece and may keep the piece for long, so each piece carries the
/// account along.
pub(super) struct AnswerBody {
    inner: Inner,
    answering: Arc<Answering>,
}

struct Piece {
    bytes: Bytes,
    _answering: Arc<Answering>,
}

impl AnswerBody {
    pub(super) fn new(inner: Inner, answering: Answering) -> Self {
        Self { inner, answering: Arc::new(answering) }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        let counted = |bytes| {
            let answering = Arc::clone(&self.answering);
            Bytes::from_owner(Piece { bytes, _answering: answering })
        };
        Poll::Ready(frame.map(|frame| frame.map(|frame| frame.map_data(counted))))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}
