//! Where the credentials of a process come from. Each kind is a file of its own below.
//!
//! A kind gets a sender, and need not use it: what is not spoken over HTTPS, as a metadata service is
//! not, brings a transport of its own, so that the one of all services has no exception.

mod rrsa;

use tokio::time::Instant;

pub use self::rrsa::{RrsaProvider, RrsaRole};
use crate::call_info::CallInfo;
use crate::error::Error;
use crate::keys::Credentials;
use crate::sender::Sender;
use crate::sts::Sts;

pub enum CredentialsProvider {
    /// The Pod's ServiceAccount token is exchanged for those of a RAM role.
    Rrsa(RrsaProvider),
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
        }
    }

    /// What an error is about that comes before anything was sent.
    pub(crate) fn call_info(&self) -> CallInfo {
        match self {
            Self::Rrsa(rrsa) => rrsa.call_info(),
        }
    }

    pub(crate) fn sts(&self) -> Sts<'_> {
        match self {
            Self::Rrsa(rrsa) => rrsa.sts(),
        }
    }
}
