//! `POST /mutate`: from an HTTP request to the bytes of a review, and back.

use std::sync::Arc;
use std::time::Instant;

use arc_swap::ArcSwap;
use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http_body_util::BodyExt as _;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{StatusCode, Version};
use tokio::time::{Instant as Deadline, timeout_at};

use crate::account::Account;
use crate::admit::Question;
use crate::cluster::directory::Directory;
use crate::metrics::{Metrics, Rejection};
use crate::reply::Reply;
use crate::server::{Intake, Limits, Share};
use crate::settings::Settings;

/// Decides a review. A plain function: what it needs comes in, what it says comes out.
pub type Admit = fn(&[u8], &Settings) -> Reply;

/// Who decides.
pub enum Judge {
    /// A function, without a cluster to ask.
    Alone(Admit),
    /// The same decision with the Pod's ServiceAccount.
    InCluster(Box<Directory>),
}

struct Admission {
    judge: Judge,
    settings: Arc<ArcSwap<Settings>>,
    limits: Limits,
    intake: Intake,
    metrics: Arc<Metrics>,
}

/// The routes that API servers call.
pub fn router(
    judge: Judge,
    settings: Arc<ArcSwap<Settings>>,
    limits: Limits,
    metrics: Arc<Metrics>,
) -> Router {
    let intake = Intake::new(&limits);
    let admission = Arc::new(Admission { judge, settings, limits, intake, metrics });
    Router::new()
        .route("/mutate", post(mutate))
        .method_not_allowed_fallback(wrong_method)
        .fallback(wrong_path)
        .with_state(admission)
}

async fn mutate(State(admission): State<Arc<Admission>>, request: Request) -> Response {
    let (head, mut body) = request.into_parts();
    let until = deadline(&admission.limits);
    match admission.answer(&head.headers, &mut body, until).await {
        Ok(reply) => {
            let status =
                StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let kind = if status == StatusCode::OK { JSON } else { TEXT };
            (status, [(CONTENT_TYPE, HeaderValue::from_static(kind))], reply.body).into_response()
        }
        Err(rejection) => {
            drain(head.version, &mut body, until).await;
            admission.reject(rejection)
        }
    }
}

async fn wrong_method(State(admission): State<Arc<Admission>>, request: Request) -> Response {
    admission.unread(request, Rejection::Method).await
}

async fn wrong_path(State(admission): State<Arc<Admission>>, request: Request) -> Response {
    admission.unread(request, Rejection::Path).await
}

impl Judge {
    async fn decide(&self, body: &[u8], settings: &ArcSwap<Settings>) -> Reply {
        let directory = match self {
            Self::Alone(admit) => return admit(body, &settings.load()),
            Self::InCluster(directory) => directory,
        };
        let question = match Question::read(body) {
            Ok(question) => question,
            Err(reply) => return *reply,
        };
        let account = match question.account() {
            Some((namespace, name)) => directory.of(namespace, name).await,
            None => Account::Unknown,
        };
        question.answer(&account, &settings.load())
    }
}

impl Admission {
    async fn answer(
        &self,
        headers: &HeaderMap,
        body: &mut Body,
        until: Deadline,
    ) -> Result<Reply, Rejection> {
        if !is_json(headers) {
            return Err(Rejection::ContentType);
        }
        let Ok(body) = timeout_at(until, self.read(headers, body)).await else {
            return Err(Rejection::TooSlow);
        };
        let (body, _share) = body?;
        let began = Instant::now();
        let reply = self.judge.decide(&body, &self.settings).await;
        let took = began.elapsed();
        self.metrics.admitted(reply.outcome, took);
        let about = reply.about.as_ref();
        tracing::info!(
            uid = about.map(|about| about.uid.as_str()),
            namespace = about.map(|about| about.namespace.as_str()),
            name = about.map(|about| about.name.as_str()),
            outcome = reply.outcome.as_str(),
            reason = reply.reason,
            status = reply.status,
            bytes = body.len(),
            micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            "admission"
        );
        Ok(reply)
    }

