//! A stream that notes when bytes arrive and leave, and that is closed without losing the answer.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::activity::Activity;

pub(super) struct Stream<S> {
    inner: S,
    activity: Activity,
    farewell: Option<Farewell>,
    /// Whether an answer may be half written.
    writing: bool,
    /// What is left to say to a client that did not finish a head.
    apology: Option<&'static [u8]>,
}

/// What is left to do after our side is closed: a socket that is closed while bytes are unread
/// resets the connection, and the answer that the client has not read yet is lost.
struct Farewell {
    patience: Pin<Box<Sleep>>,
    bytes: usize,
}

impl<S> Stream<S> {
    pub(super) fn new(inner: S, activity: Activity) -> Self {
        Self { inner, activity, farewell: None, writing: false, apology: Some(TIMEOUT) }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream<S> {
    /// Says that the head came too late, and closes our side.
    fn poll_apologize(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.writing {
            return Poll::Ready(Ok(()));
        }
        while let Some(text) = self.apology.filter(|text| !text.is_empty()) {
            let written = ready!(Pin::new(&mut self.inner).poll_write(cx, text))?;
            self.apology = text.get(written..).filter(|_| written > 0);
        }
        Pin::new(self).poll_shutdown(cx)
    }

    /// Notes whether the client takes what is sent.
    fn noted<T>(&self, sent: Poll<T>) -> Poll<T> {
        self.activity.sends(sent.is_ready());
        sent
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Stream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.activity.is_late() {
            // To HTTP it looks as if the client had closed.
            return self.poll_apologize(cx);
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buffer))?;
        let came = buffer.filled().len() - before;
        if came > 0 {
            self.activity.bytes_arrived(came);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.writing = true;
        let written = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.noted(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.writing = true;
        let written = Pin::new(&mut self.inner).poll_write_vectored(cx, slices);
        self.noted(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.inner).poll_flush(cx);
        ready!(self.noted(flushed))?;
        self.writing = false;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { inner, farewell, .. } = &mut *self;
        let farewell = match farewell {
            Some(farewell) => farewell,
            None => {
                ready!(Pin::new(&mut *inner).poll_shutdown(cx))?;
                farewell.insert(Farewell { patience: Box::pin(sleep(PATIENCE)), bytes: 0 })
            }
        };
        let mut scratch = [0; 4096];
        loop {
            if farewell.bytes > MOST || farewell.patience.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ok(()));
            }
            let mut buffer = ReadBuf::new(&mut scratch);
            match ready!(Pin::new(&mut *inner).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => farewell.bytes += buffer.filled().len(),
                _ => return Poll::Ready(Ok(())),
            }
        }
    }
}

const TIMEOUT: &[u8] = b"HTTP/1.1 408 Request Timeout\r\n\
    content-type: text/plain; charset=utf-8\r\ncontent-length: 47\r\nconnection: close\r\n\r\n\
    the head of the request did not arrive in time\n";
/// A client that reads its answer closes within a round trip.
const PATIENCE: Duration = Duration::from_secs(1);
/// More than a client sends before it looks for an early answer.
const MOST: usize = 32 * 1024 * 1024;
