//! What an emulated cloud contains at start, as it is written in a seed file. Raw input: `state`
//! turns it into what the services read.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

use super::hidden::Hidden;
use super::jwt::KeySet;

/// The seed of `examples/cloud.json`.
const DEMO: &str = include_str!("../../../examples/cloud.json");

#[derive(Debug, thiserror::Error)]
#[error("reading the seed: {class:?} error at line {line}, column {column}")]
pub struct SeedError {
    class: serde_json::error::Category,
    line: usize,
    column: usize,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Seed {
    /// Where hosts that name no region (`sts.aliyuncs.com`, `localhost`) lie, and what has no region
    /// of its own in the seed.
    pub region: String,
    #[serde(default)]
    pub accounts: Vec<AccountSeed>,
    /// Dedicated KMS gateways: instance id to region. An id that is not here lies in `region`.
    #[serde(default)]
    pub gateways: BTreeMap<String, String>,
    /// The node, which has a metadata service.
    #[serde(default)]
    pub instance: Option<InstanceSeed>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccountSeed {
    pub id: String,
    #[serde(default)]
    pub providers: Vec<ProviderSeed>,
    #[serde(default)]
    pub users: Vec<UserSeed>,
    #[serde(default)]
    pub roles: Vec<RoleSeed>,
    #[serde(default)]
    pub secrets: Vec<SecretSeed>,
    #[serde(default)]
    pub parameters: Vec<ParameterSeed>,
}

/// An OIDC provider `acs:ram::ACCOUNT:oidc-provider/NAME`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProviderSeed {
    pub name: String,
    pub issuer: String,
    #[serde(default = "sts_audience")]
    pub client_ids: Vec<String>,
    /// Without keys the emulator's own issuer is trusted.
    #[serde(default)]
    pub keys: Option<KeySet>,
}

/// A RAM user with one static access key.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UserSeed {
    pub name: String,
    pub access_key_id: String,
    pub access_key_secret: Hidden,
    #[serde(default)]
    pub permissions: Vec<Permission>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RoleSeed {
    pub name: String,
    #[serde(default = "default_session")]
    pub max_session_seconds: u32,
    #[serde(default)]
    pub trust: Trust,
    #[serde(default)]
    pub permissions: Vec<Permission>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Trust {
    #[serde(default)]
    pub oidc: Vec<OidcTrust>,
    #[serde(default)]
    pub callers: Vec<CallerTrust>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OidcTrust {
    /// Name of a provider of the same account.
    pub provider: String,
    /// `system:serviceaccount:NAMESPACE:NAME`, with `*` and `?`.
    pub subjects: Vec<String>,
    #[serde(default = "sts_audience")]
    pub audiences: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CallerTrust {
    /// `acs:ram::ACCOUNT:root` (everyone in the account), `…:role/NAME` or `…:user/NAME`.
    pub principals: Vec<String>,
    #[serde(default)]
    pub external_id: Option<String>,
}

/// What a RAM policy allows; both lists take `*` and `?`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Permission {
    pub actions: Vec<String>,
    pub resources: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum SecretKind {
    #[default]
    Generic,
    Rds,
    Redis,
    RAMCredentials,
    ECS,
    PolarDB,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretState {
    #[default]
    Active,
    /// Its key is disabled.
    KeyDisabled,
    /// Its key is scheduled for deletion.
    KeyPendingDeletion,
    /// The secret itself is scheduled for deletion.
    DeleteWindow,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretSeed {
    pub name: String,
    #[serde(default)]
    pub region: Option<String>,
    #[serde(default, rename = "type")]
    pub kind: SecretKind,
    #[serde(default)]
    pub state: SecretState,
    /// Oldest first; the last is `ACSCurrent`, the one before it `ACSPrevious`.
    pub versions: Vec<VersionSeed>,
    #[serde(default)]
    pub extended_config: Option<Value>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VersionSeed {
    #[serde(default)]
    pub id: Option<String>,
    /// Stages beside `ACSCurrent` and `ACSPrevious`.
    #[serde(default)]
    pub stages: Vec<String>,
    #[serde(default)]
    pub text: Option<Hidden>,
    /// Base64.
    #[serde(default)]
    pub binary: Option<Hidden>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum ParameterKind {
    #[default]
    Secret,
    String,
    StringList,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ParameterSeed {
    pub name: String,
    #[serde(default)]
    pub region: Option<String>,
    #[serde(default, rename = "type")]
    pub kind: ParameterKind,
    /// Versions 1, 2, …
    pub values: Vec<Hidden>,
}

/// The instance that the node is.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InstanceSeed {
    pub account: String,
    /// Name of a role of the account.
    pub role: String,
    #[serde(default)]
    pub tokens: MetadataTokens,
}

/// Whether requests need a token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MetadataTokens {
    #[default]
    Optional,
    Required,
    /// The service is of before there were tokens.
    None,
}

impl Seed {
    /// Two accounts with a few secrets: what the demo and most tests run against.
    pub fn demo() -> Result<Self, SeedError> {
        Self::from_json(DEMO.as_bytes())
    }

    /// The error names a place only: the text around it may be a secret.
    pub fn from_json(bytes: &[u8]) -> Result<Self, SeedError> {
        serde_json::from_slice(bytes).map_err(|error| SeedError {
            class: error.classify(),
            line: error.line(),
            column: error.column(),
        })
    }
}

impl SecretSeed {
    pub fn text(name: &str, value: &str) -> Self {
        Self { name: name.to_owned(), versions: vec![VersionSeed::text(value)], ..Self::default() }
    }

    pub fn binary(name: &str, value: &[u8]) -> Self {
        Self {
            name: name.to_owned(),
            versions: vec![VersionSeed::binary(value)],
            ..Self::default()
        }
    }

    #[must_use]
    pub fn of_kind(mut self, kind: SecretKind) -> Self {
        self.kind = kind;
        self
    }

    #[must_use]
    pub fn in_state(mut self, state: SecretState) -> Self {
        self.state = state;
        self
    }

    #[must_use]
    pub fn in_region(mut self, region: &str) -> Self {
        self.region = Some(region.to_owned());
        self
    }
}

impl VersionSeed {
    pub fn text(value: &str) -> Self {
        Self { text: Some(value.into()), ..Self::default() }
    }

    pub fn binary(value: &[u8]) -> Self {
        Self { binary: Some(STANDARD.encode(value).into()), ..Self::default() }
    }
}

impl ParameterSeed {
    pub fn new(kind: ParameterKind, name: &str, value: &str) -> Self {
        Self { name: name.to_owned(), region: None, kind, values: vec![value.into()] }
    }
}

fn sts_audience() -> Vec<String> {
    vec!["sts.aliyuncs.com".to_owned()]
}

fn default_session() -> u32 {
    3600
}
