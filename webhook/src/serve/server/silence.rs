//! Whether a client has said nothing though it had the time.

use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// A client that means to ask has begun a handshake by then.
pub(super) const SILENT: Duration = Duration::from_millis(200);

/// Whether a client that said nothing so far had the time to.
pub(super) fn is_over(since: Instant) -> bool {
    since.elapsed() >= SILENT
}

/// Whether nothing lies in the connection. The kernel is asked: the runtime may not have looked yet, and
/// looks for no more than so many connections in one turn.
pub(super) fn is_empty(tcp: &TcpStream) -> bool {
    let mut first = [0; 1];
    recv(tcp, &mut first, RecvFlags::PEEK | RecvFlags::DONTWAIT) == Err(Errno::WOULDBLOCK)
}
