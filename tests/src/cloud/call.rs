//! One API call as it arrived, taken apart but not yet believed.

use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{HeaderMap, Method};

use super::route::{CalledService, Regions, Route};

/// Far more than any call has.
const MOST_PARAMETERS: usize = 256;

pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Without port.
    pub(crate) host: String,
    pub(crate) secure: bool,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) form: Vec<(String, String)>,
}

impl Call {
    pub(crate) fn new(
        method: Method,
        uri: &hyper::Uri,
        headers: HeaderMap,
        body: Bytes,
        secure: bool,
    ) -> Self {
        let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let host = host.split(':').next().unwrap_or_default().to_ascii_lowercase();
        let is_form = headers
            .get(CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        let form = if is_form { pairs(&body) } else { Vec::new() };
        Self {
            method,
            path: uri.path().to_owned(),
            query: pairs(uri.query().unwrap_or_default().as_bytes()),
            form,
            headers,
            body,
            host,
            secure,
        }
    }

    /// From the query or the form: clients put parameters in either.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let all = self.query.iter().chain(&self.form);
        all.into_iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Python writes `True`, Go `true`.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.parameter(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn action(&self) -> &str {
        self.header("x-acs-action").or_else(|| self.parameter("Action")).unwrap_or_default()
    }

    pub(crate) fn route(&self, regions: &Regions) -> Option<Route> {
        let version = self.header("x-acs-version").or_else(|| self.parameter("Version"));
        regions.route(&self.host, version.unwrap_or_default())
    }

    /// What the call is about, for faults and the journal. Never a value.
    pub(crate) fn subject(&self, service: CalledService) -> Option<&str> {
        match service {
            CalledService::Sts => self.parameter("RoleArn"),
            CalledService::Kms => {
                self.parameter("SecretName").or_else(|| self.parameter("SecretsList"))
            }
            CalledService::Oos => self.parameter("Name").or_else(|| self.parameter("Names")),
        }
    }

    pub(crate) fn wants_xml(&self) -> bool {
        self.parameter("Format").is_some_and(|format| format.eq_ignore_ascii_case("xml"))
    }
}

fn pairs(text: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(text)
        .take(MOST_PARAMETERS)
        .map(|(k, v)| (k.into_owned(), v.into_owned()))
        .collect()
}
