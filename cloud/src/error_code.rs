//! What a service's error code means to us; no other file knows the codes. The code decides before
//! the status: throttling comes with 400 as well as 429, and one code comes with 400 or 404 depending
//! on the gateway.

use secret::Failure;

/// What a refusal is, and what helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Meaning {
    pub(crate) failure: Failure,
    pub(crate) remedy: Remedy,
}

/// What has to come before the same question may be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remedy {
    Nothing,
    /// Time, or a new signature.
    Retry,
    /// A date by the service's clock, which differs from ours.
    CorrectClock,
    /// Other credentials: these have expired, or nobody knows them.
    NewCredentials,
}

impl Meaning {
    /// There are too many requests; later it works.
    const THROTTLED: Self = Self::new(Failure::Throttled, Remedy::Retry);
    /// The service is not well; later it works.
    const UNAVAILABLE: Self = Self::new(Failure::Unreachable, Remedy::Retry);
    /// The nonce was seen before; a new signature works.
    const REPLAYED: Self = Self::new(Failure::Refused, Remedy::Retry);
    /// The clocks differ; a corrected date works.
    const SKEWED: Self = Self::new(Failure::Refused, Remedy::CorrectClock);
    /// The temporary credentials are over or unknown; new ones may work.
    const EXPIRED: Self = Self::new(Failure::Identity, Remedy::NewCredentials);
    /// The credentials or their signature are refused.
    const IDENTITY: Self = Self::new(Failure::Identity, Remedy::Nothing);
    const DENIED: Self = Self::new(Failure::Denied, Remedy::Nothing);
    const NOT_FOUND: Self = Self::new(Failure::NotFound, Remedy::Nothing);
    const REFUSED: Self = Self::new(Failure::Refused, Remedy::Nothing);

    const fn new(failure: Failure, remedy: Remedy) -> Self {
        Self { failure, remedy }
    }

    pub(crate) fn of(code: Option<&str>, message: Option<&str>, status: u16) -> Self {
        code.and_then(|code| Self::of_code(code, message)).unwrap_or(match status {
            429 => Self::THROTTLED,
            408 | 500.. => Self::UNAVAILABLE,
            401 | 403 => Self::DENIED,
            _ => Self::REFUSED,
        })
    }

    /// The meaning of a code that we know; `None` for any other.
    pub(crate) fn of_code(code: &str, message: Option<&str>) -> Option<Self> {
        let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| code.starts_with(prefix));
        Some(match code {
            "Rejected.Throttling" => Self::THROTTLED,
            "SignatureNonceUsed" => Self::REPLAYED,
            "InvalidTimeStamp.Expired" | "IllegalTimestamp" | "RequestTimeTooSkewed" => {
                Self::SKEWED
            }
            "InvalidAccessKeyId.NotFound" | "MissingSecurityToken" => Self::EXPIRED,
            // This was seen in the field for an expired token: the reason is in the message alone.
            "InvalidParameter" if message.is_some_and(|m| m.contains("SecurityToken.Expired")) => {
                Self::EXPIRED
            }
            "SignatureDoesNotMatch" | "IncompleteSignature" => Self::IDENTITY,
            "InvalidApi.NotFound" | "InvalidProduct.NotFound" => Self::REFUSED,
            _ if starts(&["Throttling"]) => Self::THROTTLED,
            // The documentation has the second spelling too.
            _ if starts(&["InternalError", "InternalFailure", "ServiceUnavailable"])
                || starts(&["SerivceUnavailable"]) =>
            {
                Self::UNAVAILABLE
            }
            _ if starts(&["InvalidSecurityToken"]) => Self::EXPIRED,
            _ if starts(&["InvalidAccessKeyId", "AuthenticationFail"]) => Self::IDENTITY,
            _ if starts(&["Forbidden.ResourceNotFound", "Forbidden.KeyNotFound"])
                || starts(&["EntityNotExist"]) =>
            {
                Self::NOT_FOUND
            }
            _ if starts(&["Forbidden", "NoPermission", "AccessDenied", "ImplicitDeny"]) => {
                Self::DENIED
            }
            _ => return None,
        })
    }
}

