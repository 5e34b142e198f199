//! The volumes that we add, as typed JSON.

use plan::contract::{AGENT_VOLUME, CA_FILE, CA_VOLUME, ENVIRONMENT_VOLUME, SECRETS_VOLUME};
use plan::{CredentialsContent, CredentialsVolume};
use serde::Serialize;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Volume<'a> {
    pub(crate) name: &'static str,
    #[serde(flatten)]
    kind: VolumeKind<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
enum VolumeKind<'a> {
    #[serde(rename_all = "camelCase")]
    EmptyDir {
        medium: &'static str,
        size_limit: String,
    },
    Projected {
        sources: [ProjectedSource<'a>; 1],
    },
    #[serde(rename_all = "camelCase")]
    Secret {
        secret_name: &'a str,
    },
    #[serde(rename_all = "camelCase")]
    ConfigMap {
        name: &'a str,
        items: [Item; 1],
    },
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ProjectedSource<'a> {
    service_account_token: Token<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Token<'a> {
    audience: &'a str,
    expiration_seconds: u32,
    path: &'a str,
}

#[derive(Debug, Serialize)]
struct Item {
    key: &'static str,
    path: &'static str,
}

impl Volume<'_> {
    /// The field in which the API server writes the mode of files that have none of their own.
    pub(super) fn field_of_modes(&self) -> Option<&'static str> {
        match self.kind {
            VolumeKind::EmptyDir { .. } => None,
            VolumeKind::Projected { .. } => Some("projected"),
            VolumeKind::Secret { .. } => Some("secret"),
            VolumeKind::ConfigMap { .. } => Some("configMap"),
        }
    }
}

/// The memory that files lie in.
pub(crate) fn secrets(size_limit: String) -> Volume<'static> {
    Volume { name: SECRETS_VOLUME, kind: VolumeKind::EmptyDir { medium: "Memory", size_limit } }
}

/// The memory that variables lie in, and the program that sets them.
pub(crate) fn environment(size_limit: String) -> Volume<'static> {
    Volume { name: ENVIRONMENT_VOLUME, kind: VolumeKind::EmptyDir { medium: "Memory", size_limit } }
}

/// The memory that the local agent's token lies in.
pub(crate) fn agent() -> Volume<'static> {
    let size_limit = "64Ki".to_owned();
    Volume { name: AGENT_VOLUME, kind: VolumeKind::EmptyDir { medium: "Memory", size_limit } }
}

/// What credentials need; a token of the Pod's own is there whether or not the application has one.
/// A Secret that does not exist keeps the Pod from starting, with an event of the kubelet that names it.
pub(crate) fn credentials(needed: CredentialsVolume<'_>, expiration_seconds: u32) -> Volume<'_> {
    let kind = match needed.content {
        CredentialsContent::ServiceAccountToken { audience, file } => {
            let service_account_token = Token { audience, expiration_seconds, path: file };
            VolumeKind::Projected { sources: [ProjectedSource { service_account_token }] }
        }
        CredentialsContent::Secret { name } => VolumeKind::Secret { secret_name: name },
    };
    Volume { name: needed.place.volume, kind }
}

/// The private CA of a dedicated KMS gateway.
pub(crate) fn ca(config_map: &str) -> Volume<'_> {
    let items = [Item { key: CA_FILE, path: CA_FILE }];
    Volume { name: CA_VOLUME, kind: VolumeKind::ConfigMap { name: config_map, items } }
}
