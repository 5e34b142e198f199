//! What a Pod proves its identity in the cloud with: what that needs of the Pod, and as whom it acts.

use serde::{Deserialize, Serialize};

use crate::cloud::{Host, ProviderArn, Region, RoleArn, SessionName};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Rrsa", into = "Rrsa")]
pub enum Credentials {
    Rrsa(Rrsa),
}

/// The token of the Pod's ServiceAccount is exchanged for those of a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rrsa {
    pub role: RoleArn,
    pub provider: ProviderArn,
    pub session: SessionName,
    /// Seconds that the credentials live.
    pub duration: u32,
    /// The region whose STS is asked where no endpoint is named.
    pub region: Region,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Host>,
}

/// As whom something is asked for in the cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Principal<'c> {
    Role(&'c RoleArn),
}

/// A volume that credentials need, mounted read-only in our containers and in no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CredentialsVolume<'c> {
    pub place: CredentialsPlace,
    pub content: CredentialsContent<'c>,
}

/// Where credentials of some kind lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CredentialsPlace {
    pub volume: &'static str,
    pub directory: &'static str,
    /// What lies there, for people.
    pub holds: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialsContent<'c> {
    /// A token for this audience, which the kubelet writes and renews.
    ServiceAccountToken { audience: &'c str, file: &'c str },
}

/// Kubernetes adds its own API token to a container that has nothing mounted here.
pub const TOKEN_DIRECTORY: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
pub const TOKEN_FILE: &str = "token";

const TOKEN: CredentialsPlace = CredentialsPlace {
    volume: "kms-rrsa-token",
    directory: TOKEN_DIRECTORY,
    holds: "the token with which secrets are fetched",
};

/// The places of all kinds: the volumes are ours in every Pod, whatever its own credentials are.
pub const CREDENTIALS_PLACES: [CredentialsPlace; 1] = [TOKEN];

impl Credentials {
    #[must_use]
    pub fn principal(&self) -> Principal<'_> {
        match self {
            Self::Rrsa(rrsa) => Principal::Role(&rrsa.role),
        }
    }

    /// For who knows that they are these.
    #[must_use]
    pub fn as_rrsa(&self) -> Option<&Rrsa> {
        match self {
            Self::Rrsa(rrsa) => Some(rrsa),
        }
    }

    /// What they need of the Pod.
    #[must_use]
    pub fn volumes(&self) -> Vec<CredentialsVolume<'_>> {
        match self {
            Self::Rrsa(_) => {
                let (audience, file) = ("sts.aliyuncs.com", TOKEN_FILE);
                let content = CredentialsContent::ServiceAccountToken { audience, file };
                vec![CredentialsVolume { place: TOKEN, content }]
            }
        }
    }
}

impl<'c> Principal<'c> {
    #[must_use]
    pub fn as_str(self) -> &'c str {
        match self {
            Self::Role(role) => role.as_str(),
        }
    }

    /// The account that it belongs to.
    #[must_use]
    pub fn account(self) -> &'c str {
        match self {
            Self::Role(role) => role.account(),
        }
    }
}

impl From<Rrsa> for Credentials {
    fn from(rrsa: Rrsa) -> Self {
        Self::Rrsa(rrsa)
    }
}

impl From<Rrsa> for Option<Credentials> {
    fn from(rrsa: Rrsa) -> Self {
        Some(rrsa.into())
    }
}

/// How credentials stand in the plan.
impl From<Credentials> for Rrsa {
    fn from(credentials: Credentials) -> Self {
        match credentials {
            Credentials::Rrsa(rrsa) => rrsa,
        }
    }
}
