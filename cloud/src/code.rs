//! What a service's error code means to us. The code decides before the status: throttling comes
//! with 400 as well as 429, and one code comes with 400 or 404 depending on the gateway.

use crate::error::Class;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Too many requests; later it works.
    Throttled,
    /// The service is not well; later it works.
    Unavailable,
    /// The nonce was seen before; a new signature works.
    Replayed,
    /// The clocks differ; a corrected date works.
    Skewed,
    /// The temporary credentials are over or unknown; new ones may work.
    Expired,
    /// The credentials or their signature are refused.
    Identity,
    Denied,
    NotFound,
    /// Anything else.
    Rejected,
}

impl Meaning {
    pub(crate) fn of(code: Option<&str>, message: Option<&str>, status: u16) -> Self {
        code.and_then(|code| Self::of_code(code, message)).unwrap_or(match status {
            429 => Self::Throttled,
            408 | 500.. => Self::Unavailable,
            401 | 403 => Self::Denied,
            _ => Self::Rejected,
        })
    }

    /// The meaning of a code that we know; `None` for any other.
    pub(crate) fn of_code(code: &str, message: Option<&str>) -> Option<Self> {
        let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| code.starts_with(prefix));
        Some(match code {
            "Rejected.Throttling" => Self::Throttled,
            "SignatureNonceUsed" => Self::Replayed,
            "InvalidTimeStamp.Expired" | "IllegalTimestamp" | "RequestTimeTooSkewed" => {
                Self::Skewed
            }
            "InvalidAccessKeyId.NotFound" | "MissingSecurityToken" => Self::Expired,
            // Seen in the field for an expired token: the reason is in the message alone.
            "InvalidParameter" if message.is_some_and(|m| m.contains("SecurityToken.Expired")) => {
                Self::Expired
            }
            "SignatureDoesNotMatch" | "IncompleteSignature" => Self::Identity,
            "InvalidApi.NotFound" | "InvalidProduct.NotFound" => Self::Rejected,
            _ if starts(&["Throttling"]) => Self::Throttled,
            // The documentation has the second spelling too.
            _ if starts(&["InternalError", "InternalFailure", "ServiceUnavailable"])
                || starts(&["SerivceUnavailable"]) =>
            {
                Self::Unavailable
            }
            _ if starts(&["InvalidSecurityToken"]) => Self::Expired,
            _ if starts(&["InvalidAccessKeyId", "AuthenticationFail"]) => Self::Identity,
            _ if starts(&["Forbidden.ResourceNotFound", "Forbidden.KeyNotFound"])
                || starts(&["EntityNotExist"]) =>
            {
                Self::NotFound
            }
            _ if starts(&["Forbidden", "NoPermission", "AccessDenied", "ImplicitDeny"]) => {
                Self::Denied
            }
            _ => return None,
        })
    }

    pub(crate) fn class(self) -> Class {
        match self {
            Self::Throttled => Class::Throttled,
            Self::Unavailable => Class::Unreachable,
            Self::Expired | Self::Identity => Class::Identity,
            Self::Denied => Class::Denied,
            Self::NotFound => Class::NotFound,
            Self::Replayed | Self::Skewed | Self::Rejected => Class::Rejected,
        }
    }

    pub(crate) fn is_retriable(self) -> bool {
        matches!(self, Self::Throttled | Self::Unavailable | Self::Replayed | Self::Skewed)
    }
}

#[cfg(test)]
mod tests {
    use super::Meaning;

    #[test]
    fn the_code_decides_before_the_status() {
        for (code, status, expected) in [
            ("Throttling.User", 400, Meaning::Throttled),
            ("Throttling", 400, Meaning::Throttled),
            ("Rejected.Throttling", 429, Meaning::Throttled),
            ("Forbidden.NoPermission", 500, Meaning::Denied),
            ("Forbidden.RAM", 400, Meaning::Denied),
            ("NoPermission", 403, Meaning::Denied),
            ("Forbidden.ResourceNotFound", 404, Meaning::NotFound),
            ("EntityNotExists.Parameter", 404, Meaning::NotFound),
            ("EntityNotExist.Role", 404, Meaning::NotFound),
            ("InvalidAccessKeyId.NotFound", 404, Meaning::Expired),
            ("InvalidSecurityToken.Expired", 403, Meaning::Expired),
            ("MissingSecurityToken", 400, Meaning::Expired),
            ("InvalidAccessKeyId.Inactive", 400, Meaning::Identity),
            ("SignatureDoesNotMatch", 400, Meaning::Identity),
            ("SignatureNonceUsed", 400, Meaning::Replayed),
            ("InvalidTimeStamp.Expired", 400, Meaning::Skewed),
            ("InvalidApi.NotFound", 404, Meaning::Rejected),
            ("Rejected.ResourceInDeleteWindow", 409, Meaning::Rejected),
            ("InternalFailure", 400, Meaning::Unavailable),
            ("ServiceUnavailableTemporary", 503, Meaning::Unavailable),
            // Of something in between, for all that is known.
            ("Something.New", 404, Meaning::Rejected),
            ("Something.New", 502, Meaning::Unavailable),
            ("Something.New", 400, Meaning::Rejected),
        ] {
            assert_eq!(Meaning::of(Some(code), None, status), expected, "{code} {status}");
        }
    }

    #[test]
    fn an_expired_token_reported_as_a_bad_parameter_is_an_expired_token() {
        let message = "The specified parameter \"SecurityToken.Expired\" is not valid.";
        assert_eq!(Meaning::of(Some("InvalidParameter"), Some(message), 400), Meaning::Expired);
        assert_eq!(Meaning::of(Some("InvalidParameter"), None, 400), Meaning::Rejected);
    }

    #[test]
    fn without_a_code_the_status_decides() {
        for (status, expected) in [
            (400, Meaning::Rejected),
            (403, Meaning::Denied),
            (404, Meaning::Rejected),
            (429, Meaning::Throttled),
            (502, Meaning::Unavailable),
        ] {
            assert_eq!(Meaning::of(None, None, status), expected, "{status}");
        }
    }
}
