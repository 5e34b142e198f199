//! A load over TLS with connections kept alive, cheap enough to share a machine with its target.
//! Loopback only, bounded in time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::samples::Samples;

pub(super) struct Load {
    pub(super) target: SocketAddr,
    pub(super) ca_pem: Vec<u8>,
    pub(super) body: Vec<u8>,
    pub(super) connections: usize,
    pub(super) time: Duration,
}

pub(super) struct LoadOutcome {
    pub(super) per_second: f64,
    pub(super) latencies: Samples,
}

impl Load {
    /// Each connection asks again as soon as it is answered; any answer but 200 is an error.
    pub(super) async fn run(&self) -> anyhow::Result<LoadOutcome> {
        ensure!(self.target.ip().is_loopback(), "{} is not on this machine", self.target);
        let connector = connector(&self.ca_pem)?;
        let request = Arc::new(request(&self.body));
        let mut streams = Vec::new();
        for _ in 0..self.connections {
            let tcp = TcpStream::connect(self.target).await.context("cannot connect")?;
            tcp.set_nodelay(true)?;
            let name = ServerName::try_from("localhost")?;
            streams.push(connector.connect(name, tcp).await.context("no TLS")?);
        }
        let start = Instant::now();
        let end = start + self.time;
        let mut tasks = JoinSet::new();
        for stream in streams {
            tasks.spawn(ask_until(stream, Arc::clone(&request), end));
        }
        let mut latencies = Vec::new();
        while let Some(one) = tasks.join_next().await {
            latencies.extend(one??);
        }
        let seconds = start.elapsed().as_secs_f64();
        let count = u32::try_from(latencies.len()).unwrap_or(u32::MAX);
        Ok(LoadOutcome {
            per_second: f64::from(count) / seconds,
            latencies: Samples::new(latencies),
        })
    }
}

async fn ask_until(
    mut stream: TlsStream<TcpStream>,
    request: Arc<Vec<u8>>,
    end: Instant,
) -> anyhow::Result<Vec<Duration>> {
    let mut latencies = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    while Instant::now() < end {
        let start = Instant::now();
        let exchange = exchange(&mut stream, &request, &mut buffer);
        tokio::time::timeout(Duration::from_secs(10), exchange)
            .await
            .context("an answer took more than 10 s")??;
        latencies.push(start.elapsed());
    }
    Ok(latencies)
}

async fn exchange(
    stream: &mut TlsStream<TcpStream>,
    request: &[u8],
    buffer: &mut Vec<u8>,
) -> anyhow::Result<()> {
    stream.write_all(request).await?;
    stream.flush().await?;
    let mut filled = 0;
    loop {
        if filled == buffer.len() {
            ensure!(filled < LONGEST, "the answer is too long");
            buffer.resize(filled * 2, 0);
        }
        let room = buffer.get_mut(filled..).context("no room")?;
        let count = stream.read(room).await?;
        ensure!(count > 0, "the connection ended before the answer did");
        filled += count;
        if is_complete(buffer.get(..filled).unwrap_or_default())? {
            return Ok(());
        }
    }
}

/// Answers about heavy Pods have some hundred kilobytes.
const LONGEST: usize = 8 * 1024 * 1024;

/// Whether status line, headers and the whole body are there.
fn is_complete(answer: &[u8]) -> anyhow::Result<bool> {
    let Some(head) = answer.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(false);
    };
    let text = std::str::from_utf8(answer.get(..head).unwrap_or_default())?;
    ensure!(text.starts_with("HTTP/1.1 200 "), "not answered with 200: {text}");
    let length = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .context("the answer has no length")?;
    let length: usize = length.1.trim().parse()?;
    Ok(answer.len() >= head + 4 + length)
}

fn request(body: &[u8]) -> Vec<u8> {
    let mut request = format!(
        "POST /mutate?timeout=5s HTTP/1.1\r\nHost: localhost\r\nUser-Agent: kube-apiserver-admission\r\n\
         Accept: application/json\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    request.extend_from_slice(body);
    request
}

fn connector(ca_pem: &[u8]) -> anyhow::Result<TlsConnector> {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca_pem) {
        roots.add(certificate?)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