    async fn read(
        &self,
        headers: &HeaderMap,
        body: &mut Body,
    ) -> Result<(Vec<u8>, Share), Rejection> {
        let most = self.limits.body_bytes;
        if declared_length(headers).is_some_and(|length| length > most) {
            return Err(Rejection::TooLarge);
        }
        let mut share = self.intake.enter().ok_or(Rejection::Busy)?;
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Rejection::Disconnected)?;
            let Ok(data) = frame.into_data() else { continue };
            if bytes.len() + data.len() > most {
                return Err(Rejection::TooLarge);
            }
            if !share.grow(data.len()) {
                return Err(Rejection::Busy);
            }
            if bytes.is_empty() {
                // One allocation for the ordinary body, no more than was sent for a long one.
                let rest = usize::try_from(body.size_hint().lower()).unwrap_or(0);
                bytes.reserve_exact(data.len() + rest.min(ORDINARY));
            }
            bytes.extend_from_slice(&data);
        }
        if bytes.is_empty() { Err(Rejection::Empty) } else { Ok((bytes, share)) }
    }

    async fn unread(&self, request: Request, rejection: Rejection) -> Response {
        let (head, mut body) = request.into_parts();
        drain(head.version, &mut body, deadline(&self.limits)).await;
        self.reject(rejection)
    }

    fn reject(&self, rejection: Rejection) -> Response {
        self.metrics.rejected(rejection);
        let (status, text) = match rejection {
            Rejection::Path => (StatusCode::NOT_FOUND, "reviews are posted to /mutate".to_owned()),
            Rejection::Method => {
                (StatusCode::METHOD_NOT_ALLOWED, "reviews are sent with POST".to_owned())
            }
            Rejection::ContentType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "a review is sent as Content-Type: application/json".to_owned(),
            ),
            Rejection::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("a review has at most {} bytes", self.limits.body_bytes),
            ),
            Rejection::TooSlow => (
                StatusCode::REQUEST_TIMEOUT,
                format!("the review did not arrive within {:?}", self.limits.body),
            ),
            Rejection::Empty => (StatusCode::BAD_REQUEST, "the request has no body".to_owned()),
            Rejection::Busy => {
                (StatusCode::SERVICE_UNAVAILABLE, "too many reviews at once, try again".to_owned())
            }
            Rejection::Disconnected => {
                (StatusCode::BAD_REQUEST, "the body ended too early".to_owned())
            }
        };
        tracing::debug!(status = status.as_u16(), reason = text, "rejected");
        let kind = [(CONTENT_TYPE, HeaderValue::from_static(TEXT))];
        (status, kind, text + "\n").into_response()
    }
}

/// Takes in what the client of a refused request still sends, within bounds. HTTP/2 resets a
/// stream that is answered before its end, and some clients then report the reset and not the
/// answer; on HTTP/1.1 the connection lingers instead.
async fn drain(version: Version, body: &mut Body, until: Deadline) {
    if version != Version::HTTP_2 {
        return;
    }
    let mut bytes = 0;
    let rest = async {
        while let Some(Ok(frame)) = body.frame().await {
            bytes += frame.data_ref().map_or(0, |data| data.len());
            if bytes > DRAINED {
                break;
            }
        }
    };
    // A client that is still sending then is refused all the same.
    let _ = timeout_at(until, rest).await;
}

fn deadline(limits: &Limits) -> Deadline {
    Deadline::now() + limits.body
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(Ok(value)) = headers.get(CONTENT_TYPE).map(HeaderValue::to_str) else { return false };
    let kind = value.split(';').next().unwrap_or_default();
    kind.trim().eq_ignore_ascii_case(JSON)
}

fn declared_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";
const ORDINARY: usize = 64 * 1024;
/// More than a client sends before it looks for an early answer.
const DRAINED: usize = 32 * 1024 * 1024;
