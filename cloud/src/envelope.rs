//! What every answer has in common: status, request id, error envelope, hints for a retry.

use std::time::Duration;

use secret::{Failure, LONGEST_TEXT, Sensitive, echoes, identifier, parse_http_date};
use serde::Deserialize;
use transport::header::{CONTENT_ENCODING, DATE, HeaderMap, RETRY_AFTER};
use transport::{Answer, is_host_name};

use crate::cause::{Cause, FailedAttempt, Malformed, Refusal};
use crate::error_code::{Meaning, Remedy, is_documented};
use crate::lenient_json::Object;
use crate::secret_fields::{quotes_secret_field, secret_fields};

/// The body of a success. It may hold a value: no part of it goes into an error.
pub(crate) struct Success {
    pub(crate) status: u16,
    /// The id as the header has it: it may repeat what the body holds.
    pub(crate) request_id: Option<String>,
    /// The service's clock, seconds since 1970.
    pub(crate) date: Option<u64>,
    pub(crate) body: Sensitive,
}

/// `sent` are the secrets of the request; text that echoes one of them is not repeated.
pub(crate) fn open(answer: Answer, sent: &[&Sensitive]) -> Result<Success, FailedAttempt> {
    let Answer { status, headers, body } = answer;
    let request_id = header(&headers, "x-acs-request-id");
    let plain = headers.get(CONTENT_ENCODING).is_none_or(|value| value == "identity");
    let (cause, request_id) = match status {
        200..300 if plain => {
            let request_id = request_id.map(ToOwned::to_owned);
            return Ok(Success { status, request_id, date: date(&headers), body });
        }
        // Nobody knows what a compressed body holds.
        200..300 => (Malformed::Encoded.into(), None),
        300..400 => (Cause::Redirected, None),
        _ => {
            // What stands between us and the service may put what it got from there into its own words.
            let envelope = Envelope::read(body.expose());
            let held =
                if body.is_empty() { Some(Vec::new()) } else { secret_fields(body.expose()) };
            let (refusal, request_id) = match held {
                Some(held) => {
                    let secrets: Vec<_> = sent.iter().copied().chain(&held).collect();
                    let shown = |id: Option<&str>| id.and_then(|id| identifier(id, &secrets));
                    let request_id = shown(envelope.request_id.as_deref()).or(shown(request_id));
                    (envelope.refusal(status, &secrets), request_id)
                }
                None => (envelope.silent_refusal(status, sent), None),
            };
            let refusal = Cause::Refused(Box::new(refusal));
            let (hint, date) = (hint(&headers), date(&headers));
            return Err(FailedAttempt {
                cause: refusal,
                status: Some(status),
                request_id,
                hint,
                date,
            });
        }
    };
    Err(FailedAttempt { cause, status: Some(status), request_id, hint: None, date: None })
}

/// Whether an answer of status 200 is a refusal after all. Of such a body only a code is used that
/// we know beforehand; whoever knows what was sent drops a code that repeats it.
pub(crate) fn misplaced_refusal(code: Option<&str>) -> Option<Cause> {
    let code = code?;
    let meaning = Meaning::of_code(code, None)?;
    let code = identifier(code, &[])?;
    let refusal = Refusal { meaning, code: Some(code), message: None, recommendation: None };
    Some(Cause::Refused(Box::new(refusal)))
}

/// A refusal that stands in an answer beside values, which are among `secrets`. `None` where it is not one
/// that we know word for word and that ends the matter: whoever asks for that value alone will hear more.
/// Whoever may not ask for several may be allowed to ask for one.
pub(crate) fn part_refusal(
    code: Option<&str>,
    message: Option<&str>,
    status: Option<u16>,
    secrets: &[&Sensitive],
) -> Option<Refusal> {
    let code = identifier(code.filter(|code| is_documented(code))?, secrets)?;
    let meaning = Meaning::of(Some(&code), message, status.unwrap_or(400));
    let message = message.and_then(|message| line(message, secrets));
    let refusal = Refusal { meaning, code: Some(code), message, recommendation: None };
    let is_final = meaning.remedy == Remedy::Nothing && meaning.failure != Failure::Denied;
    is_final.then_some(refusal)
}

/// A library's error text quotes what it could not read; only its place is shown.
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

/// The time at which the service says that it is.
fn date(headers: &HeaderMap) -> Option<u64> {
    parse_http_date(headers.get(DATE)?.to_str().ok()?)
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
        let read = serde_json::from_slice::<Object<Self>>(body);
        let envelope = read.map_or_else(|_| Self::default(), |Object(envelope)| envelope);
        // Free text counts only in an envelope that is whole.
        if envelope.code.is_some() { envelope } else { Self::default() }
    }

    /// What is shown of an envelope whose secrets are not known.
    fn silent_refusal(&self, status: u16, sent: &[&Sensitive]) -> Refusal {
        let code = self.code.as_deref().filter(|code| is_documented(code));
        let code = code.and_then(|code| identifier(code, sent));
        let meaning = Meaning::of(code.as_deref(), None, status);
        Refusal { meaning, code, message: None, recommendation: None }
    }

    fn refusal(&self, status: u16, secrets: &[&Sensitive]) -> Refusal {
        let code = self.code.as_deref().and_then(|code| identifier(code, secrets));
        let meaning = Meaning::of(code.as_deref(), self.message.as_deref(), status);
        let message = self.message.as_deref().and_then(|message| line(message, secrets));
        let recommendation = self.recommend.as_deref().and_then(|link| self::link(link, secrets));
        Refusal { meaning, code, message, recommendation }
    }
}

/// Bounded and printable; `None` when it repeats a secret.
fn line(text: &str, secrets: &[&Sensitive]) -> Option<String> {
    let text = text.get(..text.floor_char_boundary(LONGEST_TEXT)).unwrap_or_default();
    if echoes(text, secrets) || quotes_secret_field(text) {
        return None;
    }
    let line = printable::line(text, MESSAGE_LIMIT);
    let line = line.trim();
    (!line.is_empty()).then(|| line.to_owned())
}

/// A page of the service's own. What readers of addresses may take for another host, or for the
/// end of the address, is no link.
fn link(text: &str, secrets: &[&Sensitive]) -> Option<String> {
    let (host, path) = text.strip_prefix("https://")?.split_once('/')?;
    let known = [".aliyun.com", ".alibabacloud.com"].iter().any(|domain| host.ends_with(domain));
    let of_a_path = |b: u8| b.is_ascii_alphanumeric() || b"/?=&._~%-".contains(&b);
    let plain = text.len() <= MESSAGE_LIMIT && is_host_name(host) && path.bytes().all(of_a_path);
    (known && plain && !echoes(text, secrets)).then(|| text.to_owned())
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

#[cfg(test)]
mod tests;
