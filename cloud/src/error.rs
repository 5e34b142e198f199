//! One typed error for every way in which a value does not come. Its text names operation,
//! subject, code and request id. Nothing that the server wrote into an answer that may hold a
//! value is ever part of it.

use std::fmt;

use secret::Failure;

use crate::call_info::CallInfo;
use crate::cause::{Cause, FailedAttempt, Malformed, Refusal};
use crate::error_code::{self, Diagnosis, Remedy};

#[derive(Clone)]
pub struct Error(Box<Detail>);

#[derive(Clone, Debug)]
struct Detail {
    call: CallInfo,
    attempt: FailedAttempt,
    attempts: u32,
}

impl Error {
    pub(crate) fn new(call: CallInfo, attempt: FailedAttempt, attempts: u32) -> Self {
        Self(Box::new(Detail { call, attempt, attempts }))
    }

    /// Product and API, for instance `KMS GetSecretValue`.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.0.call.operation
    }

    #[must_use]
    pub fn host(&self) -> &str {
        &self.0.call.host
    }

    /// The secret, parameter or role that was asked for.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.0.call.subject
    }

    /// The service's error code.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.attempt.code()
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
        self.0.attempt.status
    }

    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.attempt.request_id.as_deref()
    }

    /// Requests that were made before giving up.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// What kind of failure it is.
    #[must_use]
    pub fn failure(&self) -> Failure {
        self.0.call.failure(&self.0.attempt)
    }

    /// Whether the service knows us, is well, and will not give the value any more.
    #[must_use]
    pub fn is_revocation(&self) -> bool {
        error_code::is_revocation(self.failure(), self.code())
    }

    /// What to look at, as far as operation and code tell.
    #[must_use]
    pub fn diagnosis(&self) -> Diagnosis {
        Diagnosis::of(self.failure(), self.operation(), self.code())
    }

    /// The same failure of another question, which shared its call.
    pub(crate) fn of(&self, call: CallInfo) -> Self {
        Self::new(call, self.0.attempt.clone(), self.0.attempts)
    }

    /// Whether there were no credentials to ask with.
    pub(crate) fn is_about_identity(&self) -> bool {
        self.0.call.identity
    }

    /// Whether new credentials may do where these were refused.
    pub(crate) fn wants_new_credentials(&self) -> bool {
        self.0.attempt.remedy() == Remedy::NewCredentials
    }

    /// Adds the requests of an earlier round.
    pub(crate) fn after(mut self, attempts: u32) -> Self {
        self.0.attempts += attempts;
        self
    }

    /// Whether the same question may succeed later.
    #[must_use]
    pub fn is_retriable(&self) -> bool {
        self.0.attempt.is_retriable()
    }

    /// Whether no CA that counts for the host explains its certificate.
    #[must_use]
    pub fn is_about_issuer(&self) -> bool {
        self.0.attempt.is_about_issuer()
    }

    /// Whether no answer came in time.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.0.attempt.is_silence() || self.0.attempt.was_not_sent()
    }

    /// Whether anything was sent for it.
    #[must_use]
    pub fn was_sent(&self) -> bool {
        self.0.attempts > 0
    }

    /// Whether there was more of an answer than is read.
    pub(crate) fn is_too_large(&self) -> bool {
        matches!(self.0.attempt.cause, Cause::Malformed(Malformed::TooLarge { .. }))
    }

    fn refusal(&self) -> Option<&Refusal> {
        self.0.attempt.refusal()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Detail { call, attempt, attempts } = self.0.as_ref();
        write!(f, "{} of {} at {}: {}", call.operation, call.subject, call.host, attempt.cause)?;
        if let Some(status) = attempt.status {
            write!(f, " (status {status})")?;
        }
        if let Some(id) = &attempt.request_id {
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
