//! What becomes of a request where a proxy opens the connection, or does not.

#![cfg(test)]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use tokio::time::Instant;
use transport::{
    AttemptError, Method, NoAnswer, Origin, Proxy, ProxyFault, Request, Roots, Transport,
    TransportConfig, Unreachable, header,
};

#[derive(Debug, PartialEq)]
struct Failed(NoAnswer);

impl From<NoAnswer> for Failed {
    fn from(no_answer: NoAnswer) -> Self {
        Self(no_answer)
    }
}

impl AttemptError for Failed {
    fn ends_connection(&self) -> bool {
        false
    }
}

/// Nothing on loopback takes it.
const LONG: Duration = Duration::from_secs(30);

/// Answers whatever comes with the same bytes, and keeps what came.
struct Stub {
    address: SocketAddr,
    came: Arc<Mutex<Vec<u8>>>,
    task: AbortHandle,
}

impl Stub {
    /// `None` is silence; the connection is closed behind an answer.
    async fn answering(answer: Option<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let came = Arc::new(Mutex::new(Vec::new()));
        let keep = Arc::clone(&came);
        let task = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.unwrap());
                }
                keep.lock().unwrap().extend(head);
                match &answer {
                    Some(answer) => _ = stream.write_all(answer).await,
                    None => std::future::pending().await,
                }
                // What comes behind it is looked at too, until the client lets go.
                let _ = stream.shutdown().await;
                let mut rest = Vec::new();
                let _ = stream.read_to_end(&mut rest).await;
                keep.lock().unwrap().extend(rest);
            }
        });
        Self { address, came, task: task.abort_handle() }
    }

    fn came(&self) -> String {
        String::from_utf8_lossy(&self.came.lock().unwrap()).into_owned()
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One attempt, with a token in its body, through a proxy that listens there.
async fn ask_through(address: SocketAddr, patience: Duration) -> Unreachable {
    let transport = Transport::new(TransportConfig {
        roots: vec![("*".to_owned(), Some(Roots::public(None).unwrap()))],
        connect_to: vec![("*".to_owned(), address)],
        proxy: Some(Proxy { authority: format!("proxy.example:{}", address.port()) }),
        connect_timeout: patience,
        ..TransportConfig::default()
    });
    let request = Request {
        method: Method::POST,
        origin: Origin::https("kms.example"),
        target: "/?canary".to_owned(),
        headers: header::HeaderMap::new(),
        body: Some("canary-token".to_owned().into()),
    };
    let deadline = Instant::now() + LONG;
    let sent = transport.unwrap().send(request, (), deadline, |_| Ok::<(), Failed>(())).await;
    match sent.unwrap_err() {
        Failed(NoAnswer::Unreachable(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn each_thing_that_a_proxy_does_instead_has_its_own_words() {
    let endless = [b"HTTP/1.1 200 OK\r\nx: ".to_vec(), vec![b'x'; 64 * 1024]].concat();
    for (answer, fault, may_pass) in [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n".to_vec(), ProxyFault::Login, false),
        (b"HTTP/1.1 403 Forbidden\r\n\r\ncanary".to_vec(), ProxyFault::Refused, true),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n".to_vec(), ProxyFault::Refused, true),
        (
            b"HTTP/1.1 302 Found\r\nlocation: https://evil.example/\r\n\r\n".to_vec(),
            ProxyFault::Refused,
            true,
        ),
        (b"SSH-2.0-x\r\n\r\n".to_vec(), ProxyFault::Refused, true),
        (Vec::new(), ProxyFault::Ended, true),
        (endless, ProxyFault::Head, false),
    ] {
        let proxy = Stub::answering(Some(answer)).await;
        let why = ask_through(proxy.address, LONG).await;
        assert_eq!(why, Unreachable::Proxy(fault));
        assert_eq!(why.may_pass(), may_pass, "{why}");
        assert!(!why.to_string().contains("canary"), "{why}");
        // It learns the name of the host, and nothing of the request.
        assert_eq!(
            proxy.came(),
            "CONNECT kms.example:443 HTTP/1.1\r\nHost: kms.example:443\r\n\r\n"
        );
    }
}

#[tokio::test]
async fn a_page_in_place_of_a_connection_is_no_certificate() {
    let page = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<html>please log in</html>";
    let proxy = Stub::answering(Some(page.to_vec())).await;
    let why = ask_through(proxy.address, LONG).await;
    assert!(why.may_pass() && !why.to_string().contains("log in"), "{why}");
    assert!(!proxy.came().contains("canary"), "{}", proxy.came());
}

#[tokio::test]
async fn a_proxy_that_hangs_or_is_not_there_ends_the_attempt_in_its_time() {
    let proxy = Stub::answering(None).await;
    assert_eq!(
        ask_through(proxy.address, Duration::from_millis(500)).await,
        Unreachable::ConnectTimeout
    );
    // Nobody listens there as long as it is bound.
    let closed = tokio::net::TcpSocket::new_v4().unwrap();
    closed.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let why = ask_through(closed.local_addr().unwrap(), LONG).await;
    let refused = ProxyFault::Connect(std::io::ErrorKind::ConnectionRefused);
    assert_eq!(why, Unreachable::Proxy(refused));
}

#[tokio::test]
async fn a_proxy_with_a_login_or_a_path_is_none() {
    for authority in ["user:password@proxy.example:1", "proxy.example:1/x", "proxy.example:1?x", ""]
    {
        let proxy = Some(Proxy { authority: authority.to_owned() });
        let made = Transport::<()>::new(TransportConfig { proxy, ..TransportConfig::default() });
        assert_eq!(made.err().unwrap().to_string(), "the proxy is not HOST:PORT", "{authority}");
    }
}
