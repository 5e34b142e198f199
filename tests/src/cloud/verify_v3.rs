//! Checks ACS3-HMAC-SHA256 signatures. Written from the wire documents with libraries of its own:
//! sharing code with a signer would make both wrong together.

use hmac::{Hmac, Mac};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};

use super::call::Call;
use super::refusal::Refusal;

const ALGORITHM: &str = "ACS3-HMAC-SHA256";

/// RFC 3986 leaves only these beside letters and digits.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

const REQUIRED: [&str; 6] = [
    "host",
    "x-acs-action",
    "x-acs-version",
    "x-acs-date",
    "x-acs-signature-nonce",
    "x-acs-content-sha256",
];

/// An `Authorization` header taken apart; nothing in it is believed yet.
pub(crate) struct ClaimV3 {
    pub(crate) access_key_id: String,
    signed_headers: Vec<String>,
    signature: String,
}

impl ClaimV3 {
    /// `None` when the call has no `Authorization` header.
    pub(crate) fn of(call: &Call) -> Result<Option<Self>, Refusal> {
        if !call.headers.contains_key(AUTHORIZATION) {
            return Ok(None);
        }
        let header = call.header("authorization").ok_or_else(incomplete)?;
        let fields = header
            .strip_prefix(ALGORITHM)
            .and_then(|rest| rest.strip_prefix(' '))
            .ok_or_else(incomplete)?;
        let field = |name: &str| {
            let mut all = fields.split(',').filter_map(|field| field.split_once('='));
            all.find(|(key, _)| *key == name)
                .map(|(_, value)| value.to_owned())
                .ok_or_else(incomplete)
        };
        let claim = Self {
            access_key_id: field("Credential")?,
            signed_headers: field("SignedHeaders")?.split(';').map(str::to_owned).collect(),
            signature: field("Signature")?,
        };
        claim.covers(call)?;
        Ok(Some(claim))
    }

    /// What is not signed can be changed on the way: all that steers the call must be.
    fn covers(&self, call: &Call) -> Result<(), Refusal> {
        let signed = |name: &str| self.signed_headers.iter().any(|header| header == name);
        let sorted = self.signed_headers.is_sorted_by(|a, b| a < b);
        let steering = call.headers.keys().map(hyper::header::HeaderName::as_str).filter(|name| {
            name.starts_with("x-acs-") || (*name == CONTENT_TYPE.as_str() && !call.body.is_empty())
        });
        if !sorted || !REQUIRED.into_iter().chain(steering).all(signed) {
            return Err(incomplete());
        }
        if !self.signed_headers.iter().all(|name| call.headers.contains_key(name)) {
            return Err(incomplete());
        }
        Ok(())
    }

    pub(crate) fn is_signed_with(&self, call: &Call, secret: &str) -> bool {
        let body_hash = hex(&Sha256::digest(&call.body));
        if call.header("x-acs-content-sha256") != Some(body_hash.as_str()) {
            return false;
        }
        let canonical = self.canonical_request(call, &body_hash);
        let text = format!("{ALGORITHM}\n{}", hex(&Sha256::digest(canonical)));
        let Some(signature) = from_hex(&self.signature) else {
            return false;
        };
        let Ok(mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
            return false;
        };
        mac.chain_update(text).verify_slice(&signature).is_ok()
    }

    fn canonical_request(&self, call: &Call, body_hash: &str) -> String {
        let mut query: Vec<&(String, String)> = call.query.iter().collect();
        query.sort_by(|a, b| a.0.cmp(&b.0));
        let query: Vec<String> = query
            .into_iter()
            .map(|(key, value)| format!("{}={}", encode(key), encode(value)))
            .collect();
        let headers: String = self
            .signed_headers
            .iter()
            .map(|name| {
                let all = call.headers.get_all(name).into_iter();
                let mut values: Vec<String> = all
                    .map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned())
                    .collect();
                values.sort();
                format!("{name}:{}\n", values.join(","))
            })
            .collect();
        format!(
            "{}\n{}\n{}\n{headers}\n{}\n{body_hash}",
            call.method,
            call.path,
            query.join("&"),
            self.signed_headers.join(";")
        )
    }
}

pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

fn incomplete() -> Refusal {
    Refusal::new(
        400,
        "IncompleteSignature",
        "The request signature does not conform to Alibaba Cloud standards.",
    )
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits?;
    if digits.len() % 2 != 0 {
        return None;
    }
    Some(
        digits
            .chunks_exact(2)
            .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit))
            .collect(),
    )
}

#[cfg(test)]
mod tests;
