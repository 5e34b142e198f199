//! How long the fetcher works, from the annotations that say so.

use plan::{InvalidRefresh, Refresh};

use crate::ask::annotations::{Annotation, Modes, SecretsRequest};
use crate::problem::{Problem, Problems};

/// Seconds.
const DEFAULT_INTERVAL: u32 = 300;

/// How secrets are kept current.
pub(super) fn refresh(request: &SecretsRequest<'_>, problems: &mut Problems) -> Option<Refresh> {
    let interval = request.refresh_interval.unwrap_or(DEFAULT_INTERVAL);
    let on_revoked = request.on_revoked.unwrap_or_default();
    Refresh::new(interval, request.max_staleness, on_revoked)
        .map_err(|error| {
            let key = match error {
                InvalidRefresh::Staleness { .. } => "max-staleness",
                _ => "refresh-interval",
            };
            problems.push(Problem::annotation(key, error.to_string(), ""));
        })
        .ok()
}

/// What belongs to another mode: first what says how an agent works, then the rest.
pub(super) fn strays(request: &SecretsRequest<'_>) -> Vec<Problem> {
    // The checks of these two say more about why the mode matters to them.
    let has_own_check = |row: &Annotation| ["on-change", "metrics-port"].contains(&row.key);
    let strays = request.strays().filter(|row| !has_own_check(row));
    let (of_agent, others): (Vec<_>, Vec<_>) = strays.partition(|row| row.modes == Modes::Agent);
    let of_agent = of_agent.into_iter().map(|row| {
        Problem::annotation(
            row.key,
            "it says how the local agent works, and the Pod has none",
            "set kms.alibabacloud/mode to agent, or remove it",
        )
    });
    let others = others.into_iter().map(|row| {
        Problem::annotation(
            row.key,
            "it says how secrets are kept current, and the mode is init",
            "set kms.alibabacloud/mode to refresh, or remove it",
        )
    });
    of_agent.chain(others).collect()
}
