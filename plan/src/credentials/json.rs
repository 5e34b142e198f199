//! How credentials stand in the plan: all kinds are one object, and each has fields of its own.

use serde::{Deserialize, Serialize};

use super::kinds::RoleNamer;
use super::names::{RamRoleName, SecretName};
use crate::cloud::{Host, ProviderArn, Region, RoleArn, SessionName};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CredentialsJson {
    pub(super) kind: CredentialsWord,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<RoleArn>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) named_by: Option<RoleNamer>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) provider: Option<ProviderArn>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) role_name: Option<RamRoleName>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) metadata_v1: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) secret: Option<SecretName>,
    pub(super) session: SessionName,
    pub(super) duration: u32,
    pub(super) region: Region,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) endpoint: Option<Host>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum CredentialsWord {
    Rrsa,
    EcsRamRole,
    Secret,
}
