//! A peer on the cluster's network that is no API server and holds nothing: it posts to one
//! replica of the webhook over a connection of its own.

use std::fs::File;
use std::net::{self, IpAddr};
use std::sync::Arc;
use std::thread;

use lab::cluster::NODE_ADDRESS;
use nix::sched::{CloneFlags, setns};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::release::ca_bundle;
use crate::stage::{PATIENCE, RELEASE, RELEASE_NAMESPACE, cluster};

/// One connection to a replica.
pub(crate) struct Peer {
    runtime: Runtime,
    stream: TlsStream<TcpStream>,
    host: String,
}

impl Peer {
    pub(crate) fn connect(replica: &Value) -> Self {
        let address: IpAddr = replica["status"]["podIP"].as_str().unwrap().parse().unwrap();
        let host = format!("{RELEASE}.{RELEASE_NAMESPACE}.svc");
        let stream = dial(address);
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let name = ServerName::try_from(host.clone()).unwrap();
        let stream = runtime.block_on(async {
            let stream = TcpStream::from_std(stream).unwrap();
            connector().connect(name, stream).await.unwrap()
        });
        Self { runtime, stream, host }
    }

    /// Posts a body and reads the whole answer: its status and text.
    pub(crate) fn post(mut self, body: &str) -> (u16, String) {
        self.ask(body);
        let mut answer = Vec::new();
        let Self { runtime, stream, .. } = &mut self;
        let read = async { timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap() };
        drop(runtime.block_on(read));
        let answer = String::from_utf8_lossy(&answer);
        let (head, text) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, text.to_owned())
    }

    /// Posts a body and reads nothing of the answer.
    pub(crate) fn ask(&mut self, body: &str) {
        let (host, length) = (&self.host, body.len());
        let request = format!(
            "POST /mutate HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        let Self { runtime, stream, .. } = self;
        // One that is refused early may be closed before all of it is sent.
        let sent = async {
            stream.write_all(request.as_bytes()).await?;
            stream.flush().await
        };
        let sent = runtime.block_on(async { timeout(PATIENCE, sent).await });
        drop(sent.unwrap());
    }
}

/// A socket belongs to the network of the thread that made it. The API server has the address of the
/// bridge there, and what one address may take is limited: a stranger has another one.
fn dial(address: IpAddr) -> net::TcpStream {
    let made = thread::spawn(move || {
        let network = File::open(cluster().layout().network_namespace()).unwrap();
        setns(network, CloneFlags::CLONE_NEWNET).unwrap();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let socket = TcpSocket::new_v4().unwrap();
            let own: IpAddr = NODE_ADDRESS.parse().unwrap();
            socket.bind((own, 0).into()).unwrap();
            let connected = socket.connect((address, 8443).into());
            let stream = timeout(PATIENCE, connected).await.unwrap().unwrap();
            stream.into_std().unwrap()
        })
    });
    made.join().unwrap()
}

/// It trusts what API servers trust, and shows no certificate of its own.
fn connector() -> TlsConnector {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca_bundle().as_bytes()) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}
