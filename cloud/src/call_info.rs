//! Which call a request or an error is about, in words.

use secret::Failure;

use crate::cause::{Cause, FailedAttempt};
use crate::error_code::ECS_METADATA;
use crate::lookup::{Lookup, Subject};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CallInfo {
    /// Product and API, for instance `KMS GetSecretValue`.
    pub(crate) operation: &'static str,
    pub(crate) host: String,
    /// The secret, parameter or role.
    pub(crate) subject: String,
    /// The call makes credentials: a refusal is about the identity, whatever its code.
    pub(crate) identity: bool,
}

impl CallInfo {
    pub(crate) fn of_fetch(lookup: &Lookup) -> Self {
        Self {
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

    pub(crate) fn of_exchange(endpoint: &str, role_arn: &str) -> Self {
        Self::of_sts("STS AssumeRoleWithOIDC", endpoint, role_arn)
    }

    pub(crate) fn of_assume(endpoint: &str, role_arn: &str) -> Self {
        Self::of_sts("STS AssumeRole", endpoint, role_arn)
    }

    /// Keys that are there, or are not.
    pub(crate) fn of_keys(place: &str, name: &str) -> Self {
        Self::of_sts("access keys", place, name)
    }

    pub(crate) fn of_metadata(address: &str, role: Option<&str>) -> Self {
        Self::of_sts(ECS_METADATA, address, role.unwrap_or("the role of the instance"))
    }

    fn of_sts(operation: &'static str, endpoint: &str, role_arn: &str) -> Self {
        let (host, subject) = (endpoint.to_owned(), role_arn.to_owned());
        Self { operation, host, subject, identity: true }
    }

    pub(crate) fn failure(&self, failed: &FailedAttempt) -> Failure {
        let failure = failed.failure();
        let about_us = matches!(failure, Failure::Denied | Failure::NotFound | Failure::Refused);
        if self.identity && about_us && matches!(failed.cause, Cause::Refused(_)) {
            return Failure::Identity;
        }
        failure
    }
}
