//! A TLS server that plays every host: it records what it is asked and answers as told.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cloud::provider::{CredentialsProvider, OidcRole, RrsaProvider, StsSession};
use cloud::{Error, Lookup, Session, Subject, Transport, TransportConfig};
use secret::{Fetched, RetryPolicy, Sensitive};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;

use crate::authority::{Authority, Leaf};

pub(crate) const STS: &str = "sts-vpc.cn-hangzhou.aliyuncs.com";
pub(crate) const KMS: &str = "kms-vpc.cn-hangzhou.aliyuncs.com";
pub(crate) const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.canary-token-canary-token.signature";
pub(crate) const CANARY: &str = "canary-value-3d1f0c";

/// A request as it came over the wire.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) line: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: String,
    pub(crate) connection: usize,
    pub(crate) at: Instant,
}

impl Seen {
    pub(crate) fn host(&self) -> &str {
        &self.headers["host"]
    }

    pub(crate) fn action(&self) -> &str {
        &self.headers["x-acs-action"]
    }

    /// A parameter of the query, decoded.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let address = self.line.split(' ').nth(1).unwrap().replace("%2F", "/").replace("%20", " ");
        let address = address.replace("%3A", ":");
        let query = address.split_once('?').unwrap().1;
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
    }

    /// The elements of a call for several secrets.
    pub(crate) fn listed(&self) -> Vec<serde_json::Value> {
        let address = self.line.split(' ').nth(1).unwrap();
        let (_, list) = address.split_once("SecretsList=").unwrap();
        let mut bytes = Vec::new();
        let mut rest = list.bytes();
        while let Some(byte) = rest.next() {
            let mut digit = || char::from(rest.next().unwrap()).to_digit(16).unwrap();
            bytes.push(match byte {
                b'%' => u8::try_from(digit() * 16 + digit()).unwrap(),
                other => other,
            });
        }
        serde_json::from_slice(&bytes).unwrap()
    }

    /// What KMS answers to a call for several secrets: values that say of which they are.
    pub(crate) fn answers(&self) -> serde_json::Value {
        let part = |element: &serde_json::Value| {
            let stage = element.get("VersionStage").cloned().unwrap_or("ACSCurrent".into());
            let name = element["SecretName"].as_str().unwrap();
            serde_json::json!({
                "SecretName": name, "VersionId": "v1", "SecretDataType": "text",
                "SecretData": format!("value of {name}"), "SecretType": "Generic",
                "VersionStages": {"VersionStage": [stage]},
            })
        };
        let values: Vec<_> = self.listed().iter().map(part).collect();
        serde_json::json!({"SecretValues": values, "Errors": [], "RequestId": "batch-1"})
    }

    /// What KMS answers to it.
    pub(crate) fn answer(&self, value: &str) -> String {
        let version = self.parameter("VersionId");
        let stage = self.parameter("VersionStage").unwrap_or_else(|| String::from("ACSCurrent"));
        let body = serde_json::json!({
            "SecretName": self.parameter("SecretName").unwrap_or_default(),
            "VersionId": version.as_deref().unwrap_or("v1"), "SecretData": value,
            "SecretDataType": "text", "SecretType": "Generic", "RequestId": "kms-1",
            "VersionStages": {"VersionStage": [stage]},
        });
        body.to_string()
    }

    pub(crate) fn key_id(&self) -> &str {
        self.headers.get("x-acs-accesskey-id").map_or("", String::as_str)
    }
}

