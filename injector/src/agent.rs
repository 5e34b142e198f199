//! The local agent: the KMS Agent's HTTP API on loopback, for the Pod's own containers.

mod answer;
mod cache;
mod counters;
mod failures;
mod guard;
mod key;
pub(crate) mod request;
mod scope;
mod server;
mod token;

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use cloud::Fetched;
use plan::Plan;
use rustix::net::sockopt;
use tokio::net::TcpListener;
use tracing::info;

use self::server::Shared;
use crate::args::Args;
use crate::client::Client;
use crate::exit::Exit;
use crate::listener::{Limits, serve};
use crate::metrics::Metrics;
use crate::report::Problem;

pub(crate) use self::counters::Counters;
pub(crate) use self::token::{TokenMissing, ensure as ensure_token, is_there as token_is_there};

/// Bound to its port; serves while [`Agent::serve`] is polled.
pub(crate) struct Agent {
    listeners: Vec<TcpListener>,
    limits: Limits,
    shared: Arc<Shared>,
}

impl Agent {
    /// `None` where the plan wants none.
    pub(crate) fn start(
        args: &Args,
        plan: &Plan,
        client: &Client<'_>,
        metrics: &mut Metrics,
    ) -> Result<Option<Self>, Problem> {
        let Some(wanted) = plan.mode().agent() else { return Ok(None) };
        let token = ensure_token(args, plan, wanted)?;
        let port = wanted.port.get();
        let listeners = bind(port).map_err(|error| taken(port, &error))?;
        let limits = Limits::new(wanted.max_connections.get().into());
        let counters = metrics.of_agent();
        let shared = Shared::new(plan, wanted, client.session(), token, counters, metrics.clone());
        let shared = Arc::new(shared);
        info!(port, addresses = listeners.len(), "the agent listens");
        Ok(Some(Self { listeners, limits, shared }))
    }

    pub(crate) async fn serve(&self) -> Infallible {
        serve(&self.listeners, self.limits, Arc::clone(&self.shared)).await
    }

    /// What it did, for the log.
    pub(crate) fn tell(&self) {
        let counters = &self.shared.counters;
        info!(
            hits = counters.hits.get(),
            misses = counters.misses.get(),
            stale = counters.stale.get(),
            failures = counters.failures.get(),
            refused = counters.refused.get(),
            "the agent ends"
        );
    }

    /// A lookup of the plan gave this, to a question that was asked at `asked`: from now on the
    /// agent answers nothing older.
    pub(crate) fn learn(&self, lookup: usize, fetched: &Fetched, asked: Duration) {
        self.shared.learn(lookup, fetched, asked);
    }

    /// The files of a lookup were taken away.
    pub(crate) fn forget(&self, lookup: usize) {
        self.shared.forget(lookup);
    }
}

/// Loopback of both families, where the machine has both: clients resolve `localhost` to either,
/// and nobody else must answer there.
/// Of one connection and one direction; the kernel keeps twice as much.
const SOCKET_BUFFER: usize = 64 * 1024;

fn bind(port: u16) -> io::Result<Vec<TcpListener>> {
    let mut listeners = vec![listen(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?];
    match listen(SocketAddr::from((Ipv6Addr::LOCALHOST, port))) {
        Ok(listener) => listeners.push(listener),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
        // No IPv6 here.
        Err(_) => {}
    }
    Ok(listeners)
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = std::net::TcpListener::bind(address)?;
    // Its connections have the same: a client that does not read what it asked for holds little of
    // our container's memory.
    sockopt::set_socket_send_buffer_size(&listener, SOCKET_BUFFER)?;
    sockopt::set_socket_recv_buffer_size(&listener, SOCKET_BUFFER)?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

fn taken(port: u16, error: &io::Error) -> Problem {
    let text = format!("the agent cannot listen on port {port} of loopback: {}", error.kind());
    Problem::new(Exit::Local, text).advise(
        "what else of the Pod listens there; another port is set by the annotation agent-port",
    )
}
