//! Which containers of ours a Pod gets.

use crate::ask::annotations::{ModeName, NativeSidecar};
use crate::patch::fetcher_role::FetcherRole;

/// One native sidecar does both jobs, except where it would restart forever instead of failing.
pub(crate) fn roles(
    mode: ModeName,
    native: NativeSidecar,
    restart_policy: &str,
) -> &'static [FetcherRole] {
    match (mode, native, restart_policy) {
        (ModeName::Init, ..) => &[FetcherRole::Init],
        (_, NativeSidecar::False, _) => &[FetcherRole::Init, FetcherRole::Beside],
        (_, NativeSidecar::Auto | NativeSidecar::True, "Always") => &[FetcherRole::Both],
        (_, NativeSidecar::Auto | NativeSidecar::True, _) => {
            &[FetcherRole::Init, FetcherRole::Sidecar]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sidecar_does_both_jobs_where_it_may_restart() {
        let apart: &[_] = &[FetcherRole::Init, FetcherRole::Sidecar];
        for (mode, native, restart_policy, expected) in [
            (ModeName::Init, NativeSidecar::Auto, "Always", &[FetcherRole::Init][..]),
            (ModeName::Refresh, NativeSidecar::Auto, "Always", &[FetcherRole::Both]),
            (ModeName::Agent, NativeSidecar::True, "Always", &[FetcherRole::Both]),
            (ModeName::Refresh, NativeSidecar::Auto, "OnFailure", apart),
            (ModeName::Agent, NativeSidecar::True, "Never", apart),
            (
                ModeName::Refresh,
                NativeSidecar::False,
                "Always",
                &[FetcherRole::Init, FetcherRole::Beside],
            ),
        ] {
            assert_eq!(roles(mode, native, restart_policy), expected);
        }
    }
}
