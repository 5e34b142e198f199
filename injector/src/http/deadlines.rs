//! How far a connection is, and until when it may stay so. What its client sends is watched on its
//! way to the HTTP implementation, which does not say when a head begins.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::http::limits::Limits;

/// Clones share the state of one connection.
#[derive(Clone, Debug)]
pub(crate) struct Deadlines {
    step: Arc<Mutex<Step>>,
    /// It is notified when an answer was given: the place may be taken from then on.
    freed: Arc<Notify>,
}

/// How dispensable a connection is that waits for its client. The least goes first: connections
/// that never were served go before those that were, and the longest wait goes first. A connection
/// whose requests were only refused was not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    served: bool,
    since: Instant,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// A head is awaited, or has begun; others may have been answered before.
    Head { since: Instant, served: bool },
    /// Nothing is received meanwhile.
    Answer,
    /// An answer was given.
    Idle { since: Instant, served: bool },
}

impl Deadlines {
    pub(crate) fn new(freed: Arc<Notify>) -> Self {
        let step = Step::Head { since: Instant::now(), served: false };
        Self { step: Arc::new(Mutex::new(step)), freed }
    }

    /// Returns `None` while a request is answered: no connection is ended then.
    pub(crate) fn rank(&self) -> Option<Rank> {
        match *self.lock() {
            Step::Head { since, served } => Some(Rank { served, since }),
            Step::Answer => None,
            Step::Idle { since, served } => Some(Rank { served, since }),
        }
    }

    /// Returns `None` while a request is answered, which has a limit of its own.
    pub(crate) fn due(&self, limits: &Limits) -> Option<Instant> {
        match *self.lock() {
            Step::Head { since, .. } => Some(since + limits.head),
            Step::Answer => None,
            Step::Idle { since, .. } => Some(since + limits.idle),
        }
    }

    /// A request is answered until what this returns is dropped.
    pub(crate) fn answering(&self) -> Answering {
        let served = self.rank().is_some_and(|rank| rank.served);
        *self.lock() = Step::Answer;
        Answering { deadlines: self.clone(), served }
    }

    fn received(&self) {
        let mut step = self.lock();
        if let Step::Idle { served, .. } = *step {
            *step = Step::Head { since: Instant::now(), served };
        }
    }

    fn lock(&self) -> MutexGuard<'_, Step> {
        self.step.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) struct Answering {
    deadlines: Deadlines,
    served: bool,
}

impl Answering {
    /// The answer is one for its client, and not the same for everybody.
    pub(crate) fn serves(&mut self) {
        self.served = true;
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        *self.deadlines.lock() = Step::Idle { since: Instant::now(), served: self.served };
        self.deadlines.freed.notify_one();
    }
}

/// A stream whose client is watched.
pub(crate) struct Watched<S> {
    stream: S,
    deadlines: Deadlines,
    /// Our side is closed.
    is_shut: bool,
    /// The number of bytes that came after that.
    unread: usize,
}

impl<S> Watched<S> {
    pub(crate) fn new(stream: S, deadlines: Deadlines) -> Self {
        Self { stream, deadlines, is_shut: false, unread: 0 }
    }
}

/// More than a client sends before it looks for an early answer.
const MOST: usize = 1024 * 1024;

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.deadlines.received();
        }
        read
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<S> {
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

    /// Waits until the client has closed too, or its time is over: only then has it received what
    /// was sent.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.is_shut {
            ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
            self.is_shut = true;
        }
        let mut scratch = [0; 1024];
        while self.unread < MOST {
            let mut buffer = ReadBuf::new(&mut scratch);
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer))?;
            if buffer.filled().is_empty() {
                break;
            }
            self.unread += buffer.filled().len();
        }
        Poll::Ready(Ok(()))
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
