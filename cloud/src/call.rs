//! A question to one service: who is asked for what, and the request that says so.

use secret::Sensitive;

use crate::call_info::CallInfo;
use crate::cause::Cause;
use crate::credentials::Credentials;
use crate::judge::Unread;
use crate::kms;
use crate::lookup::{AssumedRole, Lookup, Subject};
use crate::oos::{self, Kind};
use crate::session::Identity;
use crate::sign::{self, Stamp};
use crate::sts::{self, Token};
use crate::transport::Request;
use crate::untold::Untold;
use crate::value::Value;

pub(crate) enum Call<'a> {
    /// The token for credentials.
    Exchange {
        identity: &'a Identity,
        token: &'a Token,
    },
    /// Credentials for those of another role.
    Assume {
        identity: &'a Identity,
        role: &'a AssumedRole,
        with: &'a Credentials,
    },
    Fetch {
        lookup: &'a Lookup,
        with: &'a Credentials,
    },
}

impl Call<'_> {
    pub(crate) fn info(&self) -> CallInfo {
        match self {
            Self::Exchange { identity, .. } => exchange_info(identity),
            Self::Assume { identity, role, .. } => assume_info(identity, role),
            Self::Fetch { lookup, .. } => fetch_info(lookup),
        }
    }

    /// Empty where nobody is known yet.
    pub(crate) fn caller(&self) -> &str {
        match self {
            Self::Exchange { .. } => "",
            Self::Assume { with, .. } | Self::Fetch { with, .. } => with.caller(),
        }
    }

    pub(crate) fn untold(&self) -> Untold {
        // Credentials say whose they are.
        let Self::Fetch { lookup, .. } = self else { return Untold::default() };
        let (action, place, version) = match &lookup.subject {
            // Asked by ARN, the service may answer with the name alone.
            Subject::KmsSecret { name, .. } => {
                let place = name.split_once(":secret/").map_or("", |(place, _)| place);
                (kms::GET_SECRET_VALUE.action, place, None)
            }
            Subject::OosSecretParameter { region, version, .. } => {
                (oos::GET_SECRET_PARAMETER.action, region.as_str(), *version)
            }
            Subject::OosParameter { region, .. } => {
                (oos::GET_PARAMETER.action, region.as_str(), None)
            }
        };
        Untold { action, caller: self.caller().to_owned(), place: place.to_owned(), version }
    }

    pub(crate) fn request(&self, stamp: &Stamp) -> Result<Request, Cause> {
        match self {
            Self::Exchange { identity, token } => Ok(sts::with_oidc(identity, token, stamp)),
            Self::Assume { identity, role, with } => {
                // A chained role's session is limited to an hour, whatever the role allows.
                let duration = identity.duration.min(3600).to_string();
                let mut parameters = vec![
                    ("DurationSeconds", duration.as_str()),
                    ("RoleArn", &role.role_arn),
                    ("RoleSessionName", &identity.session_name),
                ];
                parameters.extend(role.external_id.as_deref().map(|id| ("ExternalId", id)));
                sign::request(sts::ASSUME_ROLE, &identity.sts_endpoint, &parameters, with, stamp)
            }
            Self::Fetch { lookup, with } => {
                let version;
                let (api, parameters) = match &lookup.subject {
                    Subject::KmsSecret { name, version_id, version_stage } => (
                        kms::GET_SECRET_VALUE,
                        kms::parameters(name, version_id.as_deref(), version_stage.as_deref()),
                    ),
                    Subject::OosSecretParameter { name, version: number, region } => {
                        version = number.map(|number| number.to_string());
                        (
                            oos::GET_SECRET_PARAMETER,
                            oos::secret_parameters(name, version.as_deref(), region),
                        )
                    }
                    Subject::OosParameter { name, region } => {
                        (oos::GET_PARAMETER, oos::plain_parameters(name, region))
                    }
                };
                sign::request(api, &lookup.endpoint, &parameters, with, stamp)
            }
        }
    }

    /// What the request holds that no answer may repeat.
    pub(crate) fn secrets(&self) -> Vec<&Sensitive> {
        match self {
            Self::Exchange { token, .. } => vec![token.as_sensitive()],
            Self::Assume { with, .. } | Self::Fetch { with, .. } => {
                vec![with.secret(), with.token()]
            }
        }
    }
}

pub(crate) fn exchange_info(identity: &Identity) -> CallInfo {
    CallInfo {
        operation: "STS AssumeRoleWithOIDC",
        host: identity.sts_endpoint.clone(),
        subject: identity.role_arn.clone(),
        identity: true,
    }
}

pub(crate) fn assume_info(identity: &Identity, role: &AssumedRole) -> CallInfo {
    CallInfo {
        operation: "STS AssumeRole",
        host: identity.sts_endpoint.clone(),
        subject: role.role_arn.clone(),
        identity: true,
    }
}

pub(crate) fn fetch_info(lookup: &Lookup) -> CallInfo {
    CallInfo {
        operation: match lookup.subject {
            Subject::KmsSecret { .. } => "KMS GetSecretValue",
            Subject::OosSecretParameter { .. } => "OOS GetSecretParameter",
            Subject::OosParameter { .. } => "OOS GetParameter",
        },
        host: lookup.endpoint.clone(),
        subject: lookup.subject.name().to_owned(),
        identity: false,
    }
}

/// The value in the answer to a fetch, if it is the answer to this one.
pub(crate) fn read(subject: &Subject, body: &[u8]) -> Result<Value, Unread> {
    match subject {
        Subject::KmsSecret { name, version_id, version_stage } => {
            kms::read(body, name, (version_id.as_deref(), version_stage.as_deref()))
        }
        Subject::OosSecretParameter { name, version, .. } => {
            oos::read(body, Kind::Secret, name, *version)
        }
        Subject::OosParameter { name, .. } => oos::read(body, Kind::Plain, name, None),
    }
}
