//! The RAM role of the node's instance: its metadata service gives credentials to whoever asks.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::time::Instant;

use super::sts_session::StsSession;
use crate::call_info::CallInfo;
use crate::error::Error;
use crate::keys::Credentials;
use crate::metadata::MetadataService;
use crate::sender::Sender;
use crate::sts::Sts;

/// The service has this address on every node, and no name.
pub const METADATA_ADDRESS: Ipv4Addr = Ipv4Addr::new(100, 100, 100, 200);

pub struct EcsRamRoleProvider {
    role: Option<String>,
    sts: StsSession,
    service: MetadataService,
}

/// Which role is asked for, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EcsRamRoleConfig {
    /// The service says which one it is where there is none here.
    pub role: Option<String>,
    /// Whether the service may be asked without a token where it gives none.
    pub allow_v1: bool,
    /// Another address to dial, for tests and local runs.
    pub dial: Option<SocketAddr>,
}

impl EcsRamRoleProvider {
    #[must_use]
    pub fn new(config: EcsRamRoleConfig, sts: StsSession) -> Self {
        let EcsRamRoleConfig { role, allow_v1, dial } = config;
        let address = dial.unwrap_or(SocketAddr::from((METADATA_ADDRESS, 80)));
        Self { role, sts, service: MetadataService::new(address, allow_v1) }
    }

    pub(crate) async fn credentials(
        &self,
        sender: &Sender,
        until: Instant,
    ) -> Result<Credentials, Error> {
        let attempt = || self.service.credentials(self.role.as_deref(), sender.now(), until);
        sender.persist(self.call_info(), until, attempt).await
    }

    pub(crate) fn call_info(&self) -> CallInfo {
        CallInfo::of_metadata(&METADATA_ADDRESS.to_string(), self.role.as_deref())
    }

    pub(crate) fn sts(&self) -> Sts<'_> {
        self.sts.sts()
    }
}
