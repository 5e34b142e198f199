//! From a plan to outcomes: sets up identity, trust and runtime, and asks the cloud.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cloud::{Class, Error, Fetched, RetryPolicy, Sensitive, Session, Transport, TransportConfig};
use plan::{Lookup, OnMissing, Plan};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;
use tracing::{info, warn};

use crate::advice::Advisor;
use crate::args::Args;
use crate::bounded;
use crate::exit::Exit;
use crate::output::one_line;
use crate::question;
use crate::report::Problem;
use crate::resolve::{Outcome, resolve};
use crate::token::{self, TokenError, TokenFile};

/// What came of the lookups that were asked for, in that order.
pub(crate) struct Answers {
    pub(crate) outcomes: Vec<Outcome<Fetched, Error>>,
    /// Requests to STS.
    pub(crate) exchanges: u64,
    pub(crate) token_file: PathBuf,
    /// Who the token says it is for.
    pub(crate) subject: Option<String>,
}

impl Answers {
    pub(crate) fn advisor<'a>(&'a self, plan: &'a Plan) -> Advisor<'a> {
        Advisor { plan, token_file: &self.token_file, subject: self.subject.as_deref() }
    }
}

/// A bundle of every public CA has a quarter of this.
const CA_LIMIT: usize = 1024 * 1024;

/// Asks for each `(index, lookup)` once; the index is that of the plan.
pub(crate) fn fetch(
    args: &Args,
    plan: &Plan,
    wanted: &[(usize, &Lookup)],
) -> Result<Answers, Problem> {
    let token_file = TokenFile::new(args.token());
    // Read before anything is sent, so that what is wrong with the file has words of its own.
    let token = token_file.read().map_err(|error| {
        Problem::new(Exit::Identity, error.to_string()).advise(match error {
            TokenError::Unreadable(..) => {
                "that the webhook's projected token volume is mounted in this container; locally, \
                 --token"
            }
            TokenError::Empty(_) => {
                "what else is mounted there: the kubelet writes a ServiceAccount token into it; \
                 locally, --token"
            }
        })
    })?;
    let subject = token::subject(&token);
    drop(token);
    let transport = transport(args, plan)?;
    let read_token = move || token_file.read().map_err(Into::into);
    let session =
        Session::new(transport, question::identity(plan), read_token, RetryPolicy::default());
    let session = Arc::new(session);
    let lookups: Vec<cloud::Lookup> =
        wanted.iter().map(|(_, lookup)| question::lookup(plan, lookup)).collect();
    let lookups: Arc<[cloud::Lookup]> = lookups.into();

    let outcomes = in_runtime(async {
        let deadline = Instant::now() + plan.timeout();
        let ask = |position: usize| {
            let (session, lookups) = (session.clone(), lookups.clone());
            let source = wanted.get(position).map(|(_, lookup)| lookup.source.to_string());
            ask(session, lookups, position, source.unwrap_or_default(), deadline)
        };
        let is_final = |position: usize, error: &Error| {
            let index = wanted.get(position).map(|(index, _)| *index);
            !(error.class() == Class::NotFound && index.is_some_and(|index| may_miss(plan, index)))
        };
        resolve(wanted.len(), ask, is_final, deadline).await
    })?;
    Ok(Answers { outcomes, exchanges: session.exchanges(), token_file: args.token(), subject })
}

/// Whether every file of a lookup goes on without it.
pub(crate) fn may_miss(plan: &Plan, lookup: usize) -> bool {
    let mut files = plan.files().iter().filter(|file| file.from == lookup);
    files.all(|file| file.on_missing == OnMissing::Skip)
}

async fn ask(
    session: Arc<Session>,
    lookups: Arc<[cloud::Lookup]>,
    position: usize,
    source: String,
    deadline: Instant,
) -> Result<Fetched, Error> {
    let began = Instant::now();
    let Some(lookup) = lookups.get(position) else {
        // `resolve` asks for as many as there are.
        return std::future::pending().await;
    };
    let result = session.fetch(lookup, deadline).await;
    let duration_ms = milliseconds(began.elapsed());
    match &result {
        Ok(fetched) => info!(
            source,
            duration_ms,
            attempts = fetched.attempts,
            request_id = one_line(&fetched.request_id, 64),
            version = one_line(&fetched.version, 64),
            bytes = fetched.value.len(),
            "fetched"
        ),
        Err(error) => warn!(
            source,
            duration_ms,
            attempts = error.attempts(),
            code = error.code(),
            request_id = error.request_id().map(|id| one_line(id, 64)),
            "not fetched: {}",
            one_line(&error.to_string(), 600)
        ),
    }
    result
}

pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn transport(args: &Args, plan: &Plan) -> Result<Arc<Transport>, Problem> {
    let private_ca = if plan.private_ca() { Some(ca(&args.private_ca())?) } else { None };
    let extra_ca = args.ca.as_deref().map(ca).transpose()?;
    let connect_to = args.connect_to.clone();
    let config = TransportConfig { private_ca, extra_ca, connect_to, ..TransportConfig::default() };
    let transport = Transport::new(config)
        .map_err(|error| Problem::new(Exit::Local, error.to_string()).advise("the CA file"))?;
    Ok(Arc::new(transport))
}

fn ca(path: &Path) -> Result<Vec<u8>, Problem> {
    match bounded::read(path, CA_LIMIT) {
        Ok(bytes) => Ok(Sensitive::expose(&bytes).to_vec()),
        Err(problem) => {
            let text = format!("the CA file {} {problem}", path.display());
            Err(Problem::new(Exit::Local, text).advise("the ConfigMap or file that holds the CA"))
        }
    }
}

/// Runs `work` on this thread until it ends or somebody wants us to.
fn in_runtime<T>(work: impl Future<Output = T>) -> Result<T, Problem> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| {
        let text = format!("the runtime could not be set up: {}", error.kind());
        Problem::new(Exit::Local, text)
    })?;
    let result = runtime.block_on(async {
        tokio::select! {
            // In this order, so that we can be stopped from the first request on.
            biased;
            () = asked_to_stop() => {
                Err(Problem::new(Exit::Interrupted, "ended by a signal before it was done".into()))
            }
            result = work => Ok(result),
        }
    });
    // A DNS lookup on its own thread cannot be cancelled, and must not hold us up.
    runtime.shutdown_background();
    result
}

/// As process 1 of a container we would not even notice SIGTERM without asking for it.
async fn asked_to_stop() {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
