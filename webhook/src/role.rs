//! Which containers of ours a Pod gets, and what each is for.

use plan::Mode;

use crate::annotations::NativeSidecar;
use crate::pod::List;

pub(crate) const INIT_CONTAINER: &str = "kms-secrets-init";
pub(crate) const SIDECAR: &str = "kms-secrets";

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
pub(crate) fn roles(mode: &Mode, native: NativeSidecar, restart_policy: &str) -> &'static [Role] {
    match (mode, native) {
        (Mode::Init, _) => &[Role::Init],
        (Mode::Refresh(_) | Mode::Agent(_), NativeSidecar::False) => &[Role::Init, Role::Beside],
        (Mode::Refresh(_) | Mode::Agent(_), NativeSidecar::Auto | NativeSidecar::True) => {
            match restart_policy {
                "Always" => &[Role::Both],
                _ => &[Role::Init, Role::Sidecar],
            }
        }
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

    pub(crate) fn command(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Both | Self::Sidecar | Self::Beside => "refresh",
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

    pub(crate) fn is_native_sidecar(self) -> bool {
        matches!(self, Self::Both | Self::Sidecar)
    }
}

#[cfg(test)]
mod tests {
    use plan::{OnRevoked, Refresh};

    use super::*;

    #[test]
    fn a_sidecar_does_both_jobs_where_it_may_restart() {
        let refresh = &Mode::Refresh(Refresh::new(300, None, OnRevoked::Keep).unwrap());
        let apart: &[_] = &[Role::Init, Role::Sidecar];
        for (mode, native, restart_policy, expected) in [
            (&Mode::Init, NativeSidecar::Auto, "Always", &[Role::Init][..]),
            (refresh, NativeSidecar::Auto, "Always", &[Role::Both]),
            (refresh, NativeSidecar::True, "Always", &[Role::Both]),
            (refresh, NativeSidecar::Auto, "OnFailure", apart),
            (refresh, NativeSidecar::True, "Never", apart),
            (refresh, NativeSidecar::False, "Always", &[Role::Init, Role::Beside]),
        ] {
            assert_eq!(roles(mode, native, restart_policy), expected);
        }
    }
}
