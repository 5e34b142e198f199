//! STS `AssumeRoleWithOIDC` (anonymous, the token is the proof) and `AssumeRole` (signed, on top
//! of credentials that we have): requests and their answer.

use reqwest::header::{CONTENT_TYPE, HeaderValue};
use serde::Deserialize;

use crate::canonical;
use crate::cause::{Cause, Malformed, TokenProblem};
use crate::credentials::Credentials;
use crate::date::parse_iso8601;
use crate::envelope::{misplaced_refusal, unreadable};
use crate::sensitive::Sensitive;
use crate::session::Identity;
use crate::sign::{Api, Stamp, unsigned_headers};
use crate::transport::Request;
use crate::value::{Text, label};

const WITH_OIDC: Api = Api { action: "AssumeRoleWithOIDC", version: "2015-04-01" };
pub(crate) const ASSUME_ROLE: Api = Api { action: "AssumeRole", version: "2015-04-01" };

/// The identity token of the Pod, known to look like one.
pub(crate) struct Token(Sensitive);

impl Token {
    pub(crate) fn new(raw: &Sensitive) -> Result<Self, TokenProblem> {
        let token = raw.expose().trim_ascii();
        if token.is_empty() {
            return Err(TokenProblem::Empty);
        }
        let of_a_token = |b: &u8| b.is_ascii_alphanumeric() || b"-_.".contains(b);
        if !(4..=20_000).contains(&token.len()) || !token.iter().all(of_a_token) {
            return Err(TokenProblem::Shape(token.len()));
        }
        Ok(Self(Sensitive::new(token.to_vec())))
    }

    pub(crate) fn as_sensitive(&self) -> &Sensitive {
        &self.0
    }
}

/// The token travels in the form body alone: addresses end up in logs.
pub(crate) fn with_oidc(identity: &Identity, token: &Token, stamp: &Stamp) -> Request {
    let query = canonical::query(&[
        ("Action", WITH_OIDC.action),
        ("Format", "JSON"),
        ("SignatureNonce", &stamp.nonce),
        ("Timestamp", &stamp.date),
        ("Version", WITH_OIDC.version),
    ]);
    let names = canonical::query(&[
        ("DurationSeconds", &identity.duration.to_string()),
        ("OIDCProviderArn", &identity.oidc_provider_arn),
        ("RoleArn", &identity.role_arn),
        ("RoleSessionName", &identity.session_name),
    ]);
    // A token's characters need no encoding; one allocation, so that nothing is left behind.
    let body = [b"OIDCToken=", token.0.expose(), b"&", names.as_bytes()].concat();

    let mut headers = unsigned_headers();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    headers.insert("x-acs-action", HeaderValue::from_static(WITH_OIDC.action));
    headers.insert("x-acs-version", HeaderValue::from_static(WITH_OIDC.version));
    Request { host: identity.sts_endpoint.clone(), query, headers, body: Some(body.into()) }
}

/// `now` is by the service's clock; `role` stands in when the answer does not name the caller.
pub(crate) fn read(body: &[u8], role: &str, now: u64) -> Result<Credentials, Cause> {
    let answer: Answer = serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
    let Some(found) = answer.credentials else {
        let refusal = misplaced_refusal(answer.code.as_deref());
        return Err(refusal.unwrap_or(Malformed::Missing("Credentials").into()));
    };
    let key_id = found.access_key_id.ok_or(Malformed::Missing("AccessKeyId"))?;
    let Text(secret) = found.access_key_secret.ok_or(Malformed::Missing("AccessKeySecret"))?;
    let Text(token) = found.security_token.ok_or(Malformed::Missing("SecurityToken"))?;
    let expires = found.expiration.ok_or(Malformed::Missing("Expiration"))?;
    // Both go into headers.
    let of_a_key = |b: u8| b.is_ascii_alphanumeric() || b"-_.*".contains(&b);
    if key_id.is_empty() || key_id.len() > 256 || !key_id.bytes().all(of_a_key) {
        return Err(Malformed::Invalid("AccessKeyId").into());
    }
    if token.is_empty() || !token.expose().iter().all(u8::is_ascii_graphic) {
        return Err(Malformed::Invalid("SecurityToken").into());
    }
    if secret.is_empty() {
        return Err(Malformed::Invalid("AccessKeySecret").into());
    }
    let expires = parse_iso8601(&expires).ok_or(Malformed::Invalid("Expiration"))?;
    let caller = answer.assumed_role_user.and_then(|user| user.arn).unwrap_or(role.to_owned());
    Ok(Credentials::new(key_id, secret, token, label(caller, "AssumedRoleUser")?, now, expires))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    credentials: Option<Keys>,
    assumed_role_user: Option<AssumedRoleUser>,
    code: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Keys {
    access_key_id: Option<String>,
    access_key_secret: Option<Text>,
    security_token: Option<Text>,
    expiration: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AssumedRoleUser {
    arn: Option<String>,
}
