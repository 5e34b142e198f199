//! The Pod's own credentials, each kind in a file below: what they need of this container,
//! how the client gets them, and what a person can check where they are not accepted.

mod ecs_ram_role;
mod key_files;
pub(super) mod rrsa;
mod secret_keys;
mod service_account_token;
mod sts_session;

use cloud::provider::CredentialsProvider;
use cloud::{Diagnosis, Network};
use plan::Credentials;

use self::ecs_ram_role::NodeRole;
use self::rrsa::Rrsa;
use self::secret_keys::SecretKeys;
use crate::input::args::Args;
use crate::report::problem::Problem;

pub(super) enum PodCredentials {
    Rrsa(Rrsa),
    NodeRole(NodeRole),
    SecretKeys(SecretKeys),
}

impl PodCredentials {
    /// Reads what is needed of this container before anything is sent.
    pub(super) fn read(args: &Args, credentials: &Credentials) -> Result<Self, Problem> {
        match credentials {
            Credentials::Rrsa(rrsa) => Rrsa::read(rrsa, args.token()).map(Self::Rrsa),
            Credentials::EcsRamRole(role) => Ok(Self::NodeRole(NodeRole::new(role, args))),
            Credentials::Secret(keys) => SecretKeys::read(keys, args).map(Self::SecretKeys),
        }
    }

    pub(super) fn provider(&self, network: Network) -> CredentialsProvider {
        match self {
            Self::Rrsa(rrsa) => rrsa.provider(network),
            Self::NodeRole(role) => role.provider(network),
            Self::SecretKeys(keys) => keys.provider(network),
        }
    }

    /// As whom they act.
    pub(super) fn principal(&self) -> &str {
        match self {
            Self::Rrsa(rrsa) => rrsa.role(),
            Self::NodeRole(role) => role.principal(),
            Self::SecretKeys(keys) => keys.principal(),
        }
    }

    /// How the audit log of the cloud calls this process, where it acts as `role`.
    pub(super) fn caller(&self, role: &str) -> String {
        match self {
            Self::Rrsa(rrsa) => rrsa.caller(role),
            Self::NodeRole(own) => own.caller(role),
            Self::SecretKeys(keys) => keys.caller(role),
        }
    }

    /// What to check where the cloud gives none for what this container has.
    pub(super) fn not_given(&self, diagnosis: Diagnosis) -> String {
        match self {
            Self::Rrsa(rrsa) => rrsa.not_given(diagnosis),
            Self::NodeRole(role) => role.not_given(),
            Self::SecretKeys(keys) => keys.not_given(diagnosis),
        }
    }

    /// What to check where a service does not accept them.
    pub(super) fn not_accepted(&self) -> String {
        match self {
            Self::Rrsa(rrsa) => rrsa.not_accepted(),
            Self::NodeRole(role) => role.not_accepted(),
            Self::SecretKeys(keys) => keys.not_accepted(),
        }
    }

    /// What to check where what this container has would not do, and nothing was sent.
    pub(super) fn unusable(&self) -> String {
        match self {
            Self::Rrsa(rrsa) => rrsa.no_token(),
            Self::NodeRole(role) => role.not_given(),
            Self::SecretKeys(keys) => keys.unusable(),
        }
    }
}
