//! Why the HTTP client failed, in our own words: its own may quote what a server sent.

use std::error::Error as StdError;
use std::io;

use rustls::{AlertDescription, CertificateError};

use crate::failure::{NoAnswer, ProxyFault, Unreachable};
use crate::resolver::Unresolved;

pub(crate) fn no_answer(error: &reqwest::Error) -> NoAnswer {
    let mut lost = None;
    let mut of_proxy: Option<String> = None;
    let mut next: Option<&(dyn StdError + 'static)> = Some(error);
    // The chain of one error is a handful of links; the bound is for safety.
    for _ in 0..16 {
        let Some(link) = next else { break };
        if error.is_connect() && of_proxy.is_none() {
            // The client tells by nothing else that it was on its way through a proxy.
            of_proxy = link.to_string().strip_prefix("tunnel error: ").map(str::to_owned);
        }
        if link.is::<Unresolved>() {
            let by_proxy = of_proxy.is_some();
            return if by_proxy { ProxyFault::Name.into() } else { Unreachable::Name }.into();
        }
        if let Some(tls) = link.downcast_ref::<rustls::Error>() {
            return self::tls(tls).into();
        }
        if let Some(http) = link.downcast_ref::<hyper::Error>() {
            if http.is_parse() {
                return NoAnswer::NotHttp;
            }
            if http.is_incomplete_message() || http.is_canceled() || http.is_closed() {
                lost = lost.or(Some(io::ErrorKind::UnexpectedEof));
            }
        }
        let io = link.downcast_ref::<io::Error>();
        lost = io.map(io::Error::kind).filter(|kind| *kind != io::ErrorKind::Other).or(lost);
        next = match io.and_then(io::Error::get_ref) {
            // An `io::Error` does not list the error that it wraps as its source.
            Some(wrapped) => Some(wrapped),
            None => link.source(),
        };
    }
    let kind = lost.unwrap_or(io::ErrorKind::Other);
    if let Some(problem) = of_proxy {
        return Unreachable::from(proxy_fault(&problem, kind)).into();
    }
    if error.is_connect() {
        let timed_out = error.is_timeout() || kind == io::ErrorKind::TimedOut;
        return if timed_out { Unreachable::ConnectTimeout } else { Unreachable::Connect(kind) }
            .into();
    }
    if error.is_timeout() { Unreachable::Timeout } else { Unreachable::Lost(kind) }.into()
}

/// What the client says of a proxy, which a test compares with what proxies do.
fn proxy_fault(problem: &str, kind: io::ErrorKind) -> ProxyFault {
    match problem {
        "failed to create underlying connection" => ProxyFault::Connect(kind),
        "unexpected end of file" | "io error establishing tunnel" => ProxyFault::Ended,
        "proxy authorization required" => ProxyFault::Login,
        "proxy response headers too long" => ProxyFault::Head,
        _ => ProxyFault::Refused,
    }
}

fn tls(error: &rustls::Error) -> Unreachable {
    let problem = match error {
        rustls::Error::InvalidCertificate(problem) => problem,
        // A server that has the certificate of a kind alone that is not accepted says so first.
        rustls::Error::AlertReceived(
            AlertDescription::HandshakeFailure
            | AlertDescription::ProtocolVersion
            | AlertDescription::InsufficientSecurity,
        ) => return Unreachable::NothingInCommon,
        _ => return Unreachable::Handshake,
    };
    match problem {
        CertificateError::UnknownIssuer => {
            return Unreachable::Issuer("its issuer is not trusted");
        }
        // So it looks too where a CA has the name of the right one and another key.
        CertificateError::BadSignature => {
            return Unreachable::Issuer(
                "the trusted CA of its issuer's name did not sign it, or did with an RSA key of less than \
                 2048 bits, which no other CA mends",
            );
        }
        _ => {}
    }
    Unreachable::Certificate(match problem {
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is for another name"
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet"
        }
        CertificateError::ApplicationVerificationFailure => "too many others come with it",
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "it is not for servers (extended key usage serverAuth)"
        }
        CertificateError::UnhandledCriticalExtension => UNKNOWN_EXTENSION,
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => WEAK,
        CertificateError::Revoked => "it was revoked",
        CertificateError::BadEncoding => "it cannot be read",
        // Nothing of the certificate is in the names of these.
        CertificateError::Other(other) => match other.to_string().as_str() {
            "CaUsedAsEndEntity" => {
                "it is that of a CA (basicConstraints CA:TRUE); issue one of its own for the server"
            }
            "EndEntityUsedAsCa" => "its issuer is not a CA (basicConstraints CA:TRUE is missing)",
            "PathLenConstraintViolated" => "more CAs stand between it and its root than they allow",
            "NameConstraintViolation" => "its CA may not issue certificates for this name",
            "UnsupportedCriticalExtension" => UNKNOWN_EXTENSION,
            "UnsupportedCertVersion" => "it is not of version 3 of X.509",
            _ => "it is not valid",
        },
        // Formerly a variant of its own.
        other if format!("{other:?}") == "UnsupportedSignatureAlgorithm" => WEAK,
        _ => "it is not valid",
    })
}

const UNKNOWN_EXTENSION: &str = "it has a critical extension that is not known here";
const WEAK: &str = "it, or one of its issuers, is signed in a way that is not accepted, such as SHA-1 or \
                    secp521r1; no CA mends that: it needs a certificate with SHA-256 or better, by RSA \
                    of 2048 bits or more, P-256 or P-384";

#[cfg(test)]
mod tests;
