//! What a handler gets of a request, and what it answers.

use std::future::Future;

use bytes::Bytes;
use hyper::StatusCode;
use hyper::http::request::Parts;

/// Answers requests. Heads are parsed; whose they are and what they ask for is the handler's to judge.
pub(crate) trait Handler: Send + Sync + 'static {
    fn answer(&self, asked: HttpRequest) -> impl Future<Output = Answer> + Send;
}

pub(crate) struct HttpRequest {
    pub(crate) head: Parts,
    /// A body was announced. Nobody reads it, and the connection ends with the answer.
    pub(crate) has_body: bool,
    /// There are more connections than are served: only what costs nothing should be answered.
    pub(crate) crowded: bool,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) content_type: &'static str,
    pub(crate) body: Bytes,
    /// Every client gets this answer: a connection with nothing but such answers makes way for
    /// others.
    pub(crate) is_anybodys: bool,
}

impl Answer {
    pub(crate) fn text(status: StatusCode, text: impl Into<Bytes>) -> Self {
        let content_type = "text/plain; charset=utf-8";
        Self { status, content_type, body: text.into(), is_anybodys: false }
    }

    pub(crate) fn json(status: StatusCode, body: Bytes) -> Self {
        Self { status, content_type: "application/json", body, is_anybodys: false }
    }

    pub(crate) fn for_anybody(self) -> Self {
        Self { is_anybodys: true, ..self }
    }
}
