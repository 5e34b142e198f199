//! What a Pod proves its identity in the cloud with: what that needs of the Pod, and as whom it acts.

mod error;
mod json;
mod kinds;
mod names;
mod place;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

pub use self::error::InvalidCredentials;
use self::json::{CredentialsJson, CredentialsWord};
pub use self::kinds::{EcsRamRole, RoleNamer, RoleSession, Rrsa, SecretCredentials};
pub use self::names::{RamRoleName, SecretName, is_subdomain};
pub use self::place::{
    CREDENTIALS_PLACES, CredentialsContent, CredentialsPlace, CredentialsVolume, KEYS_DIRECTORY,
    TOKEN_DIRECTORY, TOKEN_FILE,
};
use self::place::{KEYS, TOKEN};
use crate::cloud::RoleArn;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "CredentialsJson", into = "CredentialsJson")]
pub enum Credentials {
    Rrsa(Rrsa),
    EcsRamRole(EcsRamRole),
    Secret(SecretCredentials),
}

/// As whom something is asked for in the cloud, as far as a plan says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Principal<'c> {
    Role(&'c RoleArn),
    /// The role of the node's instance, of whatever account.
    EcsRamRole(Option<&'c RamRoleName>),
    /// The user or role that a Secret names.
    Secret(&'c SecretName),
}

impl Credentials {
    #[must_use]
    pub fn principal(&self) -> Principal<'_> {
        match self {
            Self::Rrsa(rrsa) => Principal::Role(&rrsa.role),
            Self::EcsRamRole(role) => Principal::EcsRamRole(role.name.as_ref()),
            Self::Secret(keys) => Principal::Secret(&keys.secret),
        }
    }

    /// How STS is asked for a role that is assumed with them.
    #[must_use]
    pub fn sts(&self) -> &RoleSession {
        match self {
            Self::Rrsa(Rrsa { sts, .. })
            | Self::EcsRamRole(EcsRamRole { sts, .. })
            | Self::Secret(SecretCredentials { sts, .. }) => sts,
        }
    }

    /// For who knows that they are these.
    #[must_use]
    pub fn as_rrsa(&self) -> Option<&Rrsa> {
        match self {
            Self::Rrsa(rrsa) => Some(rrsa),
            Self::EcsRamRole(_) | Self::Secret(_) => None,
        }
    }

    /// What they need of the Pod. A token is among it for all kinds: without one at its place Kubernetes
    /// would put a token of its own API there, and a Secret may name a role instead of keys.
    #[must_use]
    pub fn volumes(&self) -> Vec<CredentialsVolume<'_>> {
        let (audience, file) = ("sts.aliyuncs.com", TOKEN_FILE);
        let content = CredentialsContent::ServiceAccountToken { audience, file };
        let token = CredentialsVolume { place: TOKEN, content };
        match self {
            Self::Rrsa(_) | Self::EcsRamRole(_) => vec![token],
            Self::Secret(keys) => {
                let content = CredentialsContent::Secret { name: keys.secret.as_str() };
                vec![token, CredentialsVolume { place: KEYS, content }]
            }
        }
    }
}

impl<'c> Principal<'c> {
    /// The ARN of a role, or what stands for one where nothing is known of it: `ecs-ram-role`,
    /// `ecs-ram-role/NAME`, `secret/NAME`.
    #[must_use]
    pub fn text(self) -> Cow<'c, str> {
        match self {
            Self::Role(role) => role.as_str().into(),
            Self::EcsRamRole(None) => "ecs-ram-role".into(),
            Self::EcsRamRole(Some(name)) => format!("ecs-ram-role/{name}").into(),
            Self::Secret(name) => format!("secret/{name}").into(),
        }
    }

    /// The account that it belongs to, where that is known.
    #[must_use]
    pub fn account(self) -> Option<&'c str> {
        match self {
            Self::Role(role) => Some(role.account()),
            Self::EcsRamRole(_) | Self::Secret(_) => None,
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

impl TryFrom<CredentialsJson> for Credentials {
    type Error = InvalidCredentials;

    fn try_from(json: CredentialsJson) -> Result<Self, Self::Error> {
        let CredentialsJson { session, duration, region, endpoint, .. } = json;
        let sts = RoleSession { session, duration, region, endpoint };
        let CredentialsJson {
            kind, role, named_by, provider, role_name, metadata_v1, secret, ..
        } = json;
        match (kind, (role, named_by, provider), (role_name, metadata_v1), secret) {
            (
                CredentialsWord::Rrsa,
                (Some(role), named_by, Some(provider)),
                (None, false),
                None,
            ) => {
                let named_by = named_by.unwrap_or_default();
                Ok(Self::Rrsa(Rrsa { role, named_by, provider, sts }))
            }
            (CredentialsWord::EcsRamRole, (None, None, None), (name, metadata_v1), None) => {
                Ok(Self::EcsRamRole(EcsRamRole { name, metadata_v1, sts }))
            }
            (CredentialsWord::Secret, (None, None, None), (None, false), Some(secret)) => {
                Ok(Self::Secret(SecretCredentials { secret, sts }))
            }
            (CredentialsWord::Rrsa, ..) => Err(InvalidCredentials::Fields("rrsa")),
            (CredentialsWord::EcsRamRole, ..) => Err(InvalidCredentials::Fields("ecs-ram-role")),
            (CredentialsWord::Secret, ..) => Err(InvalidCredentials::Fields("secret")),
        }
    }
}

impl From<Credentials> for CredentialsJson {
    fn from(credentials: Credentials) -> Self {
        let RoleSession { session, duration, region, endpoint } = credentials.sts().clone();
        let json = |kind| Self {
            kind,
            role: None,
            named_by: None,
            provider: None,
            role_name: None,
            metadata_v1: false,
            secret: None,
            session,
            duration,
            region,
            endpoint,
        };
        match credentials {
            Credentials::Rrsa(Rrsa { role, named_by, provider, .. }) => Self {
                role: Some(role),
                named_by: Some(named_by),
                provider: Some(provider),
                ..json(CredentialsWord::Rrsa)
            },
            Credentials::EcsRamRole(EcsRamRole { name, metadata_v1, .. }) => {
                Self { role_name: name, metadata_v1, ..json(CredentialsWord::EcsRamRole) }
            }
            Credentials::Secret(SecretCredentials { secret, .. }) => {
                Self { secret: Some(secret), ..json(CredentialsWord::Secret) }
            }
        }
    }
}
