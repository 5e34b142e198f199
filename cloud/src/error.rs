//! One typed error for every way in which a value does not come. Its text names operation,
//! subject, code and request id. Nothing that the server wrote into an answer that may hold a
//! value is ever part of it.

use std::fmt;
use std::io;
use std::time::Duration;

use crate::code::Meaning;

/// What kind of failure it is, for exit codes and advice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// One failed attempt.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
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
    #[error("{0}")]
    Malformed(#[from] Malformed),
    #[error(
        "answered without the value: the role may read the parameter but not decrypt it \
         (it needs KMS GetSecretValue and Decrypt as well)"
    )]
    Undecrypted,
    #[error("{0}")]
    Token(#[from] TokenProblem),
    #[error("the endpoint is not a plain host name")]
    Endpoint,
    #[error("no randomness from the operating system")]
    Randomness,
}

/// A refusal by the service itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) meaning: Meaning,
    pub(crate) code: Option<String>,
    /// Bounded, one line, and checked against what we sent.
    pub(crate) message: Option<String>,
    pub(crate) recommendation: Option<String>,
}

/// Why no answer came.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreachable {
    #[error("the name could not be resolved")]
    Name,
    #[error("could not connect: {0}")]
    Connect(io::ErrorKind),
    #[error("could not connect in time")]
    ConnectTimeout,
    #[error("no answer in time")]
    Timeout,
    #[error("the connection was lost: {0}")]
    Lost(io::ErrorKind),
    #[error("the server's certificate is not accepted: {0}")]
    Certificate(&'static str),
    #[error("the TLS handshake failed")]
    Handshake,
    #[error("no CA is configured for this dedicated gateway, and public CAs do not count there")]
    NoPrivateCa,
    #[error("the HTTP client could not be set up")]
    Client,
    #[error("the time was over before a request could be sent")]
    NotSent,
}

/// Why an answer could not be read; never what was in it.
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
    #[error("the value has {size} bytes, more than {limit}")]
    ValueTooLarge { size: usize, limit: usize },
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenProblem {
    #[error("the identity token could not be read: {0}")]
    Unreadable(io::ErrorKind),
    #[error("the identity token is empty")]
    Empty,
    #[error("the identity token is not a token: {0} bytes, or bytes that no token has")]
    Shape(usize),
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
        self.refusal()?.code.as_deref()
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
        let class = self.0.failure.class();
        let about_us = matches!(class, Class::Denied | Class::NotFound | Class::Rejected);
        if self.0.asked.identity && about_us && self.refusal().is_some() {
            return Class::Identity;
        }
        class
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

    fn refusal(&self) -> Option<&Refusal> {
        match &self.0.failure.cause {
            Cause::Refused(refusal) => Some(refusal),
            _ => None,
        }
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

impl Failure {
    pub(crate) fn class(&self) -> Class {
        match &self.cause {
            Cause::Refused(refusal) => refusal.meaning.class(),
            Cause::Redirected | Cause::Unreachable(_) | Cause::Randomness => Class::Unreachable,
            Cause::Malformed(_) => Class::Malformed,
            Cause::Undecrypted => Class::Denied,
            Cause::Token(_) => Class::Identity,
            Cause::Endpoint => Class::Rejected,
        }
    }

    pub(crate) fn is_retriable(&self) -> bool {
        match &self.cause {
            Cause::Refused(refusal) => refusal.meaning.is_retriable(),
            Cause::Unreachable(why) => match why {
                Unreachable::Name
                | Unreachable::Connect(_)
                | Unreachable::ConnectTimeout
                | Unreachable::Timeout
                | Unreachable::Lost(_)
                | Unreachable::Handshake
                | Unreachable::NotSent => true,
                // Waiting does not mend a certificate or a setting.
                Unreachable::Certificate(_) | Unreachable::NoPrivateCa | Unreachable::Client => {
                    false
                }
            },
            _ => false,
        }
    }

    /// The meaning of the service's answer, where it was a refusal.
    pub(crate) fn meaning(&self) -> Option<Meaning> {
        match &self.cause {
            Cause::Refused(refusal) => Some(refusal.meaning),
            _ => None,
        }
    }
}

impl<C: Into<Cause>> From<C> for Failure {
    fn from(cause: C) -> Self {
        Self { cause: cause.into(), status: None, request_id: None, hint: None, date: None }
    }
}
