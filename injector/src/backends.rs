//! The backends that answer for the sources of a plan. Each backend is a folder beside this file; no other file
//! knows its words, but for the local agent, whose interface is that of KMS.

pub(crate) mod alibaba;
mod fetch_error;
mod service_account_token;

use plan::{Lookup, Plan};
use secret::{Failure, Fetched, Requests, RetryPolicy};
use tokio::time::Instant;

use self::alibaba::Alibaba;
pub(crate) use self::fetch_error::{FetchError, unfinished};
use crate::input::args::Args;
use crate::report::problem::Problem;

pub(crate) enum Backend {
    Alibaba(Box<Alibaba>),
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

    /// The identity that asks for a lookup, for people.
    pub(crate) fn identity(&self, lookup: &Lookup) -> String {
        match self {
            Self::Alibaba(alibaba) => alibaba.identity(lookup),
        }
    }

    /// The role that asks where a lookup names no other one, for the log.
    pub(crate) fn role(&self) -> &str {
        match self {
            Self::Alibaba(alibaba) => alibaba.role(),
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
