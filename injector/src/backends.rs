//! The backends that answer for the sources of a plan. Each is a folder beside this file; no other
//! file knows its words, but for the local agent, whose interface is that of KMS.

pub(crate) mod alibaba;
mod fetch_error;
mod service_account_token;

use plan::{Plan, Source};
use secret::{Failure, Fetched, Requests, RetryPolicy};
use tokio::time::Instant;

use self::alibaba::Alibaba;
pub(crate) use self::fetch_error::{FetchError, unfinished};
use crate::input::args::Args;
use crate::report::problem::Problem;

/// The backends of one plan.
pub(crate) struct Backends {
    alibaba: Alibaba,
    /// Which of them answers, by lookup of the plan.
    kinds: Vec<BackendKind>,
}

#[derive(Clone, Copy)]
enum BackendKind {
    Alibaba,
}

/// The backend that answers for a lookup.
#[derive(Clone, Copy)]
pub(crate) enum Backend<'a> {
    Alibaba(&'a Alibaba),
}

impl Backends {
    /// Reads what is needed of this container before anything is sent, so that what is wrong with a
    /// file has words of its own.
    pub(crate) fn new(args: &Args, plan: &Plan) -> Result<Self, Problem> {
        let kinds = plan.lookups().iter().map(|lookup| BackendKind::of(&lookup.source)).collect();
        Ok(Self { alibaba: Alibaba::new(args, plan)?, kinds })
    }

    /// The backend of a lookup, by its index in the plan.
    pub(crate) fn of(&self, lookup: usize) -> Option<Backend<'_>> {
        Some(match self.kinds.get(lookup)? {
            BackendKind::Alibaba => Backend::Alibaba(&self.alibaba),
        })
    }

    /// The backend that the local agent asks.
    pub(crate) fn kms(&self) -> &Alibaba {
        &self.alibaba
    }

    /// The role that asks where a lookup names no other one, for the log.
    pub(crate) fn role(&self) -> &str {
        self.alibaba.role()
    }

    /// What came of all requests so far.
    pub(crate) fn requests(&self) -> Vec<Requests> {
        self.alibaba.requests()
    }

    /// Requests for credentials so far.
    pub(crate) fn exchanges(&self) -> u64 {
        self.alibaba.exchanges()
    }
}

impl BackendKind {
    fn of(source: &Source) -> Self {
        match source {
            Source::Kms(_) | Source::Oos(_) | Source::OosParameter(_) => Self::Alibaba,
        }
    }
}

impl Backend<'_> {
    /// The value of one of the plan's lookups, or the last real error when `deadline` is reached.
    /// `observer` hears of each failed attempt after which another one follows.
    pub(crate) async fn fetch(
        self,
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
    pub(crate) fn server(self, lookup: usize) -> Option<usize> {
        match self {
            Self::Alibaba(alibaba) => alibaba.server(lookup),
        }
    }
}