impl Remedy {
    /// Whether the same credentials may do.
    pub(crate) fn is_another_attempt(self) -> bool {
        matches!(self, Self::Retry | Self::CorrectClock)
    }
}

/// Whether it is a code of the services word for word. Others that begin like one of them can carry text.
pub(crate) fn is_documented(code: &str) -> bool {
    DOCUMENTED.contains(&code)
}

/// Whether a service that is well knows us and will not give the value any more.
pub(crate) fn is_revocation(failure: Failure, code: Option<&str>) -> bool {
    let is_one_of = |codes: &[&str]| code.is_some_and(|code| codes.contains(&code));
    match failure {
        // These are compared word for word: what is in between has words that begin alike, and so
        // has the service for accounts that owe it something.
        Failure::Denied => is_one_of(&["Forbidden.NoPermission", "Forbidden.RAM", "NoPermission"]),
        Failure::NotFound => {
            is_one_of(&["Forbidden.ResourceNotFound", "Forbidden.KeyNotFound"])
                || code.is_some_and(|code| MISSING.iter().any(|kind| code.starts_with(kind)))
        }
        // The secret or its key was disabled or is about to be deleted.
        Failure::Refused => is_one_of(&[
            "Rejected.Disabled",
            "Rejected.PendingDeletion",
            "Rejected.ResourceInDeleteWindow",
        ]),
        _ => false,
    }
}

/// What a refusal is about, as far as operation and code tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Diagnosis {
    /// The clocks of node and service differ.
    Clock,
    /// The credentials of whoever asked are not accepted, although STS gave them.
    Credentials,
    /// Our own credentials are not accepted, when another role was to be assumed with them.
    OwnCredentials,
    /// The other role may not be assumed.
    RoleChain,
    TokenExpired,
    TokenAudience,
    /// The token is no token.
    NoToken,
    NoRole,
    /// The OIDC provider does not know the issuer or the keys of the token.
    Provider,
    TrustPolicy,
    Disabled,
    Deleted,
    Other,
}

impl Diagnosis {
    #[must_use]
    pub fn of(failure: Failure, operation: &str, code: Option<&str>) -> Self {
        let code = code.unwrap_or_default();
        let has = |parts: &[&str]| parts.iter().any(|part| code.contains(part));
        let is_clock = has(&["TimeStamp", "Timestamp", "TimeTooSkewed"]);
        match failure {
            Failure::Identity if is_clock => Self::Clock,
            // Nobody has judged any credentials yet.
            Failure::Identity if operation == ECS_METADATA => Self::Other,
            Failure::Identity if operation.ends_with(" AssumeRole") => {
                match has(&["SecurityToken", "AccessKeyId", "Signature"]) {
                    true => Self::OwnCredentials,
                    false => Self::RoleChain,
                }
            }
            Failure::Identity if !operation.ends_with(" AssumeRoleWithOIDC") => Self::Credentials,
            Failure::Identity if has(&["Expired"]) => Self::TokenExpired,
            Failure::Identity if has(&["AudienceNotMatch"]) => Self::TokenAudience,
            Failure::Identity if code.starts_with("EntityNotExist") => Self::NoRole,
            Failure::Identity if has(&["Signature", "Issuer", "Fingerprint", "Url"]) => {
                Self::Provider
            }
            Failure::Identity if code.ends_with("OIDCToken.Invalid") => Self::NoToken,
            Failure::Identity => Self::TrustPolicy,
            Failure::Refused if has(&["Disabled"]) => Self::Disabled,
            Failure::Refused if has(&["Delet"]) => Self::Deleted,
            Failure::Refused if is_clock => Self::Clock,
            _ => Self::Other,
        }
    }
}

/// What the metadata service of a node is asked, in the place of an API.
pub const ECS_METADATA: &str = "ECS metadata";

