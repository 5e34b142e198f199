//! How far a connection is, and until when it may stay so. What its client sends is seen on its way
//! to the HTTP implementation, which does not tell when a head begins.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::Limits;

/// A clone is of the same connection.
#[derive(Clone, Debug)]
pub(super) struct Pace(Arc<Mutex<Step>>);

#[derive(Clone, Copy, Debug)]
enum Step {
    /// A head is awaited, or has begun.
    Head { since: Instant },
    /// Nothing is received meanwhile.
    Answer,
    /// An answer was given.
    Idle { since: Instant },
}

impl Pace {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Step::Head { since: Instant::now() })))
    }

    /// `None` while it is answered, which has a limit of its own.
    pub(super) fn due(&self, limits: &Limits) -> Option<Instant> {
        match *self.lock() {
            Step::Head { since } => Some(since + limits.head),
            Step::Answer => None,
            Step::Idle { since } => Some(since + limits.idle),
        }
    }

    /// A request is answered until what this returns is dropped.
    pub(super) fn answering(&self) -> Answering {
        *self.lock() = Step::Answer;
        Answering(self.clone())
    }

    fn received(&self) {
        let mut step = self.lock();
        if let Step::Idle { .. } = *step {
            *step = Step::Head { since: Instant::now() };
        }
    }

    fn lock(&self) -> MutexGuard<'_, Step> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) struct Answering(Pace);

impl Drop for Answering {
    fn drop(&mut self) {
        *self.0.lock() = Step::Idle { since: Instant::now() };
    }
}

/// A stream whose client is watched.
pub(super) struct Watched<S> {
    pub(super) stream: S,
    pub(super) pace: Pace,
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.pace.received();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
