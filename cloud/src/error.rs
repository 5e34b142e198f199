//! One typed error for every way in which a value does not come. Its text names operation,
//! subject, code and request id. Nothing that the server wrote into an answer that may hold a
//! value is ever part of it.

use std::fmt;

use crate::cause::{Cause, Failure, Refusal};
use crate::code::Meaning;

/// What kind of failure it is, for exit codes and advice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// We could not show who we are: token, trust policy, credentials, signature.
    Identity,
    /// The service knows us and says no.
    Denied,
    NotFound,
    Throttled,
    /// No answer, an answer of another machine, or a service that is down.
    Unreachable,
    /// Anything else that the service refuses.
    Rejected,
    /// An answer that could not be read.
    Malformed,
    /// An answer to another question.
    Mismatched,
}

impl Class {
    /// For logs and metrics.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Denied => "denied",
            Self::NotFound => "not-found",
            Self::Throttled => "throttled",
            Self::Unreachable => "unreachable",
            Self::Rejected => "refused",
            Self::Malformed => "unusable",
            Self::Mismatched => "mismatched",
        }
    }
}

#[derive(Clone)]
pub struct Error(Box<Detail>);

#[derive(Clone, Debug)]
struct Detail {
    asked: Asked,
    failure: Failure,
    attempts: u32,
}

/// The question that an error is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Product and API, for instance `KMS GetSecretValue`.
    pub(crate) operation: &'static str,
    pub(crate) host: String,
    pub(crate) subject: String,
    /// A refusal by STS is about the identity, whatever its code.
    pub(crate) identity: bool,
}

impl Error {
    pub(crate) fn new(asked: Asked, failure: Failure, attempts: u32) -> Self {
        Self(Box::new(Detail { asked, failure, attempts }))
    }

    /// Product and API, for instance `KMS GetSecretValue`.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.0.asked.operation
    }

    #[must_use]
    pub fn host(&self) -> &str {
        &self.0.asked.host
    }

    /// The secret, parameter or role that was asked for.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.0.asked.subject
    }

    /// The service's error code.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.failure.code()
    }

    /// The service's own words, where they are known to be harmless.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.refusal()?.message.as_deref()
    }

    /// A link to the service's own diagnosis.
    #[must_use]
    pub fn recommendation(&self) -> Option<&str> {
        self.refusal()?.recommendation.as_deref()
    }

    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.failure.status
    }

    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.failure.request_id.as_deref()
    }

    /// Requests that were made before giving up.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    #[must_use]
    pub fn class(&self) -> Class {
        self.0.asked.class(&self.0.failure)
    }

    pub(crate) fn meaning(&self) -> Option<Meaning> {
        self.0.failure.meaning()
    }

    /// Adds the requests of an earlier round.
    pub(crate) fn after(mut self, attempts: u32) -> Self {
        self.0.attempts += attempts;
        self
    }

    /// Whether the same question may succeed later.
    #[must_use]
    pub fn is_retriable(&self) -> bool {
        self.0.failure.is_retriable()
    }

    /// Whether no answer came in time.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.0.failure.is_silence() || self.0.failure.was_not_sent()
    }

    /// Whether anything was sent for it.
    #[must_use]
    pub fn was_asked(&self) -> bool {
        self.0.attempts > 0
    }

    fn refusal(&self) -> Option<&Refusal> {
        self.0.failure.refusal()
    }
}

impl Asked {
    pub(crate) fn class(&self, failure: &Failure) -> Class {
        let class = failure.class();
        let about_us = matches!(class, Class::Denied | Class::NotFound | Class::Rejected);
        if self.identity && about_us && matches!(failure.cause, Cause::Refused(_)) {
            return Class::Identity;
        }
        class
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Detail { asked, failure, attempts } = self.0.as_ref();
        write!(f, "{} of {} at {}: {}", asked.operation, asked.subject, asked.host, failure.cause)?;
        if let Some(status) = failure.status {
            write!(f, " (status {status})")?;
        }
        if let Some(id) = &failure.request_id {
            write!(f, ", request id {id}")?;
        }
        if *attempts > 1 {
            write!(f, ", after {attempts} attempts")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({self})")
    }
}

impl std::error::Error for Error {}
