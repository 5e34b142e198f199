//! How long the fetcher works, from the annotations that say so.

use plan::{InvalidRefresh, Mode, Refresh};

use crate::annotations::{self, Annotation, ModeName, Modes, Request};
use crate::problem::{Problem, Problems};

/// Seconds.
const DEFAULT_INTERVAL: u32 = 300;

/// `agent` makes an agent of it.
pub(super) fn decide(
    request: &Request<'_>,
    agent: impl FnOnce(Refresh, &mut Problems) -> Option<Mode>,
    problems: &mut Problems,
) -> Option<Mode> {
    problems.extend(strays(request));
    if request.mode == ModeName::Init {
        return Some(Mode::Init);
    }
    let interval = request.refresh_interval.unwrap_or(DEFAULT_INTERVAL);
    let on_revoked = request.on_revoked.unwrap_or_default();
    match Refresh::new(interval, request.max_staleness, on_revoked) {
        Ok(refresh) if request.mode == ModeName::Agent => agent(refresh, problems),
        Ok(refresh) => Some(Mode::Refresh(refresh)),
        Err(error) => {
            let key = match error {
                InvalidRefresh::Staleness { .. } => "max-staleness",
                _ => "refresh-interval",
            };
            problems.push(annotations::problem(key, error.to_string(), ""));
            None
        }
    }
}

/// What belongs to another mode: first what says how an agent works, then the rest.
fn strays(request: &Request<'_>) -> Vec<Problem> {
    // The checks of these two say more about why the mode matters to them.
    let has_own_check = |row: &Annotation| ["on-change", "metrics-port"].contains(&row.key);
    let strays = request.strays().filter(|row| !has_own_check(row));
    let (of_agent, others): (Vec<_>, Vec<_>) = strays.partition(|row| row.modes == Modes::Agent);
    let of_agent = of_agent.into_iter().map(|row| {
        annotations::problem(
            row.key,
            "it says how the local agent works, and the Pod has none",
            "set kms.alibabacloud/mode to agent, or remove it",
        )
    });
    let others = others.into_iter().map(|row| {
        annotations::problem(
            row.key,
            "it says how secrets are kept current, and the mode is init",
            "set kms.alibabacloud/mode to refresh, or remove it",
        )
    });
    of_agent.chain(others).collect()
}
