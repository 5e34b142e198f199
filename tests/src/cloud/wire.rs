//! The bytes of a connection and of an answer: sockets that can be cut, bodies that can be slow.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use super::answer::Delivery;

/// Told to reset, the socket sends RST and not FIN when it is dropped.
#[derive(Clone, Default)]
pub(crate) struct Scissors(Arc<AtomicBool>);

impl Scissors {
    pub(crate) fn cut(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

pub(crate) struct Socket {
    stream: TcpStream,
    scissors: Scissors,
}

impl Socket {
    pub(crate) fn new(stream: TcpStream, scissors: Scissors) -> Self {
        Self { stream, scissors }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.scissors.0.load(Ordering::Relaxed) {
            // Should it fail, the connection still ends, with FIN.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// The body of an answer, delivered as a fault says.
pub(crate) struct Paced {
    rest: Bytes,
    chunk: usize,
    interval: Duration,
    wait: Option<Pin<Box<Sleep>>>,
    /// So many bytes are promised and never come.
    withheld: u64,
}

/// Ends a connection without an answer, or in the middle of one.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut on demand")]
pub(crate) struct Cut;

impl From<Infallible> for Cut {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl Paced {
    pub(crate) fn new(body: Vec<u8>, delivery: Delivery) -> Self {
        let mut rest = Bytes::from(body);
        let whole = rest.len();
        let (chunk, interval) = match delivery {
            Delivery::Slow { bytes, millis } => (bytes.max(1), Duration::from_millis(millis)),
            _ => (whole.max(1), Duration::ZERO),
        };
        if delivery == Delivery::Truncated {
            rest.truncate(whole / 2);
        }
        let withheld = u64::try_from(whole - rest.len()).unwrap_or_default();
        Self { rest, chunk, interval, wait: None, withheld }
    }
}

impl Body for Paced {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        if let Some(wait) = &mut self.wait {
            ready!(wait.as_mut().poll(cx));
            self.wait = None;
        }
        if self.rest.is_empty() {
            return Poll::Ready((self.withheld > 0).then_some(Err(Cut)));
        }
        let size = self.chunk.min(self.rest.len());
        let chunk = self.rest.split_to(size);
        if !self.interval.is_zero() {
            self.wait = Some(Box::pin(sleep_until(Instant::now() + self.interval)));
        } else if self.withheld > 0 {
            // The half must be flushed before the cut, or nothing of it arrives.
            self.wait = Some(Box::pin(sleep_until(Instant::now() + FLUSH)));
        }
        Poll::Ready(Some(Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.withheld == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(u64::try_from(self.rest.len()).unwrap_or_default() + self.withheld)
    }
}

const FLUSH: Duration = Duration::from_millis(20);
