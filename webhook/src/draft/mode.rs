//! How long the fetcher works, from the annotations that say so.

use plan::{InvalidRefresh, Mode, Refresh};

use super::agent::refuse_strays;
use crate::annotations::{self, ModeName, Request};
use crate::problem::Problems;

/// Seconds.
const DEFAULT_INTERVAL: u32 = 300;

/// `agent` makes an agent of it.
pub(super) fn decide(
    request: &Request<'_>,
    agent: impl FnOnce(Refresh, &mut Problems) -> Option<Mode>,
    problems: &mut Problems,
) -> Option<Mode> {
    if request.mode != ModeName::Agent {
        refuse_strays(request, problems);
    }
    let keys = [
        ("refresh-interval", request.refresh_interval.is_some()),
        ("max-staleness", request.max_staleness.is_some()),
        ("on-revoked", request.on_revoked.is_some()),
        ("native-sidecar", request.native_sidecar.is_some()),
    ];
    if request.mode == ModeName::Init {
        // What a bad mode would have meant, nobody knows.
        for (key, _) in keys.into_iter().filter(|(_, set)| *set && !request.is_bad("mode")) {
            problems.push(annotations::problem(
                key,
                "it says how secrets are kept current, and the mode is init",
                "set kms.alibabacloud/mode to refresh, or remove it",
            ));
        }
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