#[derive(Clone)]
pub(crate) enum Reply {
    Json(u16, String),
    /// The secret that is asked for, in the version and stage that are asked for, with this value.
    Value(String),
    /// Status, headers, body.
    Full(u16, Vec<(&'static str, String)>, String),
    /// Bytes as they are, then the end of the connection.
    Raw(String),
    /// An answer; when told, something more; when the client hung up, word of it.
    Stray(String, String, Arc<Notify>, Arc<Notify>),
    /// No answer comes, forever.
    Silence,
    /// These bytes, then nothing.
    Stall(String),
}

type Handler = dyn Fn(&Seen) -> Reply + Send + Sync;

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    accepted: Arc<AtomicUsize>,
    /// Connections that neither side has ended.
    open: watch::Receiver<usize>,
    accepting: AbortHandle,
}

impl Server {
    pub(crate) async fn start(
        certificate: Leaf,
        handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(certificate.config()));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let handler: Arc<Handler> = Arc::new(handler);
        let log = Arc::clone(&seen);
        let accepted = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&accepted);
        let (count, open) = watch::channel(0);
        let accepting = tokio::spawn(async move {
            for connection in 0.. {
                let Ok((stream, _)) = listener.accept().await else { return };
                counter.fetch_add(1, Ordering::SeqCst);
                let count = count.clone();
                count.send_modify(|open| *open += 1);
                stream.set_nodelay(true).unwrap();
                let (acceptor, handler, log) =
                    (acceptor.clone(), Arc::clone(&handler), Arc::clone(&log));
                tokio::spawn(async move {
                    if let Ok(mut stream) = acceptor.accept(stream).await {
                        while serve(&mut stream, connection, &handler, &log).await {}
                    }
                    count.send_modify(|open| *open -= 1);
                });
            }
        });
        Self { address, seen, accepted, open, accepting: accepting.abort_handle() }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// TCP connections so far, used or not.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// Returns when so many connections are open or more.
    pub(crate) async fn has_open_at_least(&self, least: usize) {
        self.open.clone().wait_for(|open| *open >= least).await.unwrap();
    }

    /// Returns when so many connections are open or fewer.
    pub(crate) async fn has_open_at_most(&self, most: usize) {
        self.open.clone().wait_for(|open| *open <= most).await.unwrap();
    }