/// Codes of KMS, OOS, STS and RAM, as their documentation has them.
const DOCUMENTED: [&str; 29] = [
    "AccessDenied",
    "AuthenticationFail.NoPermission",
    "EntityNotExist.Role",
    "EntityNotExists.Parameter",
    "Forbidden",
    "Forbidden.KeyNotFound",
    "Forbidden.NoPermission",
    "Forbidden.RAM",
    "Forbidden.ResourceNotFound",
    "IllegalTimestamp",
    "ImplicitDeny",
    "IncompleteSignature",
    "InternalError",
    "InternalFailure",
    "InvalidAccessKeyId.NotFound",
    "InvalidParameter",
    "InvalidSecurityToken.Expired",
    "InvalidTimeStamp.Expired",
    "MissingSecurityToken",
    "NoPermission",
    "Rejected.Disabled",
    "Rejected.PendingDeletion",
    "Rejected.ResourceInDeleteWindow",
    "Rejected.Throttling",
    "ServiceUnavailable",
    "SignatureDoesNotMatch",
    "SignatureNonceUsed",
    "Throttling",
    "Throttling.User",
];

/// The kind of thing that is missing follows them.
const MISSING: [&str; 2] = ["EntityNotExists.", "EntityNotExist."];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_decides_before_the_status() {
        for (code, status, expected) in [
            ("Throttling.User", 400, Meaning::THROTTLED),
            ("Throttling", 400, Meaning::THROTTLED),
            ("Rejected.Throttling", 429, Meaning::THROTTLED),
            ("Forbidden.NoPermission", 500, Meaning::DENIED),
            ("Forbidden.RAM", 400, Meaning::DENIED),
            ("NoPermission", 403, Meaning::DENIED),
            ("Forbidden.ResourceNotFound", 404, Meaning::NOT_FOUND),
            ("EntityNotExists.Parameter", 404, Meaning::NOT_FOUND),
            ("EntityNotExist.Role", 404, Meaning::NOT_FOUND),
            ("InvalidAccessKeyId.NotFound", 404, Meaning::EXPIRED),
            ("InvalidSecurityToken.Expired", 403, Meaning::EXPIRED),
            ("MissingSecurityToken", 400, Meaning::EXPIRED),
            ("InvalidAccessKeyId.Inactive", 400, Meaning::IDENTITY),
            ("SignatureDoesNotMatch", 400, Meaning::IDENTITY),
            ("SignatureNonceUsed", 400, Meaning::REPLAYED),
            ("InvalidTimeStamp.Expired", 400, Meaning::SKEWED),
            ("InvalidApi.NotFound", 404, Meaning::REFUSED),
            ("Rejected.ResourceInDeleteWindow", 409, Meaning::REFUSED),
            ("InternalFailure", 400, Meaning::UNAVAILABLE),
            ("ServiceUnavailableTemporary", 503, Meaning::UNAVAILABLE),
            // For all that is known, something in between may say this.
            ("Something.New", 404, Meaning::REFUSED),
            ("Something.New", 502, Meaning::UNAVAILABLE),
            ("Something.New", 400, Meaning::REFUSED),
        ] {
            assert_eq!(Meaning::of(Some(code), None, status), expected, "{code} {status}");
        }
    }

    #[test]
    fn an_expired_token_reported_as_a_bad_parameter_is_an_expired_token() {
        let message = "The specified parameter \"SecurityToken.Expired\" is not valid.";
        assert_eq!(Meaning::of(Some("InvalidParameter"), Some(message), 400), Meaning::EXPIRED);
        assert_eq!(Meaning::of(Some("InvalidParameter"), None, 400), Meaning::REFUSED);
    }

    #[test]
    fn without_a_code_the_status_decides() {
        for (status, expected) in [
            (400, Meaning::REFUSED),
            (403, Meaning::DENIED),
            (404, Meaning::REFUSED),
            (429, Meaning::THROTTLED),
            (502, Meaning::UNAVAILABLE),
        ] {
            assert_eq!(Meaning::of(None, None, status), expected, "{status}");
        }
    }

    #[test]
    fn operation_and_code_say_what_to_look_at() {
        let (oidc, chain, kms) = ("STS AssumeRoleWithOIDC", "STS AssumeRole", "KMS GetSecretValue");
        for (operation, code, expected) in [
            (oidc, "AuthenticationFail.OIDCToken.Expired", Diagnosis::TokenExpired),
            (oidc, "AuthenticationFail.OIDCToken.AudienceNotMatch", Diagnosis::TokenAudience),
            (oidc, "AuthenticationFail.OIDCToken.InvalidSignature", Diagnosis::Provider),
            (oidc, "AuthenticationFail.OIDCToken.IssuerNotMatch", Diagnosis::Provider),
            (oidc, "AuthenticationFail.OIDCToken.Invalid", Diagnosis::NoToken),
            (oidc, "EntityNotExist.Role", Diagnosis::NoRole),
            (oidc, "AuthenticationFail.NoPermission", Diagnosis::TrustPolicy),
            (oidc, "InvalidTimeStamp.Expired", Diagnosis::Clock),
            (chain, "NoPermission", Diagnosis::RoleChain),
            (chain, "InvalidSecurityToken.Expired", Diagnosis::OwnCredentials),
            (kms, "InvalidSecurityToken.Expired", Diagnosis::Credentials),
            (kms, "SignatureDoesNotMatch", Diagnosis::Credentials),
            (kms, "RequestTimeTooSkewed", Diagnosis::Clock),
        ] {
            let diagnosis = Diagnosis::of(Failure::Identity, operation, Some(code));
            assert_eq!(diagnosis, expected, "{operation} {code}");
        }
        for (code, expected) in [
            (Some("Rejected.Disabled"), Diagnosis::Disabled),
            (Some("Rejected.PendingDeletion"), Diagnosis::Deleted),
            (Some("Rejected.ResourceInDeleteWindow"), Diagnosis::Deleted),
            (Some("InvalidTimeStamp.Expired"), Diagnosis::Clock),
            (Some("InvalidParameter"), Diagnosis::Other),
            (None, Diagnosis::Other),
        ] {
            assert_eq!(Diagnosis::of(Failure::Refused, kms, code), expected, "{code:?}");
        }
    }

    #[test]
    fn only_a_service_that_is_well_revokes() {
        for (failure, code, expected) in [
            (Failure::Denied, Some("Forbidden.NoPermission"), true),
            (Failure::NotFound, Some("Forbidden.ResourceNotFound"), true),
            (Failure::Refused, Some("Rejected.ResourceInDeleteWindow"), true),
            (Failure::Refused, Some("Rejected.Disabled"), true),
            (Failure::Refused, Some("InvalidParameter"), false),
            (Failure::Identity, Some("AuthenticationFail.NoPermission"), false),
            (Failure::Throttled, Some("Rejected.Throttling"), false),
            (Failure::Denied, None, false),
            // What something in between may say, in the service's form.
            (Failure::Denied, Some("AccessBlocked"), false),
            (Failure::Denied, Some("unauthorized"), false),
            (Failure::NotFound, Some("not_found"), false),
            (Failure::Denied, Some("Forbidden"), false),
            (Failure::Denied, Some("ForbiddenByProxy"), false),
            (Failure::Denied, Some("AccessDeniedException"), false),
            (Failure::NotFound, Some("EntityNotExistInCache"), false),
            // A bill that is not paid, or a service that is not opened, says nothing of a secret.
            (Failure::Denied, Some("Forbidden.InDebt"), false),
            (Failure::Denied, Some("Forbidden.InDebtOverdue"), false),
            (Failure::Denied, Some("Forbidden.KmsServiceNotEnabled"), false),
            (Failure::Denied, Some("Forbidden.ProhibitedByRiskControl"), false),
            (Failure::NotFound, Some("EntityNotExists.Parameter"), true),
            (Failure::NotFound, Some("EntityNotExist.Role"), true),
            (Failure::Unreachable, None, false),
            (Failure::Unusable, None, false),
        ] {
            assert_eq!(is_revocation(failure, code), expected, "{failure:?} {code:?}");
        }
    }
}
