//! Where the credentials of a process come from. Each kind is a file of its own below.
//!
//! A kind gets a sender, and need not use it: what is not spoken over HTTPS, as a metadata service is
//! not, brings a transport of its own, so that the one of all services has no exception.

mod ecs_ram_role;
mod key_set;
mod rrsa;
mod sts_session;

use tokio::time::Instant;

pub use self::ecs_ram_role::{EcsRamRoleConfig, EcsRamRoleProvider, METADATA_ADDRESS};
pub use self::key_set::{AccessKey, KeyRole, KeySet, KeySetProvider, RoleTerms};
pub use self::rrsa::RrsaProvider;
pub use self::sts_session::{OidcRole, StsSession};
use crate::call_info::CallInfo;
use crate::error::Error;
use crate::keys::Credentials;
use crate::sender::Sender;
use crate::sts::Sts;

pub enum CredentialsProvider {
    /// The Pod's ServiceAccount token is exchanged for those of a RAM role.
    Rrsa(RrsaProvider),
    /// Keys are there already, or something that STS takes for them.
    KeySet(KeySetProvider),
    /// The metadata service of the node gives those of its instance.
    EcsRamRole(EcsRamRoleProvider),
}

impl CredentialsProvider {
    /// Gets new credentials, or the last real error when `until` is reached.
    pub(crate) async fn credentials(
        &self,
        sender: &Sender,
        until: Instant,
    ) -> Result<Credentials, Error> {
        match self {
            Self::Rrsa(rrsa) => rrsa.credentials(sender, until).await,
            Self::KeySet(keys) => keys.credentials(sender, until).await,
            Self::EcsRamRole(role) => role.credentials(sender, until).await,
        }
    }

    /// What an error is about that comes before anything was sent.
    pub(crate) fn call_info(&self) -> CallInfo {
        match self {
            Self::Rrsa(rrsa) => rrsa.call_info(),
            Self::KeySet(keys) => keys.call_info(),
            Self::EcsRamRole(role) => role.call_info(),
        }
    }

    pub(crate) fn sts(&self) -> Sts<'_> {
        match self {
            Self::Rrsa(rrsa) => rrsa.sts(),
            Self::KeySet(keys) => keys.sts(),
            Self::EcsRamRole(role) => role.sts(),
        }
    }

    /// What of the proof is there now. Credentials that were made of another one are over, however long
    /// they are good for.
    pub(crate) fn edition(&self) -> Option<String> {
        match self {
            Self::KeySet(keys) => keys.edition(),
            Self::Rrsa(_) | Self::EcsRamRole(_) => None,
        }
    }
}
