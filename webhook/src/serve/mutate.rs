//! `POST /mutate`: from an HTTP request to the bytes of a review, and back.

mod decisions;
mod held;
mod judge;
mod pace;

use std::sync::Arc;
use std::time::Instant;

use arc_swap::ArcSwap;
use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http_body_util::BodyExt as _;
use hyper::StatusCode;
use hyper::body::Bytes;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue};
use tokio::time::{Instant as Deadline, timeout_at};

use self::decisions::Decisions;
use self::held::Held;
pub use self::judge::{Admit, Judge};
use crate::metrics::{Metrics, Rejection};
use crate::serve::server::{Intake, Limits, Peer};
use crate::settings::Settings;

struct Admission {
    decisions: Decisions,
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
    let intake = Intake::new(&limits, &metrics);
    let decisions = Decisions::new(judge, settings, &limits, &metrics);
    let admission = Arc::new(Admission { decisions, limits, intake, metrics });
    Router::new()
        .route("/mutate", post(mutate))
        .method_not_allowed_fallback(wrong_method)
        .fallback(wrong_path)
        .with_state(admission)
}

async fn mutate(State(admission): State<Arc<Admission>>, request: Request) -> Response {
    let (head, mut body) = request.into_parts();
    let kind = BodyKind::of(&head.headers);
    let peer = Peer::of(&head.extensions);
    // Its names and values take memory that nobody counts, and the body may be slow.
    drop(head);
    let until = deadline(&admission.limits);
    match admission.answer(kind, peer, &mut body, until).await {
        Ok((status, answer)) => {
            let kind = if status == StatusCode::OK { JSON } else { TEXT };
            (status, [(CONTENT_TYPE, HeaderValue::from_static(kind))], answer).into_response()
        }
        Err(rejection) => admission.reject(rejection),
    }
}

async fn wrong_method(State(admission): State<Arc<Admission>>) -> Response {
    admission.reject(Rejection::Method)
}

async fn wrong_path(State(admission): State<Arc<Admission>>) -> Response {
    admission.reject(Rejection::Path)
}

impl Admission {
    /// The status and body of an answer. Its bytes keep their share of the memory until they have
    /// been sent.
    async fn answer(
        &self,
        kind: BodyKind,
        peer: Peer,
        body: &mut Body,
        until: Deadline,
    ) -> Result<(StatusCode, Bytes), Rejection> {
        if !kind.json {
            return Err(Rejection::ContentType);
        }
        let Ok(review) = timeout_at(until, self.read(kind.length, peer, body)).await else {
            return Err(Rejection::TooSlow);
        };
        let review = review?;
        let bytes = review.bytes().len();
        let began = Instant::now();
        let (reply, review) = self.decisions.make(review, peer, until).await?;
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
            bytes,
            micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            "admission"
        );
        let status =
            StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Ok((status, review.answered(reply.body).ok_or(Rejection::Busy)?))
    }

    async fn read(
        &self,
        length: Option<usize>,
        peer: Peer,
        body: &mut Body,
    ) -> Result<Held, Rejection> {
        let most = self.limits.body_bytes;
        if length.is_some_and(|length| length > most) {
            return Err(Rejection::TooLarge);
        }
        let mut review = Held::new(self.intake.enter(peer));
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Rejection::Disconnected)?;
            let Ok(data) = frame.into_data() else { continue };
            if review.bytes().len() + data.len() > most {
                return Err(Rejection::TooLarge);
            }
            let rest = usize::try_from(body.size_hint().lower()).unwrap_or(0);
            if !review.extend(&data, rest) {
                return Err(Rejection::Busy);
            }
        }
        if review.bytes().is_empty() { Err(Rejection::Empty) } else { Ok(review) }
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
            Rejection::Failed => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "the review could not be decided; the log of the webhook says why".to_owned(),
            ),
        };
        tracing::debug!(status = status.as_u16(), reason = text, "rejected");
        let kind = [(CONTENT_TYPE, HeaderValue::from_static(TEXT))];
        (status, kind, text + "\n").into_response()
    }
}

fn deadline(limits: &Limits) -> Deadline {
    Deadline::now() + limits.body
}

/// What a head says of its body.
struct BodyKind {
    json: bool,
    length: Option<usize>,
}

impl BodyKind {
    fn of(headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let kind = text(CONTENT_TYPE).and_then(|value| value.split(';').next());
        Self {
            json: kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case(JSON)),
            length: text(CONTENT_LENGTH).and_then(|length| length.parse().ok()),
        }
    }
}

const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";
