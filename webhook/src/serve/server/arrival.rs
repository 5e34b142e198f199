//! The body of a request, whose connection waits for its client until the last byte is here.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};

use super::activity::{Activity, Arriving};

pub(super) struct Arrival {
    inner: Incoming,
    /// `None` once it has arrived.
    arriving: Option<Arriving>,
}

impl Arrival {
    pub(super) fn new(inner: Incoming, activity: &Activity) -> Self {
        let arriving = (!inner.is_end_stream()).then(|| activity.body_begins());
        Self { inner, arriving }
    }
}

impl Body for Arrival {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        let is_whole = frame.is_none() || self.inner.is_end_stream();
        if let Some(arriving) = self.arriving.take_if(|_| is_whole) {
            arriving.end();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
