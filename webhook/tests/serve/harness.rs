//! A server in this process, and clients of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use webhook::metrics::Metrics;
use webhook::serve::mutate::Judge;
use webhook::serve::server::{Limits, Phase, Server};
use webhook::serve::tls::{self, Identity, ServedCertificate};
use webhook::settings::Settings;
use webhook::wire::reply::{Outcome, Reply};

/// No test takes this long unless something hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Lab {
    pub(crate) address: SocketAddr,
    pub(crate) ca: String,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) phase: watch::Sender<Phase>,
    /// Requests that came when clients were already asked to leave.
    pub(crate) late: Arc<Notify>,
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
        let config =
            tls::config(Arc::new(ServedCertificate::new(Some(identity))), None, provider).unwrap();
        let metrics = Arc::new(Metrics::new());
        let settings = Arc::new(ArcSwap::from_pointee(settings));
        let router =
            webhook::serve::mutate::router(judge, settings, limits.clone(), Arc::clone(&metrics));
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let server =
            Server::bind(any, Some(Arc::new(config)), router, limits, Arc::clone(&metrics))
                .await
                .unwrap();
        let (phase, phases) = watch::channel(Phase::Serving);
        let address = server.address().unwrap();
        let late = server.late();
        let server = tokio::spawn(server.run(phases));
        Self { address, ca: issued.ca_pem, metrics, phase, late, server }
    }

    pub(crate) async fn tls(&self) -> TlsStream<TcpStream> {
        connect(self.address, &self.ca).await.unwrap()
    }

    pub(crate) async fn http1(&self) -> http1::SendRequest<Full<Bytes>> {
        http1_over(self.tls().await).await
    }

    /// A connection from 127.0.0.2; all others come from 127.0.0.1.
    pub(crate) async fn tls_of_another(&self) -> TlsStream<TcpStream> {
        self.tls_from(2).await
    }

    /// From an address of this network whose last byte this is.
    pub(crate) async fn tls_from(&self, last: u8) -> TlsStream<TcpStream> {
        connect_from(last, self.address, &self.ca).await.unwrap()
    }

    /// A connection whose client keeps little of what it has not read.
    pub(crate) async fn tls_that_keeps_little(&self) -> TlsStream<TcpStream> {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(16 * 1024).unwrap();
        secured(socket.connect(self.address).await.unwrap(), &self.ca, None).await.unwrap()
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

/// What a client shows of itself.
pub(crate) type Credential = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

pub(crate) async fn connect(
    address: SocketAddr,
    ca: &str,
) -> std::io::Result<TlsStream<TcpStream>> {
    connect_as(address, ca, None).await
}

pub(crate) async fn connect_from(
    last: u8,
    address: SocketAddr,
    ca: &str,
) -> std::io::Result<TlsStream<TcpStream>> {
    secured(tcp_from(last, address).await?, ca, None).await
}

/// A connection over which nothing has been sent yet.
pub(crate) async fn tcp_from(last: u8, address: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from(([127, 0, 0, last], 0)))?;
    socket.connect(address).await
}

pub(crate) async fn connect_as(
    address: SocketAddr,
    ca: &str,
    credential: Option<&Credential>,
) -> std::io::Result<TlsStream<TcpStream>> {
    secured(TcpStream::connect(address).await?, ca, credential).await
}

async fn secured(
    tcp: TcpStream,
    ca: &str,
    credential: Option<&Credential>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match credential {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => {
            builder.with_client_auth_cert(chain.clone(), key.clone_key()).unwrap()
        }
    };
    // One that could speak the other version too.
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, tcp).await
}

pub(crate) async fn http1_over(stream: TlsStream<TcpStream>) -> http1::SendRequest<Full<Bytes>> {
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
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
