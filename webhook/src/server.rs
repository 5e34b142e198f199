//! The accept loop: who gets in, who must go, and how it all ends.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, Id, JoinSet};
use tokio_rustls::TlsAcceptor;

mod activity;
mod connection;
mod intake;
mod limits;
mod stream;

pub(crate) use self::intake::{Intake, Share};
pub use self::limits::Limits;

use self::activity::Activity;
use crate::metrics::{Closed, Metrics};

/// Where the server is in its life. Never goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    Serving,
    /// Everything is answered, but clients are asked to go elsewhere.
    Draining,
    /// No new connections; what is under way is finished.
    Stopping,
}

/// A bound socket that serves a router.
pub struct Server {
    listener: TcpListener,
    shared: Arc<Shared>,
}

/// What all connections use.
struct Shared {
    tls: Option<TlsAcceptor>,
    router: Router,
    http1: auto::Builder<TokioExecutor>,
    http2: auto::Builder<TokioExecutor>,
    limits: Limits,
    metrics: Arc<Metrics>,
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
        let listener = TcpListener::bind(address).await?;
        let shared = Arc::new(Shared {
            tls: tls.map(TlsAcceptor::from),
            router,
            http1: http1(),
            http2: http2(),
            limits,
            metrics,
        });
        Ok(Self { listener, shared })
    }

    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until the phase is `Stopping` and every connection has ended.
    pub async fn run(self, mut phase: watch::Receiver<Phase>) {
        let Self { listener, shared } = self;
        let mut crowd =
            Crowd { shared, phase: phase.clone(), tasks: JoinSet::new(), open: HashMap::new() };
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((tcp, _)) => crowd.admit(tcp),
                    Err(error) => {
                        if !is_of_the_client(&error) {
                            // Out of file descriptors or memory: make room, do not spin.
                            tracing::warn!(%error, "accepting a connection");
                            for _ in 0..ROOM {
                                crowd.displace();
                            }
                            tokio::time::sleep(ACCEPT_PAUSE).await;
                        }
                    }
                },
                Some(ended) = crowd.tasks.join_next_with_id() => crowd.forget(&ended),
                () = reached(&mut phase, Phase::Stopping) => break,
            }
        }
        // Connections that the kernel completed before now would be reset with the socket.
        for _ in 0..crowd.shared.limits.connections {
            match tokio::time::timeout(BACKLOG, listener.accept()).await {
                Ok(Ok((tcp, _))) => crowd.admit(tcp),
                _ => break,
            }
        }
        drop(listener);
        while let Some(ended) = crowd.tasks.join_next_with_id().await {
            crowd.forget(&ended);
        }
    }
}

/// The open connections. Dropping it ends them.
struct Crowd {
    shared: Arc<Shared>,
    phase: watch::Receiver<Phase>,
    tasks: JoinSet<()>,
    open: HashMap<Id, (Activity, AbortHandle)>,
}

impl Crowd {
    /// When all places are taken the most dispensable idle connection goes. Those that never
    /// made a request go first, so idle connections in any number do not cost an API server its
    /// own; only when every connection is at work is a new one refused.
    fn admit(&mut self, tcp: TcpStream) {
        if self.open.len() >= self.shared.limits.connections && !self.displace() {
            self.shared.metrics.closed(Closed::Refused);
            return;
        }
        // An answer is one write; there is nothing to gather.
        let _ = tcp.set_nodelay(true);
        let activity = Activity::new();
        let task =
            connection::serve(tcp, activity.clone(), Arc::clone(&self.shared), self.phase.clone());
        let handle = self.tasks.spawn(task);
        self.open.insert(handle.id(), (activity, handle));
        self.shared.metrics.connections.inc();
    }

    fn displace(&mut self) -> bool {
        let ranked =
            self.open.iter().filter_map(|(id, (activity, _))| Some((activity.rank()?, *id)));
        let Some((_, id)) = ranked.min_by_key(|(rank, _)| *rank) else { return false };
        if let Some(handle) = self.remove(id) {
            handle.abort();
            self.shared.metrics.closed(Closed::Displaced);
        }
        true
    }

    fn forget(&mut self, ended: &Result<(Id, ()), tokio::task::JoinError>) {
        let id = match ended {
            Ok((id, ())) => *id,
            Err(error) => error.id(),
        };
        self.remove(id);
    }

    fn remove(&mut self, id: Id) -> Option<AbortHandle> {
        let (_, handle) = self.open.remove(&id)?;
        self.shared.metrics.connections.dec();
        Some(handle)
    }
}

fn http1() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new()).http1_only();
    builder
        .http1()
        .timer(TokioTimer::new())
        // Its clock also runs between requests; ours is in `activity`.
        .header_read_timeout(None)
        // Heads are a few hundred bytes.
        .max_buf_size(32 * 1024);
    builder
}

fn http2() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new()).http2_only();
    builder
        .http2()
        .timer(TokioTimer::new())
        // What Go and most servers offer.
        .max_concurrent_streams(100)
        .max_header_list_size(16 * 1024)
        // Bytes that a client may send before we read them; the defaults are four times this.
        .initial_stream_window_size(256 * 1024)
        .initial_connection_window_size(512 * 1024)
        .max_send_buf_size(256 * 1024)
        // A peer that vanished is noticed within 40 seconds.
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(10));
    builder
}

/// Errors of a connection that ended before it was accepted.
fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted)
}

/// Waits for a phase; a server whose owner is gone is in the last one.
async fn reached(phase: &mut watch::Receiver<Phase>, wanted: Phase) {
    let _ = phase.wait_for(|phase| *phase >= wanted).await;
}

/// Long enough for one turn of the event loop.
const BACKLOG: Duration = Duration::from_millis(10);
/// What is made room for in a pause.
const ROOM: usize = 16;
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);