    pub(crate) fn count(&self, action: &str) -> usize {
        self.seen().iter().filter(|seen| seen.action() == action).count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// One request and its answer; whether the connection stays open.
async fn serve(
    stream: &mut tokio_rustls::server::TlsStream<tokio::net::TcpStream>,
    connection: usize,
    handler: &Arc<Handler>,
    log: &Arc<Mutex<Vec<Seen>>>,
) -> bool {
    let Some(seen) = read(stream, connection).await else { return false };
    log.lock().unwrap().push(seen.clone());
    let (text, stay) = match handler(&seen) {
        Reply::Json(status, body) => (full(status, &[], &body), true),
        Reply::Value(text) => (full(200, &[], &seen.answer(&text)), true),
        Reply::Full(status, headers, body) => (full(status, &headers, &body), true),
        Reply::Raw(text) => (text, false),
        Reply::Stray(body, stray, send, ended) => {
            stream.write_all(full(200, &[], &body).as_bytes()).await.unwrap();
            stream.flush().await.unwrap();
            send.notified().await;
            stream.write_all(stray.as_bytes()).await.unwrap();
            stream.flush().await.unwrap();
            let _ = stream.read(&mut [0; 1]).await;
            ended.notify_one();
            return false;
        }
        Reply::Silence => std::future::pending().await,
        Reply::Stall(text) => {
            let _ = stream.write_all(text.as_bytes()).await;
            let _ = stream.flush().await;
            std::future::pending().await
        }
    };
    // The client may hang up before it has read everything.
    let written = stream.write_all(text.as_bytes()).await.is_ok() && stream.flush().await.is_ok();
    if !stay {
        let _ = stream.shutdown().await;
    }
    written && stay
}

fn full(status: u16, headers: &[(&'static str, String)], body: &str) -> String {
    let headers: String =
        headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
}

async fn read(
    stream: &mut tokio_rustls::server::TlsStream<tokio::net::TcpStream>,
    connection: usize,
) -> Option<Seen> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let text = String::from_utf8(bytes[..head].to_vec()).unwrap();
    let mut lines = text.split("\r\n");
    let line = lines.next().unwrap().to_owned();
    let headers: HashMap<String, String> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    while bytes.len() < head + 4 + length {
        stream.read_buf(&mut bytes).await.ok()?;
    }
    let body = String::from_utf8(bytes[head + 4..].to_vec()).unwrap();
    Some(Seen { line, headers, body, connection, at: Instant::now() })
}

/// A session whose every host is played by one server.
pub(crate) struct Bench {
    pub(crate) server: Server,
    pub(crate) session: Session,
}

impl Bench {
    pub(crate) async fn new(handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::with_retry(quick(), handler).await
    }

    pub(crate) async fn with_retry(
        retry: RetryPolicy,
        handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let authority = Authority::root("public");
        let leaf = authority.leaf(&["*.cn-hangzhou.aliyuncs.com", "*.cn-beijing.aliyuncs.com"]);
        let server = Server::start(leaf, handler).await;
        let transport = Transport::new(config(&authority, server.address)).unwrap();
        let session = session(transport, retry);
        Self { server, session }
    }

    pub(crate) async fn fetch(&self, lookup: &Lookup) -> Result<Fetched, Error> {
        self.session.fetch(lookup, soon()).await
    }

    /// The error of fetching `db`.
    pub(crate) async fn refused(&self) -> Error {
        self.fetch(&secret("db")).await.unwrap_err()
    }
}

/// A handler in which STS works and everything else is answered by `fetch`.
pub(crate) fn after_sts(
    fetch: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
) -> impl Fn(&Seen) -> Reply + Send + Sync + 'static {
    move |seen| match seen.action() {
        "AssumeRoleWithOIDC" => credentials("STS.base", "acs:ram::1:role/app/pod"),
        _ => fetch(seen),
    }
}

pub(crate) fn session(transport: Transport, retry: RetryPolicy) -> Session {
    session_with(transport, || Ok(Sensitive::from(String::from(TOKEN))), retry)
}

pub(crate) fn session_with(
    transport: Transport,
    token: impl Fn() -> std::io::Result<Sensitive> + Send + Sync + 'static,
    retry: RetryPolicy,
) -> Session {
    let provider = CredentialsProvider::Rrsa(RrsaProvider::new(role(), sts(), token));
    Session::new(Arc::new(transport), provider, retry)
}

fn role() -> OidcRole {
    OidcRole {
        role_arn: String::from("acs:ram::1:role/app"),
        oidc_provider_arn: String::from("acs:ram::1:oidc-provider/ack-rrsa-c1"),
    }
}

pub(crate) fn sts() -> StsSession {
    let (endpoint, session_name) = (String::from(STS), String::from("pod"));
    StsSession { endpoint, session_name, duration: 3600 }
}

pub(crate) fn config(authority: &Authority, address: SocketAddr) -> TransportConfig {
    TransportConfig {
        extra_ca: Some(authority.pem.clone().into_bytes()),
        connect_to: vec![(String::from("*"), address)],
        ..TransportConfig::default()
    }
}

/// Long enough for any machine; no test waits for it.
pub(crate) fn soon() -> tokio::time::Instant {
    tokio::time::Instant::now() + Duration::from_secs(60)
}

pub(crate) fn quick() -> RetryPolicy {
    RetryPolicy::new(Duration::from_millis(1), Duration::from_millis(20)).unwrap()
}

pub(crate) fn secret(name: &str) -> Lookup {
    let subject =
        Subject::KmsSecret { name: name.to_owned(), version_id: None, version_stage: None };
    Lookup { endpoint: String::from(KMS), subject, assume: None }
}

/// What STS answers, with credentials that outlive every test.
pub(crate) fn credentials(key_id: &str, arn: &str) -> Reply {
    credentials_until(key_id, arn, "2999-01-01T00:00:00Z")
}

/// Those of a role, with a key that tells the role's account.
pub(crate) fn credentials_of(role: &str) -> Reply {
    let account = role.split(':').nth(3).unwrap();
    credentials(&format!("STS.{account}"), &format!("{role}/pod"))
}

pub(crate) fn credentials_until(key_id: &str, arn: &str, expiration: &str) -> Reply {
    let body = serde_json::json!({
        "RequestId": "sts-1",
        "AssumedRoleUser": {"Arn": arn, "AssumedRoleId": "1:pod"},
        "Credentials": {
            "AccessKeyId": key_id,
            "AccessKeySecret": format!("canary-key-secret-of-{key_id}"),
            "SecurityToken": format!("canary-security-token-of-{key_id}"),
            "Expiration": expiration,
        },
    });
    Reply::Json(200, body.to_string())
}

pub(crate) fn value(text: &str) -> Reply {
    Reply::Value(text.to_owned())
}

pub(crate) fn refusal(status: u16, code: &str) -> Reply {
    let body = serde_json::json!({"Code": code, "Message": "No.", "RequestId": "r-1"});
    Reply::Json(status, body.to_string())
}
