//! What a client wants, by method, path and query of its request. It is pure.

use std::borrow::Cow;

use plan::{KmsSecret, KmsVersion};

use crate::health::metrics::serve::Page;

#[derive(Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// The client asks whether anybody is there.
    Ping,
    /// The client asks how it goes.
    Metrics,
    Ready,
    Get(SecretRequest<'a>),
}

/// One version of one secret; names are of the shape that KMS allows.
#[derive(Debug, PartialEq, Eq)]
pub struct SecretRequest<'a> {
    pub id: Cow<'a, str>,
    pub version_id: Option<Cow<'a, str>>,
    pub version_stage: Option<Cow<'a, str>>,
    /// The client wants no answer that is kept already.
    pub refresh_now: bool,
}

/// Words of the API, as the KMS Agent's model has them.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRequest {
    #[error("Not allowed")]
    Method,
    #[error("Not found")]
    Path,
    #[error("missing parameter secretId")]
    NoId,
    #[error("missing secret ID")]
    NoIdInPath,
    #[error("unknown parameter: {0}")]
    Unknown(String),
    #[error("parameter given twice: {0}")]
    Twice(&'static str),
    #[error("invalid {0} value")]
    Invalid(&'static str),
}

pub(crate) const PING: &str = "/ping";
const BY_QUERY: &str = "/secretsmanager/get";
const BY_PATH: &str = "/v1/";

impl<'a> Request<'a> {
    /// `query` is what follows the question mark.
    pub fn parse(method: &str, path: &'a str, query: Option<&'a str>) -> Result<Self, BadRequest> {
        let page = Page::at(path);
        // The pages are those of `metrics-port`, which answers both.
        if method != "GET" && !(method == "HEAD" && page.is_some()) {
            return Err(BadRequest::Method);
        }
        if path == PING {
            return Ok(Self::Ping);
        }
        match page {
            Some(Page::Metrics) => return Ok(Self::Metrics),
            Some(Page::Ready) => return Ok(Self::Ready),
            None => {}
        }
        let id = match path.strip_prefix(BY_PATH) {
            // The name is not decoded: it needs no escapes in a path.
            Some("") => return Err(BadRequest::NoIdInPath),
            Some(id) => Some(Cow::Borrowed(id)),
            None if path == BY_QUERY => None,
            None => return Err(BadRequest::Path),
        };
        SecretRequest::parse(id, query.unwrap_or_default()).map(Self::Get)
    }
}

impl<'a> SecretRequest<'a> {
    fn parse(in_path: Option<Cow<'a, str>>, query: &'a str) -> Result<Self, BadRequest> {
        let by_path = in_path.is_some();
        let (mut id, mut version_id, mut version_stage) = (in_path, None, None);
        let mut refresh = None;
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, slot) = match name {
                "secretId" if !by_path => ("secretId", &mut id),
                "versionId" => ("versionId", &mut version_id),
                "versionStage" => ("versionStage", &mut version_stage),
                "refreshNow" => ("refreshNow", &mut refresh),
                _ => return Err(BadRequest::Unknown(printable(name))),
            };
            let value = decoded(value).ok_or(BadRequest::Invalid(name))?;
            if slot.replace(value).is_some() {
                return Err(BadRequest::Twice(name));
            }
        }
        let given = |value: Option<Cow<'a, str>>| value.filter(|text| !text.is_empty());
        let wanted = Self {
            id: given(id).ok_or(BadRequest::NoId)?,
            version_id: given(version_id),
            version_stage: given(version_stage),
            refresh_now: refresh.as_deref().map_or(Ok(false), flag)?,
        };
        wanted.check()
    }

    /// Nobody needs to ask KMS for what it would not take.
    fn check(self) -> Result<Self, BadRequest> {
        let fits = |version| KmsSecret::new(&self.id, version).is_ok();
        let text = |text: &Cow<'_, str>| text.clone().into_owned();
        if !fits(None) {
            return Err(BadRequest::Invalid("secretId"));
        }
        if self.version_id.as_ref().is_some_and(|id| !fits(Some(KmsVersion::Id(text(id))))) {
            return Err(BadRequest::Invalid("versionId"));
        }
        let stage = self.version_stage.as_ref();
        if stage.is_some_and(|stage| !fits(Some(KmsVersion::Stage(text(stage))))) {
            return Err(BadRequest::Invalid("versionStage"));
        }
        Ok(self)
    }
}

impl BadRequest {
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Method => 405,
            Self::Path => 404,
            _ => 400,
        }
    }
}

fn flag(value: &str) -> Result<bool, BadRequest> {
    let is = |word: &&str| value.eq_ignore_ascii_case(word);
    if ["true", "1"].iter().any(is) {
        Ok(true)
    } else if ["false", "0"].iter().any(is) {
        Ok(false)
    } else {
        Err(BadRequest::Invalid("refreshNow"))
    }
}

