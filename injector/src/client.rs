//! The cloud as one plan sees it: identity and trust are set up once, lookups are asked for by
//! their index in the plan.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cloud::{CredentialsProvider, Error, Rrsa, Session, Transport, TransportConfig};
use plan::Plan;
use secret::{Fetched, RetryPolicy, Sensitive};
use tokio::time::Instant;
use tracing::{info, warn};

use crate::advice::Advisor;
use crate::args::Args;
use crate::bounded;
use crate::clock::since_boot;
use crate::exit::Exit;
use crate::output::one_line;
use crate::question;
use crate::report::Problem;
use crate::resolve::{self, resolve};
use crate::standing::Standing;
use crate::token::{self, TokenError, TokenFile};

pub(crate) type Outcome = resolve::Outcome<Fetched, Error>;

impl Outcome {
    /// The service's error code.
    pub(crate) fn code(&self) -> Option<&str> {
        match self {
            Self::Failed(error) => error.code(),
            Self::Fetched(_) | Self::Unfinished => None,
        }
    }

    /// For a line of the log.
    pub(crate) fn request_id(&self) -> Option<String> {
        let id = match self {
            Self::Fetched(fetched) => Some(fetched.request_id.as_str()),
            Self::Failed(error) => error.request_id(),
            Self::Unfinished => None,
        };
        id.map(|id| one_line(id, 64))
    }
}

pub(crate) struct Client<'a> {
    plan: &'a Plan,
    session: Session,
    lookups: Arc<[cloud::Lookup]>,
    standing: Standing,
    token_file: PathBuf,
    /// Who the token says it is for.
    subject: Option<String>,
}

/// How long, and how eagerly, lookups are tried.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    pub(crate) deadline: Instant,
    pub(crate) retry: RetryPolicy,
    /// Whether every success is worth a line of the log, and every failure meanwhile is to be seen.
    pub(crate) told: bool,
}

impl Patience {
    /// Of the fetch that an application waits for.
    pub(crate) fn of_a_start(plan: &Plan) -> Self {
        let deadline = Instant::now() + plan.timeout();
        Self { deadline, retry: RetryPolicy::default(), told: true }
    }
}

/// A bundle of every public CA has a quarter of this.
const CA_LIMIT: usize = 1024 * 1024;

impl<'a> Client<'a> {
    /// Reads token and CAs before anything is sent, so that what is wrong with a file has words of
    /// its own.
    pub(crate) fn new(args: &Args, plan: &'a Plan) -> Result<Self, Problem> {
        let token_file = TokenFile::new(args.token());
        let subject = token::subject(&token_file.read().map_err(|error| no_token(&error))?);
        let read_token = move || token_file.read().map_err(Into::into);
        let retry = RetryPolicy::default();
        let provider = CredentialsProvider::Rrsa(Rrsa::new(question::role(plan), read_token));
        let session = Session::new(transport(args, plan)?, provider, retry);
        let lookups: Vec<_> =
            plan.lookups().iter().map(|lookup| question::lookup(plan, lookup)).collect();
        let (lookups, standing) = (lookups.into(), Standing::new(plan.lookups().len()));
        Ok(Self { plan, session, lookups, standing, token_file: args.token(), subject })
    }

    /// Asks for each of these once. When one fails and `is_final` says so, the others are given up
    /// soon.
    pub(crate) async fn fetch(
        &self,
        wanted: &[usize],
        patience: Patience,
        is_final: impl Fn(usize, &Error) -> bool,
    ) -> Vec<Outcome> {
        let session = self.session.with_retry(patience.retry);
        let ask = |position: usize| {
            let index = wanted.get(position).copied().unwrap_or(usize::MAX);
            let standing = patience.told.then(|| self.standing.clone());
            let lookups = Arc::clone(&self.lookups);
            ask(session.clone(), lookups, index, self.source(index), patience.deadline, standing)
        };
        let is_final = |position: usize, error: &Error| {
            wanted.get(position).is_some_and(|index| is_final(*index, error))
        };
        let server = |position: usize| {
            let lookup = wanted.get(position).and_then(|index| self.lookups.get(*index));
            // Two roles at one host wait for two exchanges.
            lookup.map(|lookup| (lookup.endpoint.as_str(), lookup.assume.as_ref()))
        };
        resolve(wanted.len(), server, ask, is_final, patience.deadline).await
    }

    /// How the sources stand, as the first fetch goes on and as the keeper says from then on.
    pub(crate) fn standing(&self) -> &Standing {
        &self.standing
    }

    /// The same identity, for questions that are not the plan's.
    pub(crate) fn session(&self) -> Session {
        self.session.clone()
    }

    /// Requests to STS so far.
    pub(crate) fn exchanges(&self) -> u64 {
        self.session.exchanges()
    }

    pub(crate) fn advisor(&self) -> Advisor<'_> {
        Advisor { plan: self.plan, token_file: &self.token_file, subject: self.subject.as_deref() }
    }

    fn source(&self, index: usize) -> String {
        self.plan.lookups().get(index).map(|lookup| lookup.source.to_string()).unwrap_or_default()
    }
}

async fn ask(
    session: Session,
    lookups: Arc<[cloud::Lookup]>,
    index: usize,
    source: String,
    deadline: Instant,
    standing: Option<Standing>,
) -> Result<Fetched, Error> {
    let began = Instant::now();
    let Some(lookup) = lookups.get(index) else {
        // Indexes come from the plan.
        return std::future::pending().await;
    };
    let told = standing.is_some();
    let session = match standing.clone() {
        None => session,
        Some(standing) => {
            session.with_observer(move |error: &Error| standing.fails(index, error.failure()))
        }
    };
    let result = session.fetch(lookup, deadline).await;
    match (&result, standing) {
        (Ok(_), Some(standing)) => standing.confirmed(index, since_boot()),
        (Err(error), Some(standing)) => standing.fails(index, error.failure()),
        (_, None) => {}
    }
    let duration_ms = milliseconds(began.elapsed());
    match &result {
        Ok(fetched) if told => info!(
            source,
            duration_ms,
            attempts = fetched.attempts,
            request_id = one_line(&fetched.request_id, 64),
            version = one_line(fetched.printable_version(), 64),
            bytes = fetched.value.len(),
            "fetched"
        ),
        Ok(_) => {}
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

fn no_token(error: &TokenError) -> Problem {
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
