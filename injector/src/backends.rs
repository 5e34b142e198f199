//! The backends that answer for the sources of a plan. Each is a folder beside this file; no other
//! file knows its words, but for the local agent, whose interface is that of KMS. What is asked of all
//! of them is asked here, by matches that name a backend which was forgotten.

pub(crate) mod alibaba;
mod fetch_error;

use plan::{AlibabaLookup, Lookup, Plan};
use secret::{Failure, Fetched, Requests, RetryPolicy};
use tokio::time::Instant;

use self::alibaba::{Alibaba, CloudLookup};
pub(crate) use self::fetch_error::{FetchError, unfinished};
use crate::input::args::Args;
use crate::report::problem::Problem;

/// The backends of one plan.
pub(crate) struct Backends {
    /// Where the plan has credentials for it.
    alibaba: Option<Alibaba>,
    /// By lookup of the plan.
    answering: Vec<OwnLookup>,
}

/// Which backend answers for a lookup, and as which of its own.
#[derive(Clone, Copy)]
enum OwnLookup {
    Alibaba(usize),
}

/// A lookup of the plan at the backend that answers for it.
#[derive(Clone, Copy)]
pub(crate) enum Question<'a> {
    Alibaba(&'a Alibaba, &'a CloudLookup),
}

/// Whom questions wait for: those to the same one also wait for the same credentials.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) enum AnsweringServer {
    Alibaba(usize),
}

impl Backends {
    /// Reads what is needed of this container before anything is sent, so that what is wrong with a
    /// file has words of its own.
    pub(crate) fn new(args: &Args, plan: &Plan) -> Result<Self, Problem> {
        let mut alibaba = Vec::with_capacity(plan.lookups().len());
        let answering = plan.lookups().iter().map(|lookup| match lookup {
            Lookup::Alibaba(lookup) => {
                alibaba.push(lookup);
                OwnLookup::Alibaba(alibaba.len() - 1)
            }
        });
        let answering = answering.collect();
        let alibaba = plan
            .credentials()
            .map(|credentials| Alibaba::new(args, plan, credentials, &alibaba))
            .transpose()?;
        Ok(Self { alibaba, answering })
    }

    /// The question for a lookup, by its index in the plan.
    pub(crate) fn question(&self, lookup: usize) -> Option<Question<'_>> {
        let Self { alibaba, answering } = self;
        Some(match answering.get(lookup)? {
            OwnLookup::Alibaba(own) => {
                let alibaba = alibaba.as_ref()?;
                Question::Alibaba(alibaba, alibaba.lookup(*own)?)
            }
        })
    }

    /// Which of these lookups go out together, by their positions.
    pub(crate) fn batches(&self, wanted: &[usize]) -> Vec<Vec<usize>> {
        let Self { alibaba, answering } = self;
        let own = wanted.iter().enumerate().filter_map(|(position, lookup)| {
            let OwnLookup::Alibaba(own) = answering.get(*lookup)?;
            Some((position, *own))
        });
        let (positions, own): (Vec<usize>, Vec<usize>) = own.unzip();
        let batches = alibaba.as_ref().map(|alibaba| alibaba.batches(&own)).unwrap_or_default();
        let place = |at: &usize| positions.get(*at).copied();
        batches.iter().map(|batch| batch.iter().filter_map(place).collect()).collect()
    }

    /// What came for each of the lookups of a batch, in their order; `None` where one is to be fetched by
    /// itself.
    pub(crate) async fn fetch_together(
        &self,
        lookups: &[usize],
        retry: RetryPolicy,
        deadline: Instant,
        observer: Option<impl Fn(Failure) + Send + Sync + 'static>,
    ) -> Vec<Option<Result<Fetched, FetchError>>> {
        let Self { alibaba, answering } = self;
        let own = lookups.iter().filter_map(|lookup| {
            let OwnLookup::Alibaba(own) = answering.get(*lookup)?;
            Some(*own)
        });
        let own: Vec<usize> = own.collect();
        match alibaba {
            Some(alibaba) => alibaba.fetch_together(&own, retry, deadline, observer).await,
            None => Vec::new(),
        }
    }

    /// The backend that the local agent asks.
    pub(crate) fn of_agent(&self) -> Option<&Alibaba> {
        self.alibaba.as_ref()
    }

    /// The role that asks where a lookup names no other one, for the log.
    pub(crate) fn role(&self) -> Option<&str> {
        let Self { alibaba, answering: _ } = self;
        alibaba.as_ref().map(Alibaba::role)
    }

    /// What came of all requests so far.
    pub(crate) fn requests(&self) -> Vec<Requests> {
        let Self { alibaba, answering: _ } = self;
        alibaba.as_ref().map(Alibaba::requests).unwrap_or_default()
    }

    /// Requests for credentials so far.
    pub(crate) fn exchanges(&self) -> u64 {
        let Self { alibaba, answering: _ } = self;
        alibaba.as_ref().map_or(0, Alibaba::exchanges)
    }
}

/// The lookups of the backend that the local agent asks, with their indexes in the plan.
pub(crate) fn lookups_of_agent(plan: &Plan) -> impl Iterator<Item = (usize, &AlibabaLookup)> {
    plan.lookups().iter().enumerate().map(|(index, lookup)| match lookup {
        Lookup::Alibaba(lookup) => (index, lookup),
    })
}

impl Question<'_> {
    /// The value, or the last real error when `deadline` is reached. `observer` hears of each failed
    /// attempt after which another one follows.
    pub(crate) async fn fetch(
        self,
        retry: RetryPolicy,
        deadline: Instant,
        observer: Option<impl Fn(Failure) + Send + Sync + 'static>,
    ) -> Result<Fetched, FetchError> {
        match self {
            Self::Alibaba(alibaba, lookup) => {
                alibaba.fetch(lookup, retry, deadline, observer).await
            }
        }
    }

    pub(crate) fn server(self) -> AnsweringServer {
        match self {
            Self::Alibaba(_, lookup) => AnsweringServer::Alibaba(lookup.server()),
        }
    }
}
