//! A hook by HTTP: one POST without a body to a server of this Pod. Where it answers matters, what
//! it answers does not.

use std::io;
use std::pin::pin;

use hyper::client::conn::http1;
use hyper::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderValue, USER_AGENT};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use plan::HookUrl;
use tokio::net::TcpStream;

#[derive(Debug, thiserror::Error)]
pub(crate) enum NotCalled {
    #[error("no connection: {0}")]
    Connect(io::ErrorKind),
    #[error("no answer that is HTTP")]
    NoAnswer,
    #[error("the answer is status {}; only 2xx is a success, and redirects are not followed", .0.as_u16())]
    Status(StatusCode),
}

/// Limits of the head of an answer; its body is not read.
const HEAD: usize = 16 * 1024;
const HEADERS: usize = 64;

/// Ends the connection with the head of the answer.
pub(super) async fn call(url: &HookUrl, generation: &str) -> Result<(), NotCalled> {
    let stream = TcpStream::connect(url.address()).await;
    let stream = stream.map_err(|error| NotCalled::Connect(error.kind()))?;
    let mut client = http1::Builder::new();
    client.max_buf_size(HEAD).max_headers(HEADERS);
    let (mut sender, connection) =
        client.handshake(TokioIo::new(stream)).await.map_err(|_| NotCalled::NoAnswer)?;
    let mut connection = pin!(connection);
    let mut answer = pin!(sender.send_request(request(url, generation)?));
    let answer = tokio::select! {
        biased;
        answer = &mut answer => answer,
        // The connection may end with the response; poll both.
        _ = &mut connection => answer.await,
    };
    match answer.map_err(|_| NotCalled::NoAnswer)?.status() {
        status if status.is_success() => Ok(()),
        status => Err(NotCalled::Status(status)),
    }
}

fn request(url: &HookUrl, generation: &str) -> Result<Request<String>, NotCalled> {
    let request = Request::builder()
        .method(Method::POST)
        .uri(url.path())
        .header(HOST, url.address().to_string())
        .header(CONTENT_LENGTH, HeaderValue::from_static("0"))
        .header(CONNECTION, HeaderValue::from_static("close"))
        .header(USER_AGENT, concat!("secrets-injector/", env!("CARGO_PKG_VERSION")))
        .header("x-secrets-generation", generation)
        .body(String::new());
    // A path of a plan and a name of ours can stand in a request; a test tries every character.
    request.map_err(|_| NotCalled::NoAnswer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_that_a_plan_can_have_can_be_called() {
        for byte in 0..=127_u8 {
            let url = format!("http://127.0.0.1:1/a{}b", char::from(byte));
            if let Ok(url) = HookUrl::parse(&url) {
                assert!(request(&url, "..2026").is_ok(), "{url}");
            }
        }
    }
}
