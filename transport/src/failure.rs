//! Why one attempt brought no answer, in our own words, and whether another may.

use std::io;

/// What a backend makes of an attempt that failed: of no answer, or of one that it does not take.
pub trait AttemptError: From<NoAnswer> {
    /// Whether nothing that comes on the same connection can be trusted to be an answer to what is
    /// asked next.
    fn ends_connection(&self) -> bool;
}

/// Nothing of what a server sent is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    #[error("{0}")]
    Unreachable(#[from] Unreachable),
    #[error("the answer is not HTTP")]
    NotHttp,
    #[error("the answer is larger than {limit} bytes")]
    TooLarge { limit: usize },
    /// Nothing was sent.
    #[error("the address is not that of a host and a path as they are sent")]
    Address,
}

/// Why no answer came.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreachable {
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
    /// Another CA may mend it.
    #[error("the server's certificate is not accepted: {0}")]
    Issuer(&'static str),
    #[error("the TLS handshake failed")]
    Handshake,
    #[error(
        "the server ended the TLS handshake: it has no version of TLS (1.2 or 1.3), cipher or kind of \
         certificate in common with this client"
    )]
    NothingInCommon,
    #[error("no CA is trusted for this host")]
    NoRoots,
    #[error("{0}")]
    Proxy(#[from] ProxyFault),
    #[error("the HTTP client could not be set up")]
    Client,
    #[error("the time was over before a request could be sent")]
    NotSent,
}

/// Why the proxy opened no connection. Nothing was sent but the name of the host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxyFault {
    #[error("the name of the proxy could not be resolved")]
    Name,
    #[error("could not connect to the proxy: {0}")]
    Connect(io::ErrorKind),
    #[error("the proxy gave no answer, or ended the connection without one")]
    Ended,
    /// It has none of ours.
    #[error("the proxy asks for a login (status 407), and none is ever sent")]
    Login,
    #[error("the head of the proxy's answer is larger than any")]
    Head,
    #[error(
        "the proxy opens no connection to this host: it refuses, cannot reach it, or is no proxy"
    )]
    Refused,
}

impl Unreachable {
    /// Whether another attempt may be answered. Waiting does not mend a certificate or a setting.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Name
            | Self::Connect(_)
            | Self::ConnectTimeout
            | Self::Timeout
            | Self::Lost(_)
            | Self::Handshake
            | Self::NothingInCommon
            | Self::NotSent
            | Self::Proxy(
                ProxyFault::Name | ProxyFault::Connect(_) | ProxyFault::Ended | ProxyFault::Refused,
            ) => true,
            Self::Proxy(ProxyFault::Login | ProxyFault::Head)
            | Self::Certificate(_)
            | Self::Issuer(_)
            | Self::NoRoots
            | Self::Client => false,
        }
    }
}
