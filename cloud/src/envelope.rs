//! What every answer has in common: status, request id, error envelope, hints for a retry.

use std::time::Duration;

use reqwest::header::{CONTENT_ENCODING, DATE, HeaderMap, RETRY_AFTER};
use serde::Deserialize;

use crate::cause::{Cause, Failure, Malformed, Refusal};
use crate::code::Meaning;
use crate::date::parse_http;
use crate::sensitive::Sensitive;
use crate::transport::Answer;

/// The body of a success. It may hold a value: no part of it goes into an error.
pub(crate) struct Success {
    pub(crate) status: u16,
    pub(crate) request_id: Option<String>,
    pub(crate) body: Sensitive,
}

/// `sent` are the secrets of the request; text that echoes one of them is not repeated.
pub(crate) fn open(answer: Answer, sent: &[&Sensitive]) -> Result<Success, Failure> {
    let Answer { status, headers, body } = answer;
    let request_id = header(&headers, "x-acs-request-id").and_then(|id| identifier(id, sent));
    let plain = headers.get(CONTENT_ENCODING).is_none_or(|value| value == "identity");
    let cause = match status {
        200..300 if plain => return Ok(Success { status, request_id, body }),
        200..300 => Malformed::Encoded.into(),
        300..400 => Cause::Redirected,
        _ => {
            let envelope = Envelope::read(body.expose());
            let in_body = envelope.request_id.as_deref().and_then(|id| identifier(id, sent));
            let refusal = Cause::Refused(Box::new(envelope.refusal(status, sent)));
            let request_id = in_body.or(request_id);
            let (hint, date) = (hint(&headers), date(&headers));
            return Err(Failure { cause: refusal, status: Some(status), request_id, hint, date });
        }
    };
    Err(Failure { cause, status: Some(status), request_id, hint: None, date: None })
}

/// Whether an answer of status 200 is a refusal after all. Of such a body only a code is used that
/// we know beforehand.
pub(crate) fn misplaced_refusal(code: Option<&str>) -> Option<Cause> {
    let code = code?;
    let meaning = Meaning::of_code(code, None)?;
    let code = identifier(code, &[])?;
    let refusal = Refusal { meaning, code: Some(code), message: None, recommendation: None };
    Some(Cause::Refused(Box::new(refusal)))
}

/// A library's error text quotes what it could not read; its place is all that is told.
pub(crate) fn unreadable(error: &serde_json::Error) -> Malformed {
    let (line, column) = (error.line(), error.column());
    match error.classify() {
        serde_json::error::Category::Eof => Malformed::Truncated { line, column },
        serde_json::error::Category::Data => Malformed::Type { line, column },
        serde_json::error::Category::Syntax | serde_json::error::Category::Io => {
            Malformed::Syntax { line, column }
        }
    }
}

/// When the service says how late it is there.
fn date(headers: &HeaderMap) -> Option<u64> {
    parse_http(headers.get(DATE)?.to_str().ok()?)
}

/// An id or code: a bounded word that cannot carry text.
pub(crate) fn identifier(text: &str, sent: &[&Sensitive]) -> Option<String> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    let fits = (1..=100).contains(&text.len()) && text.bytes().all(allowed);
    (fits && !echoes(text, sent)).then(|| text.to_owned())
}

/// Empty when the body is not an envelope; then the status has to do.
#[derive(Default, Deserialize)]
struct Envelope {
    #[serde(rename = "Code", alias = "code")]
    code: Option<String>,
    #[serde(rename = "Message", alias = "message")]
    message: Option<String>,
    #[serde(rename = "RequestId", alias = "requestId")]
    request_id: Option<String>,
    #[serde(rename = "Recommend", alias = "recommend")]
    recommend: Option<String>,
}

impl Envelope {
    fn read(body: &[u8]) -> Self {
        let envelope: Self = serde_json::from_slice(body).unwrap_or_default();
        // Free text counts only in an envelope that is whole.
        if envelope.code.is_some() { envelope } else { Self::default() }
    }

    fn refusal(&self, status: u16, sent: &[&Sensitive]) -> Refusal {
        let code = self.code.as_deref().and_then(|code| identifier(code, sent));
        let meaning = Meaning::of(code.as_deref(), self.message.as_deref(), status);
        let message = self.message.as_deref().and_then(|message| line(message, sent));
        let recommendation = self.recommend.as_deref().and_then(|link| self::link(link, sent));
        Refusal { meaning, code, message, recommendation }
    }
}

/// Bounded and without control characters; `None` when it repeats a secret.
fn line(text: &str, sent: &[&Sensitive]) -> Option<String> {
    if echoes(text, sent) {
        return None;
    }
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    let line: String = text.chars().take(MESSAGE_LIMIT).map(printable).collect();
    let line = line.trim();
    (!line.is_empty()).then(|| line.to_owned())
}

fn link(text: &str, sent: &[&Sensitive]) -> Option<String> {
    let host = text.strip_prefix("https://")?.split(['/', '?', '#']).next()?;
    let known = [".aliyun.com", ".alibabacloud.com"].iter().any(|domain| host.ends_with(domain));
    let plain = text.len() <= MESSAGE_LIMIT && text.bytes().all(|b| b.is_ascii_graphic());
    (known && plain && !host.contains('@') && !echoes(text, sent)).then(|| text.to_owned())
}

/// Whether a stretch of a secret that is long enough to matter is part of the text.
fn echoes(text: &str, sent: &[&Sensitive]) -> bool {
    let stretches = || text.as_bytes().windows(STRETCH);
    sent.iter().any(|secret| {
        let secret = secret.expose();
        stretches().any(|stretch| memchr::memmem::find(secret, stretch).is_some())
    })
}

/// The wait that the service asks for.
fn hint(headers: &HeaderMap) -> Option<Duration> {
    let millis =
        |text: &str| text.trim().parse().ok().filter(|n| *n > 0).map(Duration::from_millis);
    let time_left = |name| {
        let pairs = header(headers, name)?.split(',');
        pairs.filter_map(|pair| pair.trim().strip_prefix("TimeLeft:")).find_map(millis)
    };
    header(headers, "x-acs-retry-after")
        .and_then(millis)
        .or_else(|| time_left("x-ratelimit-user-api"))
        .or_else(|| time_left("x-ratelimit-user"))
        .or_else(|| {
            let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
            Some(Duration::from_secs(seconds))
        })
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

const MESSAGE_LIMIT: usize = 300;
/// Sixteen characters of base64 are 96 bits, and no word of prose.
const STRETCH: usize = 16;

#[cfg(test)]
mod tests;
