//! ACS3-HMAC-SHA256: turns a call into a signed request. Pure: date and nonce are arguments.

use transport::Request;
use transport::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue, USER_AGENT};

use crate::canonical::{self, Canonical};
use crate::cause::{Cause, Malformed};
use crate::crypto::{hmac_sha256_hex, sha256_hex};
use crate::keys::Credentials;
use crate::trust::post;

/// What makes a request unique in time.
pub(crate) struct Stamp {
    /// ISO 8601, by the service's clock as far as we know it.
    pub(crate) date: String,
    pub(crate) nonce: String,
}

/// An operation of a product's interface.
#[derive(Clone, Copy)]
pub(crate) struct Api {
    pub(crate) action: &'static str,
    pub(crate) version: &'static str,
}

/// A signed request with all parameters in the query and an empty body.
pub(crate) fn request(
    api: Api,
    host: &str,
    parameters: &[(&str, &str)],
    credentials: &Credentials,
    stamp: &Stamp,
) -> Result<Request, Cause> {
    let query = canonical::query(parameters);
    let payload_hash = sha256_hex(b"");
    // Only `host` and `x-acs-*`: what a proxy on the way may rewrite stays out of the signature.
    let mut signed: Vec<(&'static str, &[u8])> = vec![
        ("host", host.as_bytes()),
        ("x-acs-action", api.action.as_bytes()),
        ("x-acs-content-sha256", payload_hash.as_bytes()),
        ("x-acs-date", stamp.date.as_bytes()),
        ("x-acs-signature-nonce", stamp.nonce.as_bytes()),
        ("x-acs-version", api.version.as_bytes()),
    ];
    if let Some(token) = credentials.token() {
        signed.push(("x-acs-accesskey-id", credentials.key_id().as_bytes()));
        signed.push(("x-acs-security-token", token.expose()));
    }
    let canonical = canonical::request(&query, &signed, &payload_hash);
    let authorization =
        authorization(credentials.key_id(), credentials.secret().expose(), &canonical);

    let mut headers = unsigned_headers();
    for (name, value) in signed {
        let mut value =
            HeaderValue::from_bytes(value).map_err(|_| Malformed::Invalid("credentials"))?;
        value.set_sensitive(name == "x-acs-security-token");
        headers.insert(name, value);
    }
    let authorization =
        HeaderValue::from_str(&authorization).map_err(|_| Malformed::Invalid("credentials"))?;
    headers.insert(AUTHORIZATION, authorization);
    Ok(post(host, &query, headers, None))
}

/// What every request carries, signed or anonymous.
pub(crate) fn unsigned_headers() -> HeaderMap {
    HeaderMap::from_iter([
        (ACCEPT, HeaderValue::from_static("application/json")),
        (
            USER_AGENT,
            HeaderValue::from_static(concat!("secrets-injector/", env!("CARGO_PKG_VERSION"))),
        ),
    ])
}

fn authorization(key_id: &str, secret: &[u8], canonical: &Canonical) -> String {
    let string_to_sign = format!("ACS3-HMAC-SHA256\n{}", sha256_hex(&canonical.text));
    let signature = hmac_sha256_hex(secret, string_to_sign.as_bytes());
    let names = &canonical.signed_headers;
    format!("ACS3-HMAC-SHA256 Credential={key_id},SignedHeaders={names},Signature={signature}")
}

#[cfg(test)]
mod tests;
