//! Which containers of ours a Pod gets, and what each is for.

use plan::{FetcherCommand, Mode};

use crate::annotations::{ModeName, NativeSidecar};
use crate::pod::List;
use plan::contract::{INIT_CONTAINER, SIDECAR};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Fetches before everything behind it, and ends.
    Init,
    /// A native sidecar that fetches, holds back everything behind it until then, and stays.
    Both,
    /// A native sidecar that continues from what the init container wrote.
    Sidecar,
    /// The same as an ordinary container, beside those of the application.
    Beside,
}

/// One native sidecar does both jobs, except where it would restart for ever instead of failing.
pub(crate) fn roles(
    mode: ModeName,
    native: NativeSidecar,
    restart_policy: &str,
) -> &'static [Role] {
    match (mode, native, restart_policy) {
        (ModeName::Init, ..) => &[Role::Init],
        (_, NativeSidecar::False, _) => &[Role::Init, Role::Beside],
        (_, NativeSidecar::Auto | NativeSidecar::True, "Always") => &[Role::Both],
        (_, NativeSidecar::Auto | NativeSidecar::True, _) => &[Role::Init, Role::Sidecar],
    }
}

impl Role {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Init => INIT_CONTAINER,
            Self::Both | Self::Sidecar | Self::Beside => SIDECAR,
        }
    }

    pub(crate) fn list(self) -> List {
        match self {
            Self::Init | Self::Both | Self::Sidecar => List::Init,
            Self::Beside => List::Main,
        }
    }

    pub(crate) fn command(self) -> FetcherCommand {
        match self {
            Self::Init => FetcherCommand::Init,
            Self::Both | Self::Sidecar | Self::Beside => FetcherCommand::Refresh,
        }
    }

    /// Whether what is behind it waits until it is ready, and not only for its start.
    pub(crate) fn holds_back(self, mode: &Mode) -> bool {
        match self {
            Self::Both => true,
            // The files are there by then; the agent that answers is not.
            Self::Sidecar => mode.agent().is_some(),
            Self::Init | Self::Beside => false,
        }
    }

    /// Whether it is there while the application runs.
    pub(crate) fn stays(self) -> bool {
        self != Self::Init
    }

    pub(crate) fn is_native_sidecar(self) -> bool {
        matches!(self, Self::Both | Self::Sidecar)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sidecar_does_both_jobs_where_it_may_restart() {
        let apart: &[_] = &[Role::Init, Role::Sidecar];
        for (mode, native, restart_policy, expected) in [
            (ModeName::Init, NativeSidecar::Auto, "Always", &[Role::Init][..]),
            (ModeName::Refresh, NativeSidecar::Auto, "Always", &[Role::Both]),
            (ModeName::Agent, NativeSidecar::True, "Always", &[Role::Both]),
            (ModeName::Refresh, NativeSidecar::Auto, "OnFailure", apart),
            (ModeName::Agent, NativeSidecar::True, "Never", apart),
            (ModeName::Refresh, NativeSidecar::False, "Always", &[Role::Init, Role::Beside]),
        ] {
            assert_eq!(roles(mode, native, restart_policy), expected);
        }
    }
}
