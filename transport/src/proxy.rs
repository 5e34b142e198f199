//! A proxy that opens connections to hosts.

/// It is asked over plain HTTP, and TLS goes from end to end through what it opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// `HOST:PORT`.
    pub authority: String,
}

#[derive(Debug, thiserror::Error)]
#[error("the proxy is not HOST:PORT")]
pub struct NotAProxy;

impl Proxy {
    pub(crate) fn of_client(&self) -> Result<reqwest::Proxy, NotAProxy> {
        let url = reqwest::Url::parse(&format!("http://{}", self.authority));
        let url = url.map_err(|_| NotAProxy)?;
        // A login in it would be sent.
        let is_plain = url.username().is_empty() && url.password().is_none() && url.path() == "/";
        if !is_plain || url.query().is_some() {
            return Err(NotAProxy);
        }
        reqwest::Proxy::https(url).map_err(|_| NotAProxy)
    }
}
