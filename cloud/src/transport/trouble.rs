//! Why the HTTP client failed, in our own words: its own may quote what a server sent.

use std::error::Error as StdError;
use std::io;

use rustls::CertificateError;

use super::resolve::Unresolved;
use crate::error::{Cause, Malformed, Unreachable};

pub(super) fn cause(error: &reqwest::Error) -> Cause {
    let mut lost = None;
    let mut next: Option<&(dyn StdError + 'static)> = Some(error);
    // The chain of one error is a handful of links; the bound is for safety.
    for _ in 0..16 {
        let Some(link) = next else { break };
        if link.is::<Unresolved>() {
            return Unreachable::Name.into();
        }
        if let Some(tls) = link.downcast_ref::<rustls::Error>() {
            return self::tls(tls).into();
        }
        if let Some(http) = link.downcast_ref::<hyper::Error>() {
            if http.is_parse() {
                return Malformed::Http.into();
            }
            if http.is_incomplete_message() || http.is_canceled() || http.is_closed() {
                lost = lost.or(Some(io::ErrorKind::UnexpectedEof));
            }
        }
        if let Some(io) = link.downcast_ref::<io::Error>() {
            // An `io::Error` that wraps another error does not list it as its source.
            if let Some(tls) = io.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>())
            {
                return self::tls(tls).into();
            }
            lost = Some(io.kind());
        }
        next = link.source();
    }
    let kind = lost.unwrap_or(io::ErrorKind::Other);
    if error.is_connect() {
        let timed_out = error.is_timeout() || kind == io::ErrorKind::TimedOut;
        return if timed_out { Unreachable::ConnectTimeout } else { Unreachable::Connect(kind) }
            .into();
    }
    if error.is_timeout() { Unreachable::Timeout } else { Unreachable::Lost(kind) }.into()
}

fn tls(error: &rustls::Error) -> Unreachable {
    let rustls::Error::InvalidCertificate(problem) = error else {
        return Unreachable::Handshake;
    };
    Unreachable::Certificate(match problem {
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is for another name"
        }
        CertificateError::UnknownIssuer => "its issuer is not trusted",
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet"
        }
        CertificateError::BadSignature => "its signature is wrong",
        _ => "it is not valid",
    })
}
