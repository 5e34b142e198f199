//! The local agent: the KMS Agent's HTTP API on loopback, for the Pod's own containers.

mod answer;
mod cache;
mod fetch_limit;
mod guard;
mod handler;
mod key;
mod recent_failures;
pub(crate) mod request;
mod scope;
mod token;

use std::convert::Infallible;
use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use plan::Plan;
use secret::Fetched;
use tokio::net::TcpListener;
use tracing::{info, warn};

use self::handler::AgentHandler;
use crate::fetch::client::Client;
use crate::health::metrics::Metrics;
use crate::http::limits::Limits;
use crate::http::server;
use crate::input::args::Args;
use crate::process::resource_limits::a_third_of_descriptors;
use crate::report::exit::Exit;
use crate::report::problem::Problem;

pub(crate) use self::token::{TokenMissing, ensure as ensure_token, is_there as token_is_there};

/// The agent is bound to its port, and serves while [`Agent::serve`] is polled.
pub(crate) struct Agent {
    listeners: Vec<TcpListener>,
    limits: Limits,
    handler: Arc<AgentHandler>,
    /// The token's file stays open, so that nobody gets a lease on it and holds clients up.
    _token: File,
}

impl Agent {
    /// Returns `None` where the plan has no agent.
    pub(crate) fn start(
        args: &Args,
        plan: &Plan,
        client: &Client<'_>,
        metrics: &mut Metrics,
    ) -> Result<Option<Self>, Problem> {
        // A plan with an agent has credentials for whom it asks.
        let (Some(wanted), Some(asked)) = (plan.mode().agent(), client.backends().of_agent())
        else {
            return Ok(None);
        };
        let port = wanted.port.get();
        let listeners = bind(port).map_err(|error| port_problem(port, &error))?;
        // The token is not written before the port is ours: clients would show it to whoever
        // listens there.
        let (token, held) = ensure_token(args, plan, wanted)?;
        let wanted_connections = usize::from(wanted.max_connections.get());
        let connections = wanted_connections.min(a_third_of_descriptors());
        if connections < wanted_connections {
            warn!(
                wanted = wanted_connections,
                connections, "fewer connections, for want of descriptors"
            );
        }
        let limits = Limits::new(connections);
        let counters = metrics.agent_counters();
        let handler =
            AgentHandler::new(plan, wanted, asked.session(), token, counters, metrics.clone());
        let handler = Arc::new(handler);
        info!(port, addresses = listeners.len(), "the agent listens");
        Ok(Some(Self { listeners, limits, handler, _token: held }))
    }

    pub(crate) async fn serve(&self) -> Infallible {
        server::serve(&self.listeners, self.limits, Arc::clone(&self.handler)).await
    }

    /// Logs what the agent did.
    pub(crate) fn log_totals(&self) {
        let counters = &self.handler.counters;
        info!(
            hits = counters.hits.get(),
            misses = counters.misses.get(),
            stale = counters.stale.get(),
            failures = counters.failures.get(),
            refused = counters.refused.get(),
            "the agent ends"
        );
    }

    /// A lookup of the plan gave this value, to a question that was asked at `asked`: from now on
    /// the agent answers nothing older.
    pub(crate) fn learn(&self, lookup: usize, fetched: &Fetched, asked: Duration) {
        self.handler.learn(lookup, fetched, asked);
    }

    /// The files of a lookup were taken away.
    pub(crate) fn forget(&self, lookup: usize) {
        self.handler.forget(lookup);
    }
}

/// Listens on loopback of both families, where the machine has both: clients resolve `localhost` to
/// either, and nobody else must answer there.
fn bind(port: u16) -> io::Result<Vec<TcpListener>> {
    let mut listeners = vec![server::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?];
    match server::bind(SocketAddr::from((Ipv6Addr::LOCALHOST, port))) {
        Ok(listener) => listeners.push(listener),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
        // This machine has no IPv6.
        Err(_) => {}
    }
    Ok(listeners)
}

fn port_problem(port: u16, error: &io::Error) -> Problem {
    let text = format!("the agent cannot listen on port {port} of loopback: {}", error.kind());
    Problem::new(Exit::Local, text).advise(
        "what else of the Pod listens there; another port is set by the annotation agent-port",
    )
}
