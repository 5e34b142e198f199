//! Whether nothing has come on a connection. The kernel is asked: the runtime may not have looked yet, and
//! looks for no more than so many connections in one turn.

use std::os::fd::AsFd;

use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};

pub(super) fn is_silent(socket: impl AsFd) -> bool {
    let mut first = [0; 1];
    recv(socket, &mut first, RecvFlags::PEEK | RecvFlags::DONTWAIT) == Err(Errno::WOULDBLOCK)
}
