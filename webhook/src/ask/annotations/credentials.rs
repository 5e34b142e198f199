//! The annotation `credentials`: which of them a Pod asks for.

use plan::{RamRoleName, SecretName};

use super::bad::Bad;
use crate::settings::policy::CredentialsKind;
use crate::text::quoted;

/// The kind, with what it is called in the Pod's own words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum RequestedCredentials {
    #[default]
    Rrsa,
    /// The instance may say which role it has.
    EcsRamRole(Option<RamRoleName>),
    Secret(SecretName),
}

/// The form of the value, as the documents have it.
pub(super) const FORM: &str = "`rrsa`, `ecs-ram-role`, `ecs-ram-role=NAME` or `secret=NAME`";

impl RequestedCredentials {
    pub(super) fn parse(value: &str) -> Result<Self, Bad> {
        let (word, name) = match value.split_once('=') {
            Some((word, name)) => (word.trim_end(), Some(name.trim_start())),
            None => (value, None),
        };
        let remedy = || "write rrsa, ecs-ram-role, ecs-ram-role=NAME or secret=NAME".to_owned();
        match (CredentialsKind::parse(word), name) {
            (Some(CredentialsKind::Rrsa), None) => Ok(Self::Rrsa),
            (Some(CredentialsKind::EcsRamRole), None) => Ok(Self::EcsRamRole(None)),
            (Some(CredentialsKind::EcsRamRole), Some(name)) => RamRoleName::parse(name)
                .map(|name| Self::EcsRamRole(Some(name)))
                .map_err(|error| (error.to_string(), "name the role that the node has".to_owned())),
            (Some(CredentialsKind::Secret), Some(name)) => SecretName::parse(name)
                .map(Self::Secret)
                .map_err(|error| (error.to_string(), IN_NAMESPACE.to_owned())),
            (Some(CredentialsKind::Secret), None) => {
                Err(("it names no Secret".to_owned(), IN_NAMESPACE.to_owned()))
            }
            (Some(CredentialsKind::Rrsa), Some(_)) => Err((
                "rrsa has no name behind it".to_owned(),
                "write rrsa alone; kms.alibabacloud/role-arn names a role".to_owned(),
            )),
            (None, _) => Err((format!("{} is no kind of credentials", quoted(value)), remedy())),
        }
    }

    /// What the policy calls them.
    pub(crate) fn kind(&self) -> CredentialsKind {
        match self {
            Self::Rrsa => CredentialsKind::Rrsa,
            Self::EcsRamRole(_) => CredentialsKind::EcsRamRole,
            Self::Secret(_) => CredentialsKind::Secret,
        }
    }
}

const IN_NAMESPACE: &str = "write secret=NAME with a Secret of the Pod's namespace";
