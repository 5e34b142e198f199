//! `AdmissionReview` as it crosses the wire: the request borrowed from its bytes, the response
//! written for its `uid`.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(crate) struct Review<'a> {
    #[serde(borrow, default)]
    pub(crate) api_version: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(crate) kind: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(crate) request: Option<ReviewRequest<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(crate) struct ReviewRequest<'a> {
    #[serde(borrow)]
    pub(crate) uid: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) kind: Kind<'a>,
    #[serde(borrow, default)]
    pub(crate) sub_resource: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) operation: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(crate) name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) namespace: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) object: Option<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct Kind<'a> {
    #[serde(borrow, default)]
    pub(crate) group: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(crate) kind: Cow<'a, str>,
}

/// A body that is no review, in words for its sender; nothing of it is repeated.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoReview {
    #[error(
        "the body is not an AdmissionReview as JSON: unreadable at line {line}, column {column}"
    )]
    Json { line: usize, column: usize },
    #[error(
        "the body is not an AdmissionReview: apiVersion must be admission.k8s.io/v1 and kind AdmissionReview"
    )]
    Version,
    #[error("the AdmissionReview has no request")]
    NoRequest,
    #[error("the AdmissionReview has no request.uid")]
    NoUid,
    #[error("the AdmissionReview's request.uid has more than {UID} bytes")]
    LongUid,
    #[error("the AdmissionReview's request.namespace has more than {NAMESPACE} bytes")]
    LongNamespace,
}

impl<'a> Review<'a> {
    pub(crate) fn read(body: &'a [u8]) -> Result<ReviewRequest<'a>, NoReview> {
        let review: Review<'a> = serde_json::from_slice(body)
            .map_err(|error| NoReview::Json { line: error.line(), column: error.column() })?;
        if review.api_version != API_VERSION || review.kind != KIND {
            return Err(NoReview::Version);
        }
        match review.request {
            Some(request) if request.uid.is_empty() => Err(NoReview::NoUid),
            Some(request) if request.uid.len() > UID => Err(NoReview::LongUid),
            Some(request) if request.namespace.as_ref().is_some_and(|it| it.len() > NAMESPACE) => {
                Err(NoReview::LongNamespace)
            }
            Some(request) => Ok(request),
            None => Err(NoReview::NoRequest),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    api_version: &'static str,
    kind: &'static str,
    response: Response<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    uid: &'a str,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch_type: Option<&'static str>,
    /// Base64: the API's type is bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    warnings: &'a [String],
}

#[derive(Debug, Serialize)]
struct Status<'a> {
    message: &'a str,
    reason: &'static str,
    code: u16,
}

pub(crate) fn allow(uid: &str, warnings: &[String]) -> serde_json::Result<Vec<u8>> {
    respond(Response { uid, allowed: true, status: None, patch_type: None, patch: None, warnings })
}

pub(crate) fn patched(
    uid: &str,
    patch: &impl Serialize,
    warnings: &[String],
) -> serde_json::Result<Vec<u8>> {
    let patch = STANDARD.encode(serde_json::to_vec(patch)?);
    let patch_type = Some("JSONPatch");
    respond(Response { uid, allowed: true, status: None, patch_type, patch: Some(patch), warnings })
}

pub(crate) fn deny(uid: &str, message: &str) -> serde_json::Result<Vec<u8>> {
    refuse(uid, Status { message, reason: "BadRequest", code: 400 })
}

/// A denial that may not come again: clients tell by its code that trying helps.
pub(crate) fn deny_for_now(uid: &str, message: &str) -> serde_json::Result<Vec<u8>> {
    refuse(uid, Status { message, reason: "ServiceUnavailable", code: 503 })
}

fn refuse(uid: &str, status: Status<'_>) -> serde_json::Result<Vec<u8>> {
    let status = Some(status);
    respond(Response { uid, allowed: false, status, patch_type: None, patch: None, warnings: &[] })
}

fn respond(response: Response<'_>) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&Envelope { api_version: API_VERSION, kind: KIND, response })
}

/// An API server's have 36. It is repeated in the answer.
const UID: usize = 128;
/// No namespace has a longer name. Problems repeat it.
const NAMESPACE: usize = 63;
const API_VERSION: &str = "admission.k8s.io/v1";
const KIND: &str = "AdmissionReview";
