//! The accept loop, and how it all ends.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::TokioTimer;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::{Notify, watch};
use tokio::time::MissedTickBehavior;
use tokio_rustls::TlsAcceptor;

mod activity;
mod answer;
mod arrival;
mod bounded;
mod connection;
mod crowd;
mod displace;
mod intake;
mod limits;
mod peers;
mod phase;
mod records;
mod shared;
mod silence;
mod stream;

pub(crate) use self::intake::{Intake, Share};
pub use self::limits::Limits;
pub(crate) use self::peers::Peer;
pub use self::phase::Phase;

use self::crowd::Crowd;
use self::shared::Shared;
use crate::metrics::Metrics;

/// A bound socket that serves a router.
pub struct Server {
    listener: TcpListener,
    shared: Arc<Shared>,
}

impl Server {
    /// Without `tls` it speaks plain HTTP.
    pub async fn bind(
        address: SocketAddr,
        tls: Option<Arc<rustls::ServerConfig>>,
        router: Router,
        limits: Limits,
        metrics: Arc<Metrics>,
    ) -> io::Result<Self> {
        let listener = listen(address)?;
        let shared = Arc::new(Shared {
            tls: tls.map(TlsAcceptor::from),
            router,
            http: http(),
            limits,
            metrics,
            peers: Arc::default(),
            fewest: Arc::new(AtomicUsize::new(usize::MAX)),
            late: Arc::default(),
        });
        Ok(Self { listener, shared })
    }

    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Is told of each request that comes after the phase is `Draining`.
    pub fn late(&self) -> Arc<Notify> {
        Arc::clone(&self.shared.late)
    }

    /// Serves until the phase is `Stopping` and every connection has ended.
    pub async fn run(self, mut phase: watch::Receiver<Phase>) {
        let Self { listener, shared } = self;
        let backlog = shared.limits.connections;
        let mut crowd = Crowd::new(shared, phase.clone());
        let mut look_again = tokio::time::interval(LOOK_AGAIN);
        look_again.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                // What has ended is let go of first: in a flood there is always one more to accept.
                biased;
                () = wait_for_phase(&mut phase, Phase::Stopping) => break,
                true = crowd.ended() => crowd.settle(),
                _ = look_again.tick(), if crowd.is_waited_for() => crowd.settle(),
                accepted = listener.accept() => match accepted {
                    Ok((tcp, address)) => crowd.admit(tcp, Peer::at(address)),
                    Err(error) => {
                        if !is_of_the_client(&error) {
                            // Out of file descriptors or memory: make room, do not spin.
                            tracing::warn!(%error, "accepting a connection");
                            crowd.make_room(ROOM);
                            tokio::time::sleep(ACCEPT_PAUSE).await;
                        }
                    }
                },
            }
        }
        // Connections that the kernel completed before now would be reset with the socket.
        for _ in 0..backlog {
            match tokio::time::timeout(BACKLOG, listener.accept()).await {
                Ok(Ok((tcp, address))) => crowd.admit(tcp, Peer::at(address)),
                _ => break,
            }
        }
        drop(listener);
        while crowd.ended().await {
            crowd.settle();
        }
    }
}

/// Connections have the buffers of their listener, and the kernel counts them as our memory.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    // The port of a server that has just ended.
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SENT)?;
    socket.set_recv_buffer_size(RECEIVED)?;
    socket.bind(address)?;
    socket.listen(QUEUE)
}

/// HTTP/1.1 alone, which is what API servers speak to webhooks, so that one request after the other is
/// answered on a connection: what clients of HTTP/2 may leave with a server has no useful bound.
fn http() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        // Its clock also runs between requests; ours is in `activity`.
        .header_read_timeout(None)
        // Heads are a few hundred bytes, and what has arrived of one is on nobody's account. Less
        // than this hyper does not take.
        .max_buf_size(8 * 1024);
    builder
}

/// Errors of a connection that ended before it was accepted.
fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted)
}

/// Waits for a phase; a server whose owner is gone is in the last one.
async fn wait_for_phase(phase: &mut watch::Receiver<Phase>, wanted: Phase) {
    let _ = phase.wait_for(|phase| *phase >= wanted).await;
}

/// Bytes of one connection that the kernel keeps for the client, and for us; it takes twice as much.
const SENT: u32 = 16 * 1024;
const RECEIVED: u32 = 32 * 1024;
/// Connections that wait to be accepted.
const QUEUE: u32 = 128;
/// Long enough for one turn of the event loop.
const BACKLOG: Duration = Duration::from_millis(10);
/// What is made room for in a pause.
const ROOM: usize = 16;
/// Time alone makes room: a connection that never asks is not new forever.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);
