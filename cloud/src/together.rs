//! Several values are fetched in one call. Much of how services answer that is not written anywhere, so
//! that nothing but a whole and clean answer counts: whatever else comes, each value is asked for by itself.

use std::iter;

use secret::{Failure, Fetched};
use tokio::time::Instant;
use tracing::info;

use crate::batch::Batch;
use crate::call_info::CallInfo;
use crate::error::Error;
use crate::lookup::Lookup;
use crate::parts::FoundPart;
use crate::session::{Session, fetched};

/// What came for one lookup; `None` where it is to be asked for by itself.
type Part = Option<Result<Fetched, Error>>;

/// What a call that failed says of those who shared it.
enum FailedTogether {
    /// Each of them would have failed alike.
    Shared,
    /// The host does not answer such a call, or not to this caller.
    NotTogether,
    /// No answer came, or one that may come to any question: of a host that is not well, or that has too many
    /// questions. How several in one call count is not written anywhere.
    InDoubt,
}

impl Session {
    /// Which of these lookups go out together, by their indexes; those that stand nowhere go out alone.
    /// It is asked once for each look.
    #[must_use]
    pub fn batches(&self, lookups: &[&Lookup]) -> Vec<Vec<usize>> {
        let batches = self.batching().batches(lookups, |route| self.refusers().may_ask(route));
        self.refusers().begin_look();
        batches
    }

    /// What came for each of these lookups, which are a batch of [`Session::batches`], in their order.
    /// `None` stands for one that is to be asked for by itself.
    pub async fn fetch_together(
        &self,
        lookups: &[&Lookup],
        deadline: Instant,
    ) -> Vec<Option<Result<Fetched, Error>>> {
        // Those that were asked for by themselves, to see whether the host is well.
        let mut parts: Vec<Part> = Vec::new();
        for _ in 0..MOST_ROUNDS {
            let rest = lookups.get(parts.len()..).unwrap_or_default();
            let (Some(first), Some(batch)) = (rest.first(), Batch::of(self.batching(), rest))
            else {
                break;
            };
            let error = match self.ask(&batch, deadline).await {
                Ok(found) => {
                    self.refusers().answered_cleanly(&batch.group.route);
                    parts.extend(found);
                    return parts;
                }
                Err(error) => error,
            };
            match FailedTogether::of(&error) {
                FailedTogether::Shared => {
                    parts.extend(rest.iter().map(|lookup| shared(&error, lookup)));
                    return parts;
                }
                // The next values may be smaller.
                FailedTogether::NotTogether if error.is_too_large() => {
                    self.ask_one_by_one_for_now(&batch, &error);
                    break;
                }
                FailedTogether::NotTogether => {
                    self.ask_one_by_one(&batch, &error);
                    break;
                }
                FailedTogether::InDoubt => {}
            }
            let alone = self.fetch(first, deadline).await;
            let (attempts, of_the_host) = match &alone {
                Ok(fetched) => (fetched.attempts, None),
                Err(error) if FailedTogether::of(error).is_of_the_host() => {
                    (0, Some(error.failure()))
                }
                Err(error) => (error.attempts(), None),
            };
            parts.push(Some(alone));
            if let Some(failure) = of_the_host {
                // A host that has too many questions is better asked for several at once.
                if failure == Failure::Unreachable {
                    self.refusers().let_rest(&batch.group.route);
                }
                let others = rest.iter().skip(1);
                parts.extend(others.map(|lookup| shared(&error, lookup)));
                return parts;
            }
            // The host is well, so that it was the call.
            if attempts <= 1 {
                match error.failure() {
                    Failure::Unreachable => self.ask_one_by_one(&batch, &error),
                    _ => self.ask_one_by_one_for_now(&batch, &error),
                }
                break;
            }
        }
        let left = lookups.len().saturating_sub(parts.len());
        parts.extend(iter::repeat_with(|| None).take(left));
        parts
    }

    async fn ask(&self, batch: &Batch<'_>, deadline: Instant) -> Result<Vec<Part>, Error> {
        let started = Instant::now();
        let (reply, with) = self.send(batch, deadline).await?;
        let request_id = reply.request_id.unwrap_or_default();
        let found = reply.content.into_found().into_iter().zip(&batch.lookups);
        let part = |(found, lookup): (FoundPart, &&Lookup)| match found {
            FoundPart::Value(value) => {
                Some(Ok(fetched(*value, &request_id, &with, reply.attempts, started)))
            }
            FoundPart::Refused(mut refused) => {
                refused.request_id = Some(request_id.clone()).filter(|id| !id.is_empty());
                Some(Err(Error::new(CallInfo::of_fetch(lookup), refused, reply.attempts)))
            }
            FoundPart::Alone => None,
        };
        Ok(found.map(part).collect())
    }

    fn ask_one_by_one_for_now(&self, batch: &Batch<'_>, error: &Error) {
        info!(
            operation = error.operation(),
            host = error.host(),
            class = error.failure().word(),
            code = error.code(),
            request_id = error.request_id(),
            "several at once are not answered now: they are asked for one by one for a while"
        );
        self.refusers().let_rest(&batch.group.route);
    }

    fn ask_one_by_one(&self, batch: &Batch<'_>, error: &Error) {
        info!(
            operation = error.operation(),
            host = error.host(),
            class = error.failure().word(),
            code = error.code(),
            request_id = error.request_id(),
            "several at once got no clean answer: they are asked for one by one from now on"
        );
        self.refusers().never_ask_again(&batch.group.route);
    }
}

impl FailedTogether {
    fn of(error: &Error) -> Self {
        match error.failure() {
            _ if error.is_about_identity() => Self::Shared,
            Failure::Unreachable if error.status().is_some() => Self::InDoubt,
            _ if error.is_retriable() => Self::InDoubt,
            Failure::Unreachable => Self::Shared,
            _ => Self::NotTogether,
        }
    }

    /// Whether the host gave no answer of its own to one question.
    fn is_of_the_host(&self) -> bool {
        matches!(self, Self::Shared | Self::InDoubt)
    }
}

/// The failure of the call that was made for it.
fn shared(error: &Error, lookup: &Lookup) -> Part {
    let call = CallInfo { operation: error.operation(), ..CallInfo::of_fetch(lookup) };
    Some(Err(if error.is_about_identity() { error.clone() } else { error.of(call) }))
}

/// A host that is well for a moment only is not asked for several at once for ever.
const MOST_ROUNDS: usize = 4;
