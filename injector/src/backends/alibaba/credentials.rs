//! The Pod's own credentials, each kind in a file below: what they need of this container,
//! how the client gets them, and what a person can check where they are not accepted.

pub(super) mod rrsa;
mod service_account_token;

use cloud::provider::CredentialsProvider;
use cloud::{Diagnosis, Network};
use plan::Credentials;

use self::rrsa::Rrsa;
use crate::input::args::Args;
use crate::report::problem::Problem;

pub(super) enum PodCredentials {
    Rrsa(Rrsa),
}

impl PodCredentials {
    /// Reads what is needed of this container before anything is sent.
    pub(super) fn read(args: &Args, credentials: &Credentials) -> Result<Self, Problem> {
        match credentials {
            Credentials::Rrsa(rrsa) => Rrsa::read(rrsa, args.token()).map(Self::Rrsa),
        }
    }

    pub(super) fn provider(&self, network: Network) -> CredentialsProvider {
        match self {
            Self::Rrsa(rrsa) => rrsa.provider(network),
        }
    }

    /// As whom they act.
    pub(super) fn principal(&self) -> &str {
        match self {
            Self::Rrsa(rrsa) => rrsa.role(),
        }
    }

    /// How the audit log of the cloud calls this process, where it acts as `role`.
    pub(super) fn caller(&self, role: &str) -> String {
        match self {
            Self::Rrsa(rrsa) => rrsa.caller(role),
        }
    }

    /// What to check where the cloud gives none for what this container has.
    pub(super) fn not_given(&self, diagnosis: Diagnosis) -> String {
        match self {
            Self::Rrsa(rrsa) => rrsa.not_given(diagnosis),
        }
    }

    /// What to check where a service does not accept them.
    pub(super) fn not_accepted(&self) -> String {
        match self {
            Self::Rrsa(rrsa) => rrsa.not_accepted(),
        }
    }

    /// What to check where what this container has would not do, and nothing was sent.
    pub(super) fn unusable(&self) -> String {
        match self {
            Self::Rrsa(rrsa) => rrsa.no_token(),
        }
    }
}
