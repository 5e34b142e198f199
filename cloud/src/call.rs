//! A call of one service: who is asked for what, and the request that says so.

use secret::Sensitive;
use transport::Request;

use crate::batch::Batch;
use crate::call_info::CallInfo;
use crate::cause::Cause;
use crate::keys::Credentials;
use crate::kms;
use crate::lookup::{AssumedRole, Lookup, Subject};
use crate::oos::{self, ParameterKind};
use crate::pool_key::PoolKey;
use crate::response::{AnswerContent, ReadError};
use crate::sign::{self, Stamp};
use crate::sts;
pub(crate) use crate::sts::WithOidc;
use crate::value::Value;

pub(crate) enum Call<'a> {
    /// Credentials are asked for with a token.
    Exchange(WithOidc<'a>),
    /// Credentials of another role are asked for with credentials.
    Assume(AssumeRole<'a>),
    Fetch {
        lookup: &'a Lookup,
        with: &'a Credentials,
    },
    /// Several values are asked for at once.
    FetchSeveral {
        batch: &'a Batch<'a>,
        with: &'a Credentials,
    },
}

pub(crate) struct AssumeRole<'a> {
    pub(crate) endpoint: &'a str,
    pub(crate) role: &'a AssumedRole,
    pub(crate) session_name: &'a str,
    pub(crate) duration: u32,
    pub(crate) with: &'a Credentials,
}

impl Call<'_> {
    pub(crate) fn info(&self) -> CallInfo {
        match self {
            Self::Exchange(call) => CallInfo::of_exchange(call.endpoint, call.role_arn),
            Self::Assume(call) => CallInfo::of_assume(call.endpoint, &call.role.role_arn),
            Self::Fetch { lookup, .. } => CallInfo::of_fetch(lookup),
            Self::FetchSeveral { batch, .. } => batch.info(),
        }
    }

    /// Whether nobody says so where the host does not know the call, or does not answer it.
    pub(crate) fn may_be_unknown(&self) -> bool {
        matches!(self, Self::FetchSeveral { .. })
    }

    /// The caller is empty while the credentials that name it are still asked for.
    pub(crate) fn caller(&self) -> &str {
        match self {
            Self::Exchange(_) => "",
            Self::Assume(AssumeRole { with, .. })
            | Self::Fetch { with, .. }
            | Self::FetchSeveral { with, .. } => with.caller(),
        }
    }

    pub(crate) fn pool_key(&self) -> PoolKey {
        // An answer with credentials says whose they are.
        let lookup = match self {
            Self::Exchange(_) | Self::Assume(_) => return PoolKey::default(),
            Self::FetchSeveral { batch, .. } => return batch.pool_key(self.caller()),
            Self::Fetch { lookup, .. } => lookup,
        };
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
        PoolKey { action, caller: self.caller().to_owned(), place: place.to_owned(), version }
    }

    pub(crate) fn request(&self, stamp: &Stamp) -> Result<Request, Cause> {
        match self {
            Self::Exchange(call) => Ok(sts::with_oidc(call, stamp)),
            Self::Assume(AssumeRole { endpoint, role, session_name, duration, with }) => {
                let duration = duration.to_string();
                let mut parameters = vec![
                    ("DurationSeconds", duration.as_str()),
                    ("RoleArn", &role.role_arn),
                    ("RoleSessionName", session_name),
                ];
                parameters.extend(role.external_id.as_deref().map(|id| ("ExternalId", id)));
                sign::request(sts::ASSUME_ROLE, endpoint, &parameters, with, stamp)
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
            Self::FetchSeveral { batch, with } => batch.request(with, stamp),
        }
    }

    /// What the request holds that no answer may repeat.
    pub(crate) fn secrets(&self) -> Vec<&Sensitive> {
        match self {
            Self::Exchange(call) => vec![call.token.as_sensitive()],
            Self::Assume(AssumeRole { with, .. })
            | Self::Fetch { with, .. }
            | Self::FetchSeveral { with, .. } => with.secrets(),
        }
    }
}

impl Subject {
    /// The value in the body of a successful answer, if there is one; alone, for fuzzing.
    #[must_use]
    pub fn read(&self, answer: &[u8]) -> Option<Sensitive> {
        Some(read(self, answer).ok()?.bytes)
    }
}

/// The value in the answer to a fetch, if it is the answer to this one.
pub(crate) fn read(subject: &Subject, body: &[u8]) -> Result<Value, ReadError> {
    match subject {
        Subject::KmsSecret { name, version_id, version_stage } => {
            kms::read(body, name, (version_id.as_deref(), version_stage.as_deref()))
        }
        Subject::OosSecretParameter { name, version, .. } => {
            oos::read(body, ParameterKind::Secret, name, *version)
        }
        Subject::OosParameter { name, .. } => oos::read(body, ParameterKind::Plain, name, None),
    }
}
