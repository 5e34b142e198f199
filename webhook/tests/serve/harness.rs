//! A server in this process, and clients of it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::client::conn::{http1, http2};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use webhook::metrics::Metrics;
use webhook::mutate::Judge;
use webhook::reply::{Outcome, Reply};
use webhook::server::{Limits, Phase, Server};
use webhook::settings::Settings;
use webhook::tls::{self, Identity, Served};

/// No test takes this long unless something hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Lab {
    pub(crate) address: SocketAddr,
    pub(crate) ca: String,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) phase: watch::Sender<Phase>,
    pub(crate) server: JoinHandle<()>,
}

impl Lab {
    /// A server whose decision is to say what was sent.
    pub(crate) async fn start(limits: Limits) -> Self {
        Self::start_with(Judge::Alone(echo), Settings::default(), limits).await
    }

    pub(crate) async fn start_with(judge: Judge, settings: Settings, limits: Limits) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let day = Duration::from_secs(24 * 60 * 60);
        let issued = certs::issue(&["localhost".to_owned()], SystemTime::now(), day).unwrap();
        let (cert, key) = (issued.cert_pem.as_bytes(), issued.key.pem().as_bytes());
        let identity = Identity::from_pem((cert, "test"), (key, "test"), &provider).unwrap();
        let config = tls::config(Arc::new(Served::new(Some(identity))), provider).unwrap();
        let metrics = Arc::new(Metrics::new());
        let settings = Arc::new(ArcSwap::from_pointee(settings));
        let router = webhook::mutate::router(judge, settings, limits.clone(), Arc::clone(&metrics));
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let server =
            Server::bind(any, Some(Arc::new(config)), router, limits, Arc::clone(&metrics))
                .await
                .unwrap();
        let (phase, phases) = watch::channel(Phase::Serving);
        let address = server.address().unwrap();
        let server = tokio::spawn(server.run(phases));
        Self { address, ca: issued.ca_pem, metrics, phase, server }
    }

    pub(crate) async fn tls(&self) -> TlsStream<TcpStream> {
        connect(self.address, &self.ca, b"http/1.1").await.unwrap()
    }

    pub(crate) async fn http1(&self) -> http1::SendRequest<Full<Bytes>> {
        http1_over(self.tls().await).await
    }

    pub(crate) async fn http2(&self) -> http2::SendRequest<Full<Bytes>> {
        http2_over(connect(self.address, &self.ca, b"h2").await.unwrap()).await
    }

    /// A request over HTTP/2 whose body the test sends in pieces; it ends with its sender.
    pub(crate) async fn streaming(&self, method: &str, path: &str, kind: &str) -> (Answer, Pieces) {
        let stream = connect(self.address, &self.ca, b"h2").await.unwrap();
        let (mut sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let (pieces, body) = mpsc::channel(1);
        let request = Request::builder()
            .method(method)
            .uri(format!("https://localhost{path}"))
            .header("content-type", kind)
            .body(Streamed(body))
            .unwrap();
        let answer = async move { sender.send_request(request).await };
        (Box::pin(answer), pieces)
    }

    /// Sends raw bytes and reads all that comes back until the server closes.
    pub(crate) async fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = self.tls().await;
        // A server that answers early must still take what is on its way.
        // One that has closed by then has answered; without an answer the test fails anyway.
        drop(stream.write_all(bytes).await);
        drop(stream.flush().await);
        read_to_end(&mut stream).await
    }

    pub(crate) fn count(&self, line: &str) -> u64 {
        count(&self.metrics.text().unwrap(), line)
    }

    pub(crate) async fn until(&self, line: &str, enough: u64) {
        until(&format!("{line} to be {enough}"), async || self.count(line) >= enough).await;
    }
}

/// An answer on its way.
pub(crate) type Answer = Pin<Box<dyn Future<Output = hyper::Result<Response<Incoming>>>>>;
pub(crate) type Pieces = mpsc::Sender<Bytes>;

struct Streamed(mpsc::Receiver<Bytes>);

impl Body for Streamed {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
    }
}

/// What the core would say: here, what was sent.
fn echo(body: &[u8], _: &Settings) -> Reply {
    Reply {
        status: 200,
        body: body.to_vec(),
        outcome: Outcome::Unchanged,
        about: None,
        reason: None,
    }
}

pub(crate) async fn connect(
    address: SocketAddr,
    ca: &str,
    protocol: &[u8],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    let tcp = TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, tcp).await
}

pub(crate) async fn http1_over(stream: TlsStream<TcpStream>) -> http1::SendRequest<Full<Bytes>> {
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

pub(crate) async fn http2_over(stream: TlsStream<TcpStream>) -> http2::SendRequest<Full<Bytes>> {
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

pub(crate) fn review(body: &str) -> Request<Full<Bytes>> {
    Request::post("https://localhost/mutate")
        .header("host", "localhost")
        .header("content-type", "application/json")
        .body(Full::new(Bytes::copy_from_slice(body.as_bytes())))
        .unwrap()
}

pub(crate) async fn text(response: Response<Incoming>) -> (StatusCode, String) {
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

pub(crate) async fn read_to_end(stream: &mut TlsStream<TcpStream>) -> String {
    let mut answer = Vec::new();
    // A close without TLS's own goodbye counts as an end.
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8(answer).unwrap()
}

/// The value of a line of metrics, 0 if it is not there.
pub(crate) fn count(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map_or(0, |value| value.parse().unwrap())
}

pub(crate) async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let wait = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("waited for {what}"));
}
