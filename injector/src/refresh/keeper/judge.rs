//! The outcome of a round, for each source and for each template.

use std::collections::HashMap;
use std::time::Duration;

use secret::Failure;
use tracing::error;

use super::Keeper;
use crate::backends::unfinished;
use crate::fetch::client::FetchOutcome;
use crate::input::entry::Entry;
use crate::once::init;
use crate::refresh::retention::{Retention, retention};
use crate::refresh::source_state::Verdict;
use crate::refresh::templates::TemplateNews;
use crate::render::Rendered;
use crate::report::problem::Problem;

/// The outcome of a round, by lookup.
#[derive(Default)]
pub(super) struct Judged {
    pub(super) verdicts: HashMap<usize, Verdict>,
    /// The reasons why the fetcher ends.
    pub(super) ended: Vec<Problem>,
}

impl Keeper<'_> {
    pub(super) fn judge(
        &self,
        outcomes: &HashMap<usize, &FetchOutcome>,
        unusable: &HashMap<usize, Problem>,
        now: Duration,
    ) -> Judged {
        let mut judged = Judged::default();
        for (index, source) in self.sources.iter().enumerate().take(self.plan.lookups().len()) {
            let Some(outcome) = outcomes.get(&index) else { continue };
            let label = || plan::lookup_label(self.plan.lookups(), index);
            let (failing, revoked, problem) = match (outcome, unusable.get(&index)) {
                (FetchOutcome::Fetched(_), Some(problem)) => {
                    (Failure::Unusable, false, problem.clone())
                }
                (FetchOutcome::Fetched(fetched), None) => {
                    judged.verdicts.insert(index, Verdict::fresh(fetched));
                    continue;
                }
                (FetchOutcome::Failed(error), _)
                    if error.failure == Failure::NotFound
                        && init::may_miss(self.entries, index)
                        && !self.shows(index) =>
                {
                    judged.verdicts.insert(index, Verdict::Absent);
                    continue;
                }
                (FetchOutcome::Failed(error), _) => {
                    (error.failure, error.is_revocation, error.problem(label()))
                }
                (FetchOutcome::Unfinished, _) => (Failure::Unreachable, false, unfinished(label())),
            };
            let unconfirmed = now.saturating_sub(source.confirmed);
            let retention = retention(revoked, unconfirmed, self.refresh);
            let stays = retention == Retention::Keep;
            // A failure is logged once, and not in every round for as long as it lasts.
            if source.failing != Some(failing) || (!stays && !source.removed) {
                error!(
                    source = label(),
                    code = outcome.code(),
                    request_id = outcome.request_id(),
                    unconfirmed_s = unconfirmed.as_secs(),
                    "{}: {}",
                    retention.headline(),
                    problem.headline()
                );
            }
            let verdict = match retention {
                Retention::Keep => Verdict::Kept(failing),
                Retention::Revoked | Retention::Stale => Verdict::Removed(failing),
                Retention::Ended => {
                    judged.ended.push(problem);
                    Verdict::Ended(failing)
                }
            };
            judged.verdicts.insert(index, verdict);
        }
        judged
    }

    /// Returns whether a template's file goes.
    pub(super) fn judge_templates(
        &mut self,
        rendered: &[Rendered<'_>],
        failed: &[(usize, Problem)],
        now: Duration,
    ) -> bool {
        rendered.iter().for_each(|rendered| self.templates.rendered(rendered.at));
        let mut going = false;
        for (at, problem) in failed {
            let sources = self.entries.get(*at).into_iter().flat_map(Entry::sources);
            let known = sources.filter_map(|source| self.sources.get(source));
            let last = known.map(|source| source.confirmed).min().unwrap_or(now);
            let news = self.templates.failed(*at, last, now, self.refresh.max_staleness());
            if let (Some(news), Some(entry)) = (news, self.entries.get(*at)) {
                let file = entry.name.as_ref();
                let unconfirmed_s = self.templates.age(*at, now).as_secs();
                error!(file, unconfirmed_s, "{}: {}", news.headline(), problem.headline());
            }
            going |= news == Some(TemplateNews::Goes);
        }
        going
    }
}
