//! Who answers for the sources of a plan. Each backend is a folder beside this file; no other file
//! knows its words, but for the local agent, whose interface is that of KMS.

pub(crate) mod alibaba;
mod service_account_token;

use plan::{Lookup, Plan};
use secret::{Failure, Fetched, Requests, RetryPolicy};
use tokio::time::Instant;

use self::alibaba::Alibaba;
use crate::input::args::Args;
use crate::report::exit::Exit;
use crate::report::problem::Problem;

pub(crate) enum Backend {
    Alibaba(Box<Alibaba>),
}

/// Why a source gave no value, and what the backend says about that.
#[derive(Clone, Debug)]
pub(crate) struct FetchError {
    pub(crate) failure: Failure,
    /// One line, without anything that is secret.
    pub(crate) text: String,
    /// The backend's own error code.
    pub(crate) code: Option<String>,
    pub(crate) request_id: Option<String>,
    /// Requests that were sent for it.
    pub(crate) attempts: u32,
    /// The backend is well, knows us, and will not give the value any more.
    pub(crate) is_revocation: bool,
    /// What a person can check.
    pub(crate) advice: Vec<String>,
}

impl Backend {
    /// Reads what it needs of this container before anything is sent, so that what is wrong with a
    /// file has words of its own.
    pub(crate) fn new(args: &Args, plan: &Plan) -> Result<Self, Problem> {
        Ok(Self::Alibaba(Box::new(Alibaba::new(args, plan)?)))
    }

    /// The value of one of the plan's lookups, or the last real error when `deadline` is reached.
    /// `observer` hears of each failed attempt after which another one follows.
    pub(crate) async fn fetch(
        &self,
        lookup: usize,
        retry: RetryPolicy,
        deadline: Instant,
        observer: Option<impl Fn(Failure) + Send + Sync + 'static>,
    ) -> Result<Fetched, FetchError> {
        match self {
            Self::Alibaba(alibaba) => alibaba.fetch(lookup, retry, deadline, observer).await,
        }
    }

    /// Lookups with the same number wait for the same server, and for the same credentials.
    pub(crate) fn server(&self, lookup: usize) -> Option<usize> {
        match self {
            Self::Alibaba(alibaba) => alibaba.server(lookup),
        }
    }

    /// As whom a lookup is asked for.
    pub(crate) fn identity(&self, lookup: &Lookup) -> String {
        match self {
            Self::Alibaba(alibaba) => alibaba.identity(lookup),
        }
    }

    /// What came of all requests so far.
    pub(crate) fn requests(&self) -> Vec<Requests> {
        match self {
            Self::Alibaba(alibaba) => alibaba.requests(),
        }
    }

    /// Requests for credentials so far.
    pub(crate) fn exchanges(&self) -> u64 {
        match self {
            Self::Alibaba(alibaba) => alibaba.exchanges(),
        }
    }

    /// The one that the local agent asks.
    pub(crate) fn kms(&self) -> &Alibaba {
        match self {
            Self::Alibaba(alibaba) => alibaba,
        }
    }
}

impl FetchError {
    pub(crate) fn was_sent(&self) -> bool {
        self.attempts > 0
    }

    pub(crate) fn problem(&self, lookup: &Lookup) -> Problem {
        let mut problem = Problem::new(Exit::from(self.failure), self.text.clone())
            .about(lookup.source.to_string());
        problem.advice.clone_from(&self.advice);
        problem
    }
}

/// A source that was not waited for; it is reported only beside a reason.
pub(crate) fn unfinished(lookup: &Lookup) -> Problem {
    let text = "not finished when the run was given up".to_owned();
    Problem::new(Exit::Unreachable, text).about(lookup.source.to_string())
}