/// Undoes `%xx`. Returns `None` where the result is no text. A plus stays one: no name has a space.
fn decoded(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
            let (high, low) = (digit(rest.next())?, digit(rest.next())?);
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

/// What a refusal may repeat.
fn printable(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_graphic()).take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(
        path: &str,
        query: &str,
    ) -> Result<(String, Option<String>, Option<String>, bool), String> {
        match Request::parse("GET", path, Some(query)) {
            Ok(Request::Get(wanted)) => Ok((
                wanted.id.into_owned(),
                wanted.version_id.map(Cow::into_owned),
                wanted.version_stage.map(Cow::into_owned),
                wanted.refresh_now,
            )),
            Ok(other) => Err(format!("{other:?}")),
            Err(refused) => Err(format!("{} {refused}", refused.status())),
        }
    }

    fn found(id: &str) -> Result<(String, Option<String>, Option<String>, bool), String> {
        Ok((id.to_owned(), None, None, false))
    }

    #[test]
    fn a_secret_is_named_in_the_query_or_in_the_path() {
        assert_eq!(
            get("/secretsmanager/get", "secretId=app/dev/secret-1"),
            found("app/dev/secret-1")
        );
        assert_eq!(get("/v1/app/dev/secret-1", ""), found("app/dev/secret-1"));
        assert_eq!(
            get("/secretsmanager/get", "secretId=app%2Fdev%2fa%2Bb+c"),
            found("app/dev/a+b+c")
        );
        let arn = "acs:kms:cn-hangzhou:1234567890123456:secret/db";
        assert_eq!(get("/secretsmanager/get", &format!("secretId={arn}")), found(arn));
        let all = "versionId=v1&versionStage=ACSPrevious&refreshNow=TRUE";
        let expected =
            ("db".to_owned(), Some("v1".to_owned()), Some("ACSPrevious".to_owned()), true);
        assert_eq!(get("/v1/db", all), Ok(expected.clone()));
        assert_eq!(get("/secretsmanager/get", &format!("{all}&secretId=db")), Ok(expected));
    }

    #[test]
    fn flags_are_words_or_digits_in_any_case() {
        for (value, expected) in [("1", true), ("True", true), ("0", false), ("FALSE", false)] {
            let (.., refresh) = get("/v1/db", &format!("refreshNow={value}")).unwrap();
            assert_eq!(refresh, expected, "{value}");
        }
    }

    #[test]
    fn what_is_empty_is_as_if_it_were_not_there() {
        assert_eq!(get("/v1/db", "versionId=&versionStage="), found("db"));
        assert_eq!(get("/v1/db", "&&"), found("db"));
    }

    #[test]
    fn every_refusal_says_what_is_wrong() {
        for (path, query, expected) in [
            ("/secretsmanager/get", "", "400 missing parameter secretId"),
            ("/secretsmanager/get", "secretId=", "400 missing parameter secretId"),
            ("/secretsmanager/get", "secretid=db", "400 unknown parameter: secretid"),
            ("/secretsmanager/get", "secretId=a&secretId=b", "400 parameter given twice: secretId"),
            ("/secretsmanager/get", "secretId=a&x%0d%0a=1", "400 unknown parameter: x%0d%0a"),
            ("/secretsmanager/get", "secretId=a%2", "400 invalid secretId value"),
            ("/secretsmanager/get", "secretId=a%zz", "400 invalid secretId value"),
            ("/secretsmanager/get", "secretId=a%ff", "400 invalid secretId value"),
            ("/secretsmanager/get", "secretId=a%20b", "400 invalid secretId value"),
            ("/secretsmanager/get", "secretId=oos://a", "400 invalid secretId value"),
            ("/v1/", "", "400 missing secret ID"),
            ("/v1/a%2Fb", "", "400 invalid secretId value"),
            ("/v1/a", "secretId=b", "400 unknown parameter: secretId"),
            ("/v1/a", "versionId=a%20b", "400 invalid versionId value"),
            ("/v1/a", "versionStage=ä", "400 invalid versionStage value"),
            ("/v1/a", "refreshNow=", "400 invalid refreshNow value"),
            ("/v1/a", "refreshNow=yes", "400 invalid refreshNow value"),
            ("/v1", "", "404 Not found"),
            ("/", "", "404 Not found"),
            ("/secretsmanager/get/", "secretId=a", "404 Not found"),
            ("/ping/", "", "404 Not found"),
        ] {
            assert_eq!(get(path, query), Err(expected.to_owned()), "{path}?{query}");
        }
        let long = "x".repeat(193);
        assert_eq!(get(&format!("/v1/{long}"), ""), Err("400 invalid secretId value".to_owned()));
        for method in ["POST", "HEAD", "get", "OPTIONS"] {
            assert_eq!(Request::parse(method, PING, None), Err(BadRequest::Method));
        }
        assert_eq!(Request::parse("GET", PING, None), Ok(Request::Ping));
        for (page, request) in [("/metrics", Request::Metrics), ("/readyz", Request::Ready)] {
            for method in ["GET", "HEAD"] {
                assert_eq!(Request::parse(method, page, None).as_ref(), Ok(&request), "{method}");
            }
            assert_eq!(Request::parse("POST", page, None), Err(BadRequest::Method));
        }
    }
}
