//! A port at which nobody listens. It is taken, so that no server of another test gets it meanwhile.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpSocket;

/// Connections are refused as long as this is there.
pub struct ClosedPort(TcpSocket);

impl ClosedPort {
    pub fn new() -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        Ok(Self(socket))
    }

    pub fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}
