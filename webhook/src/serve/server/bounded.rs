//! A socket from which a stranger may send a handshake and no more than that, and later so many records
//! of TLS as its requests need.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::activity::Activity;
use super::records::Records;

/// TLS puts the pieces of a message together before it looks at it, up to 64 KB, on nobody's
/// account.
#[derive(Debug)]
pub(super) struct Bounded<S> {
    inner: S,
    activity: Activity,
    /// `None` once the handshake is over.
    left: Option<usize>,
    records: Records,
    /// Reads without a pause, and the records in them.
    reads: usize,
    begun: usize,
}

impl<S> Bounded<S> {
    pub(super) fn new(inner: S, activity: Activity) -> Self {
        Self {
            inner,
            activity,
            left: Some(HANDSHAKE),
            records: Records::default(),
            reads: 0,
            begun: 0,
        }
    }

    pub(super) fn lift(&mut self) {
        self.left = None;
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { inner, activity, left, records, reads, begun } = &mut *self;
        // TLS reads on for as long as what comes has no content.
        if *reads == READS || *begun >= RECORDS {
            (*reads, *begun) = (0, 0);
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        let read = Pin::new(inner).poll_read(cx, buffer);
        if read.is_pending() {
            (*reads, *begun) = (0, 0);
        }
        ready!(read)?;
        *reads += 1;
        let came = buffer.filled().get(before..).unwrap_or_default();
        let more = records.begun_in(came);
        *begun += more;
        let is_allowed = match left {
            Some(left) => {
                if !came.is_empty() {
                    activity.speaks();
                }
                *left = left.saturating_sub(came.len());
                *left > 0
            }
            None => activity.records_arrived(more),
        };
        if is_allowed {
            Poll::Ready(Ok(()))
        } else {
            Poll::Ready(Err(io::ErrorKind::InvalidData.into()))
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// Each takes some 4 KiB.
const READS: usize = 4;
const RECORDS: usize = 64;
/// A client's hello has at most some 2 KB, its chain of certificates 3 to 10 KB.
const HANDSHAKE: usize = 32 * 1024;

#[cfg(test)]
mod tests {
    use std::sync::Weak;
    use std::task::Waker;

    use super::*;

    /// How often a client that never pauses is read, in pieces of 1 KiB, before the turn ends.
    fn reads_in_turns(length: u16) -> Vec<usize> {
        let mut record = vec![0x17, 3, 3];
        record.extend(length.to_be_bytes());
        record.resize(5 + usize::from(length), 0);
        let sent = record.repeat(64 * 1024 / record.len());
        let mut stream = Bounded::new(sent.as_slice(), Activity::new(Weak::new()));
        stream.lift();
        let mut cx = Context::from_waker(Waker::noop());
        let (mut turns, mut reads) = (Vec::new(), 0);
        while turns.len() < 3 {
            let mut bytes = [0; 1024];
            let mut buffer = ReadBuf::new(&mut bytes);
            match Pin::new(&mut stream).poll_read(&mut cx, &mut buffer) {
                Poll::Ready(read) => {
                    read.unwrap();
                    reads += 1;
                }
                Poll::Pending => turns.push(std::mem::take(&mut reads)),
            }
        }
        turns
    }

    #[test]
    fn others_have_their_turn_after_a_few_reads_or_some_dozens_of_records() {
        assert_eq!(reads_in_turns(16_000), [4, 4, 4]);
        assert_eq!(reads_in_turns(100), [4, 4, 4]);
        assert_eq!(reads_in_turns(10), [1, 1, 1]);
    }
}
