//! The kinds of credentials, each with what it is made of.

use serde::{Deserialize, Serialize};

use super::names::{RamRoleName, SecretName};
use crate::cloud::{Host, ProviderArn, Region, RoleArn, SessionName};

/// The token of the Pod's ServiceAccount is exchanged for those of a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rrsa {
    pub role: RoleArn,
    /// A wrong role is corrected where it is named.
    pub named_by: RoleNamer,
    pub provider: ProviderArn,
    pub sts: RoleSession,
}

/// Where the role of a Pod is from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RoleNamer {
    /// The Pod's own annotation.
    Pod,
    /// An annotation of its ServiceAccount, with the whole ARN.
    #[default]
    ServiceAccount,
    /// An annotation of its ServiceAccount, with the name of a role in the operator's account.
    RoleName,
}

/// The node's metadata service gives those of the role that its instance has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EcsRamRole {
    /// The service says which one it is where the Pod does not.
    pub name: Option<RamRoleName>,
    /// The service may be asked without a token where it gives none.
    pub metadata_v1: bool,
    pub sts: RoleSession,
}

/// They are made of what a Secret of the Pod's namespace holds: keys, a role, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretCredentials {
    pub secret: SecretName,
    pub sts: RoleSession,
}

/// How STS is asked for a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleSession {
    pub session: SessionName,
    /// Seconds that the role's credentials live.
    pub duration: u32,
    /// The region whose STS is asked where no endpoint is named.
    pub region: Region,
    pub endpoint: Option<Host>,
}
