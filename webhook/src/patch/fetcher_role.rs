//! Containers of ours: what each is called, where it stands and what it does.

use plan::{FetcherCommand, Mode};

use crate::pod::List;
use plan::contract::{INIT_CONTAINER, SIDECAR};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FetcherRole {
    /// Fetches before everything behind it, and ends.
    Init,
    /// A native sidecar that fetches, holds back everything behind it until then, and stays.
    Both,
    /// A native sidecar that continues from what the init container wrote.
    Sidecar,
    /// The same as an ordinary container, beside those of the application.
    Beside,
}

impl FetcherRole {
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
