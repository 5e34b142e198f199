//! Why one attempt failed, in our own words, and whether another may succeed.

use std::fmt;
use std::time::Duration;

use secret::{Failure, NoRandomness};
use transport::NoAnswer;
pub(crate) use transport::Unreachable;

use crate::error_code::{Meaning, Remedy};

/// One failed attempt.
#[derive(Clone, Debug)]
pub(crate) struct FailedAttempt {
    pub(crate) cause: Cause,
    pub(crate) status: Option<u16>,
    pub(crate) request_id: Option<String>,
    /// How long the server asks us to wait.
    pub(crate) hint: Option<Duration>,
    /// The server's clock, seconds since 1970.
    pub(crate) date: Option<u64>,
}

#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Cause {
    #[error("{0}")]
    Refused(Box<Refusal>),
    #[error("answered with a redirect, not followed")]
    Redirected,
    #[error("{0}")]
    Unreachable(#[from] Unreachable),
    #[error("the service answers that it is not well")]
    Unwell,
    #[error("no CA is configured for this dedicated gateway, and public CAs do not count there")]
    NoPrivateCa,
    #[error("{0}")]
    Malformed(#[from] Malformed),
    #[error("{0}")]
    Mismatched(Box<Mismatched>),
    #[error(
        "answered without the value: the role may read the parameter but not decrypt it \
         (it needs KMS GetSecretValue and Decrypt as well)"
    )]
    Undecrypted,
    #[error("not sent: requests before it were throttled, until its time was over")]
    HeldBack,
    /// What proves the identity cannot be used, in the words of the kind of credentials.
    #[error("{0}")]
    Proof(String),
    #[error("the endpoint is not a plain host name")]
    Endpoint,
    #[error("{0}")]
    Randomness(#[from] NoRandomness),
}

/// A refusal by the service itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) meaning: Meaning,
    pub(crate) code: Option<String>,
    /// It is bounded, one line, and was checked against what we sent.
    pub(crate) message: Option<String>,
    pub(crate) recommendation: Option<String>,
}

/// Why an answer could not be read. What was in it is never repeated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("the answer is not HTTP")]
    Http,
    #[error("the answer is compressed, which was not asked for")]
    Encoded,
    #[error("the answer is larger than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("the answer is not JSON (line {line}, column {column})")]
    Syntax { line: usize, column: usize },
    #[error("the answer ends too early (line {line}, column {column})")]
    Truncated { line: usize, column: usize },
    #[error("the answer has a field of the wrong type (line {line}, column {column})")]
    Type { line: usize, column: usize },
    #[error("the answer has no {0}")]
    Missing(&'static str),
    #[error("the answer's {0} is not valid")]
    Invalid(&'static str),
    #[error("the answer is not for the names that were asked for, each once")]
    OtherNames,
    #[error("the credentials in the answer have expired already")]
    Over,
    #[error("the value has {size} bytes, more than {limit}")]
    ValueTooLarge { size: usize, limit: usize },
}

/// An answer that belongs to another question. It holds names and versions, never a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mismatched {
    pub(crate) field: &'static str,
    pub(crate) asked: String,
    /// What the answer is about, where it is made of the characters of a name.
    pub(crate) answered: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.code {
            Some(code) => write!(f, "refused with {code}")?,
            None => write!(f, "refused without a readable error code")?,
        }
        if let Some(message) = &self.message {
            write!(f, ": {message}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Mismatched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, asked, answered } = self;
        write!(f, "the answer is for another question: {field} {asked} was asked for, ")?;
        match answered {
            Some(answered) => write!(f, "{answered} was answered"),
            None => write!(f, "another one was answered"),
        }
    }
}

impl FailedAttempt {
    /// Whether nothing that comes on the same connection can be trusted to be an answer to what is
    /// asked next.
    pub(crate) fn is_out_of_step(&self) -> bool {
        matches!(self.cause, Cause::Mismatched(_) | Cause::Malformed(_))
    }

    /// Whether a request was sent, as it seems, and nobody answered it in time.
    pub(crate) fn is_silence(&self) -> bool {
        matches!(self.cause, Cause::Unreachable(Unreachable::Timeout | Unreachable::ConnectTimeout))
    }

    pub(crate) fn is_about_issuer(&self) -> bool {
        matches!(self.cause, Cause::NoPrivateCa | Cause::Unreachable(Unreachable::Issuer(_)))
    }

    pub(crate) fn was_not_sent(&self) -> bool {
        matches!(self.cause, Cause::Unreachable(Unreachable::NotSent))
    }

    pub(crate) fn refusal(&self) -> Option<&Refusal> {
        match &self.cause {
            Cause::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// The service's error code.
    pub(crate) fn code(&self) -> Option<&str> {
        self.refusal()?.code.as_deref()
    }

    pub(crate) fn failure(&self) -> Failure {
        match &self.cause {
            Cause::Refused(refusal) => refusal.meaning.failure,
            Cause::Redirected
            | Cause::Unreachable(_)
            | Cause::Unwell
            | Cause::NoPrivateCa
            | Cause::Randomness(_) => Failure::Unreachable,
            Cause::Malformed(_) => Failure::Unusable,
            Cause::Mismatched(_) => Failure::Mismatched,
            Cause::Undecrypted => Failure::Denied,
            Cause::HeldBack => Failure::Throttled,
            Cause::Proof(_) => Failure::Identity,
            Cause::Endpoint => Failure::Refused,
        }
    }

    pub(crate) fn is_retriable(&self) -> bool {
        match &self.cause {
            Cause::Refused(refusal) => refusal.meaning.remedy.is_another_attempt(),
            Cause::HeldBack | Cause::Unwell => true,
            Cause::Unreachable(why) => why.may_pass(),
            _ => false,
        }
    }

    pub(crate) fn remedy(&self) -> Remedy {
        self.refusal().map_or(Remedy::Nothing, |refusal| refusal.meaning.remedy)
    }
}

impl From<NoAnswer> for Cause {
    fn from(no_answer: NoAnswer) -> Self {
        match no_answer {
            NoAnswer::Unreachable(Unreachable::NoRoots) => Self::NoPrivateCa,
            NoAnswer::Unreachable(why) => why.into(),
            NoAnswer::NotHttp => Malformed::Http.into(),
            NoAnswer::TooLarge { limit } => Malformed::TooLarge { limit }.into(),
            NoAnswer::Address => Self::Endpoint,
        }
    }
}

impl<C: Into<Cause>> From<C> for FailedAttempt {
    fn from(cause: C) -> Self {
        Self { cause: cause.into(), status: None, request_id: None, hint: None, date: None }
    }
}
