//! STS `AssumeRoleWithOIDC` (anonymous, the token is the proof) and `AssumeRole` (signed, on top
//! of credentials that we have): requests and their answer.

use std::io;

use secret::{Sensitive, parse_iso8601};
use serde::Deserialize;
use transport::Request;
use transport::header::{CONTENT_TYPE, HeaderValue};

use crate::canonical;
use crate::cause::{Cause, Malformed};
use crate::envelope::{misplaced_refusal, unreadable};
use crate::keys::{Credentials, Lifetime};
use crate::lenient_json::Object;
use crate::matching;
use crate::response::ReadError;
use crate::sign::{Api, Stamp, unsigned_headers};
use crate::trust::post;
use crate::value::{SensitiveText, label};

const WITH_OIDC: Api = Api { action: "AssumeRoleWithOIDC", version: "2015-04-01" };
pub(crate) const ASSUME_ROLE: Api = Api { action: "AssumeRole", version: "2015-04-01" };

/// What roles are assumed with, on top of the credentials of the process.
#[derive(Clone, Copy)]
pub(crate) struct Sts<'a> {
    pub(crate) endpoint: &'a str,
    pub(crate) session_name: &'a str,
    /// Lifetime of the credentials in seconds.
    pub(crate) duration: u32,
}

/// The identity token of the Pod, known to look like one.
pub(crate) struct Token(Sensitive);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenProblem {
    #[error("the identity token could not be read: {0}")]
    Unreadable(io::ErrorKind),
    #[error("the identity token is empty")]
    Empty,
    #[error("the identity token is not a token: {0} bytes, or bytes that no token has")]
    Shape(usize),
}

impl From<TokenProblem> for Cause {
    fn from(problem: TokenProblem) -> Self {
        Self::Proof(problem.to_string())
    }
}

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

/// Asks for the credentials of a role with a token.
pub(crate) struct WithOidc<'a> {
    pub(crate) endpoint: &'a str,
    pub(crate) role_arn: &'a str,
    pub(crate) oidc_provider_arn: &'a str,
    pub(crate) session_name: &'a str,
    pub(crate) duration: u32,
    pub(crate) token: &'a Token,
}

/// The token travels in the form body alone: addresses end up in logs.
pub(crate) fn with_oidc(call: &WithOidc<'_>, stamp: &Stamp) -> Request {
    let query = canonical::query(&[
        ("Action", WITH_OIDC.action),
        ("Format", "JSON"),
        ("SignatureNonce", &stamp.nonce),
        ("Timestamp", &stamp.date),
        ("Version", WITH_OIDC.version),
    ]);
    let names = canonical::query(&[
        ("DurationSeconds", &call.duration.to_string()),
        ("OIDCProviderArn", call.oidc_provider_arn),
        ("RoleArn", call.role_arn),
        ("RoleSessionName", call.session_name),
    ]);
    // A token's characters need no encoding; one allocation, so that nothing is left behind.
    let body = [b"OIDCToken=", call.token.0.expose(), b"&", names.as_bytes()].concat();

    let mut headers = unsigned_headers();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    headers.insert("x-acs-action", HeaderValue::from_static(WITH_OIDC.action));
    headers.insert("x-acs-version", HeaderValue::from_static(WITH_OIDC.version));
    post(call.endpoint, &query, headers, Some(body.into()))
}

/// What the clocks say when an answer comes.
#[derive(Clone, Copy)]
pub(crate) struct Times {
    /// The service's, as it says there.
    pub(crate) date: Option<u64>,
    /// The service's, as far as we know.
    pub(crate) expected: u64,
    pub(crate) here: u64,
}

impl Times {
    /// When something ends by our clock; `None` where it is over. The clock of who gave it counts,
    /// unless that one alone says so: something in between may have written the date.
    fn end(self, expires: u64) -> Option<u64> {
        let left = |now: u64| expires.checked_sub(now).filter(|left| *left > 0);
        let left = self.date.and_then(left).or_else(|| left(self.expected))?;
        Some(self.here.saturating_add(left))
    }
}

/// `role` and `session` were asked for.
pub(crate) fn read(
    body: &[u8],
    (role, session): (&str, &str),
    times: Times,
) -> Result<Credentials, ReadError> {
    let Object(answer): Object<StsAnswer> =
        serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
    let Some(Object(found)) = answer.credentials else {
        let refusal = misplaced_refusal(answer.code.as_deref());
        let cause = refusal.unwrap_or(Malformed::Missing("Credentials").into());
        return Err(ReadError::holding(cause, []));
    };
    let Keys { access_key_id, access_key_secret, security_token, expiration } = found;
    let SensitiveText(secret) = access_key_secret.ok_or(Malformed::Missing("AccessKeySecret"))?;
    let SensitiveText(token) = security_token.ok_or(Malformed::Missing("SecurityToken"))?;
    let caller = answer.assumed_role_user.and_then(|Object(user)| user.arn);
    let missing = || Cause::from(Malformed::Missing("AccessKeyId"));
    let checked = access_key_id.ok_or_else(missing).and_then(|key_id| {
        check_keys(&key_id, &secret, Some(&token))?;
        let expires = expiration.ok_or(Malformed::Missing("Expiration"))?;
        let expires = parse_iso8601(&expires).ok_or(Malformed::Invalid("Expiration"))?;
        let caller = caller.ok_or(Malformed::Missing("AssumedRoleUser"))?;
        let caller = label(caller, "AssumedRoleUser")?;
        matching::caller(role, session, &caller)?;
        // Callers that wait for them would find them expired, and ask again, one after the other.
        let end = times.end(expires).ok_or(Malformed::Over)?;
        Ok((key_id, caller, end))
    });
    match checked {
        Ok((key_id, caller, end)) => {
            let lifetime = Lifetime { issued: times.here, expires: end };
            Ok(Credentials::new(key_id, secret, Some(token), caller, Some(lifetime)))
        }
        Err(cause) => Err(ReadError::holding(cause, [secret, token])),
    }
}

/// Many times what the service gives.
const LONGEST_TOKEN: usize = 16 * 1024;
const LONGEST_SECRET: usize = 1024;

/// Whether all of them are such as go into headers.
pub(crate) fn check_keys(
    id: &str,
    secret: &Sensitive,
    token: Option<&Sensitive>,
) -> Result<(), Cause> {
    let of_a_key = |b: u8| b.is_ascii_alphanumeric() || b"-_.*".contains(&b);
    if id.is_empty() || id.len() > 256 || !id.bytes().all(of_a_key) {
        return Err(Malformed::Invalid("AccessKeyId").into());
    }
    // Each request repeats them, and many wait for their turn to be sent.
    let fits = |part: &Sensitive, most: usize| (1..=most).contains(&part.len());
    if let Some(token) = token
        && (!fits(token, LONGEST_TOKEN) || !token.expose().iter().all(u8::is_ascii_graphic))
    {
        return Err(Malformed::Invalid("SecurityToken").into());
    }
    if !fits(secret, LONGEST_SECRET) {
        return Err(Malformed::Invalid("AccessKeySecret").into());
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StsAnswer {
    credentials: Option<Object<Keys>>,
    assumed_role_user: Option<Object<AssumedRoleUser>>,
    code: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Keys {
    access_key_id: Option<String>,
    access_key_secret: Option<SensitiveText>,
    security_token: Option<SensitiveText>,
    expiration: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AssumedRoleUser {
    arn: Option<String>,
}
