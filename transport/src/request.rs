//! A request that is ready to be sent, and the answer to it.

use bytes::Bytes;
use reqwest::Url;
pub use reqwest::{Method, header};
use secret::Sensitive;

use crate::failure::NoAnswer;
use crate::host::is_host_name;

/// Where a request goes: a host name, and a port, which is 443 for most.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    pub host: String,
    pub port: u16,
}

/// `METHOD https://HOST:PORT TARGET`.
pub struct Request {
    pub method: Method,
    pub origin: Origin,
    /// The path, from its `/` on, and the query, both encoded as they are sent.
    pub target: String,
    pub headers: header::HeaderMap,
    pub body: Option<Sensitive>,
}

pub struct Answer {
    pub status: u16,
    pub headers: header::HeaderMap,
    pub body: Sensitive,
}

impl Origin {
    /// A host at the port of HTTPS.
    #[must_use]
    pub fn https(host: &str) -> Self {
        Self { host: host.to_owned(), port: 443 }
    }

    /// The address of a target there. One that the rules for addresses would read otherwise than it
    /// is written, as with `..`, is refused: a signature may be made of it.
    pub(crate) fn url(&self, target: &str) -> Result<Url, NoAnswer> {
        let Self { host, port } = self;
        if !is_host_name(host) || !target.starts_with('/') {
            return Err(NoAnswer::Address);
        }
        let url = Url::parse(&format!("https://{host}:{port}{target}"));
        let url = url.map_err(|_| NoAnswer::Address)?;
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        let is_same = (url.path(), url.query()) == (path, query) && url.fragment().is_none();
        if is_same { Ok(url) } else { Err(NoAnswer::Address) }
    }
}

impl Request {
    pub(crate) fn into_sent(self) -> Result<reqwest::Request, NoAnswer> {
        let mut sent = reqwest::Request::new(self.method, self.origin.url(&self.target)?);
        *sent.headers_mut() = self.headers;
        if let Some(body) = self.body {
            // The bytes are wiped when the client lets go of them.
            *sent.body_mut() = Some(Bytes::from_owner(Owned(body)).into());
        }
        Ok(sent)
    }
}

struct Owned(Sensitive);

impl AsRef<[u8]> for Owned {
    fn as_ref(&self) -> &[u8] {
        self.0.expose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_sent_as_it_is_written_or_not_at_all() {
        let origin = Origin::https("kms.example");
        for target in ["/", "/?", "/?a=%2F~&b=-_.", "/v1/kv/data/shop%2Fdb?version=2"] {
            let url = origin.url(target).unwrap();
            assert_eq!(url.as_str(), format!("https://kms.example{target}"));
        }
        let other = Origin { host: "vault.example".to_owned(), port: 8200 };
        let request = Request {
            method: Method::GET,
            origin: other,
            target: "/v1/a".to_owned(),
            headers: header::HeaderMap::new(),
            body: None,
        };
        let sent = request.into_sent().unwrap();
        assert_eq!(sent.method(), Method::GET);
        assert_eq!(sent.url().as_str(), "https://vault.example:8200/v1/a");
        for target in ["", "v1", "@evil.example/", ":444/", "/a/../b", "/a b", "/a\\b", "/a#b"] {
            assert_eq!(origin.url(target), Err(NoAnswer::Address), "{target}");
        }
        for host in ["127.0.0.1", "a@kms.example", "kms.example:444", "kms.example/x", ""] {
            assert_eq!(Origin::https(host).url("/"), Err(NoAnswer::Address), "{host}");
        }
    }
}
