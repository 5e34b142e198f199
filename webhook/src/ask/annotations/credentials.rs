//! The annotation `credentials`: which of them a Pod asks for.

use super::bad::Bad;
use crate::settings::policy::CredentialsKind;
use crate::text::quoted;

/// Those that this version can use; the operator's policy knows more kinds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum RequestedCredentials {
    #[default]
    Rrsa,
}

/// The form of the value, as the documents have it.
pub(super) const FORM: &str = "`rrsa`";

impl RequestedCredentials {
    pub(super) fn parse(value: &str) -> Result<Self, Bad> {
        match CredentialsKind::parse(value) {
            Some(CredentialsKind::Rrsa) => Ok(Self::Rrsa),
            Some(CredentialsKind::EcsRamRole | CredentialsKind::Secret) | None => Err((
                format!("this version does not support the credentials {}", quoted(value)),
                "use rrsa, or remove the annotation".to_owned(),
            )),
        }
    }

    /// What the policy calls them.
    pub(crate) fn kind(&self) -> CredentialsKind {
        match self {
            Self::Rrsa => CredentialsKind::Rrsa,
        }
    }
}
