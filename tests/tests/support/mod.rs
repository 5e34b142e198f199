//! A client for tests of the emulator: it signs, sends raw HTTP/1.1 and shows what came back, broken
//! or not.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code outside of test functions"
)]

use std::fmt::Write as _;
use std::io;
use std::sync::Arc;

use hmac::{Hmac, Mac};
use lab::cloud::{Cloud, CloudConfig, Seed};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use serde_json::Value;
use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

pub(crate) const ACCOUNT: &str = "1234567890123456";
pub(crate) const PARTNER: &str = "9876543210987654";
pub(crate) const ROLE: &str = "acs:ram::1234567890123456:role/app";
pub(crate) const PROVIDER: &str = "acs:ram::1234567890123456:oidc-provider/ack-rrsa-sdk";
pub(crate) const KMS: &str = "kms.cn-hangzhou.aliyuncs.com";
pub(crate) const OOS: &str = "oos.cn-hangzhou.aliyuncs.com";
pub(crate) const STS: &str = "sts.cn-hangzhou.aliyuncs.com";
pub(crate) const GATEWAY: &str = "kst-hzz65f176a0ogplgq0001.cryptoservice.kms.aliyuncs.com";

#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) token: Option<String>,
}

#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) host: String,
    pub(crate) action: String,
    pub(crate) version: &'static str,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) form: Vec<(String, String)>,
    pub(crate) key: Option<Key>,
    pub(crate) date: OffsetDateTime,
    pub(crate) nonce: String,
    pub(crate) secure: bool,
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

pub(crate) fn seed() -> Seed {
    Seed::from_json(include_bytes!("../../sdk/seed.json")).unwrap()
}

pub(crate) async fn cloud() -> Cloud {
    Cloud::start(CloudConfig::new(seed())).await.unwrap()
}

pub(crate) fn reader() -> Key {
    Key {
        id: "LTAI5tEXAMPLEKEYID0001".to_owned(),
        secret: "exampleSecretKey0123456789abcd".to_owned(),
        token: None,
    }
}

/// The role's credential for a token of `system:serviceaccount:shop:checkout`.
pub(crate) async fn assumed(cloud: &Cloud) -> Key {
    let token = cloud.mint("shop", "checkout").unwrap();
    let reply = with_oidc(&token).send(cloud).await.unwrap();
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.credential()
}

/// As clients do it that keep the token out of URLs.
pub(crate) fn with_oidc(token: &str) -> Call {
    let mut call = Call::new(STS, "AssumeRoleWithOIDC", "2015-04-01", None);
    call.query =
        pairs(&[("Action", "AssumeRoleWithOIDC"), ("Version", "2015-04-01"), ("Format", "JSON")]);
    call.form = pairs(&[
        ("RoleArn", ROLE),
        ("OIDCProviderArn", PROVIDER),
        ("OIDCToken", token),
        ("RoleSessionName", "sess"),
        ("DurationSeconds", "3600"),
    ]);
    call
}

pub(crate) fn secret(name: &str) -> Call {
    Call::new(KMS, "GetSecretValue", "2016-01-20", Some(reader())).with("SecretName", name)
}

pub(crate) fn parameter(name: &str) -> Call {
    let call = Call::new(OOS, "GetSecretParameter", "2019-06-01", Some(reader()));
    call.with("Name", name).with("WithDecryption", "true")
}

pub(crate) fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

impl Call {
    pub(crate) fn new(host: &str, action: &str, version: &'static str, key: Option<Key>) -> Self {
        Self {
            host: host.to_owned(),
            action: action.to_owned(),
            version,
            query: Vec::new(),
            form: Vec::new(),
            key,
            date: OffsetDateTime::now_utc(),
            nonce: format!("{:x}", fastrand::u128(..)),
            secure: true,
        }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets a form parameter, or takes it away.
    pub(crate) fn form(mut self, name: &str, value: Option<&str>) -> Self {
        self.form.retain(|(key, _)| key != name);
        self.form.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        self
    }

    pub(crate) fn by(mut self, key: &Key) -> Self {
        self.key = Some(key.clone());
        self
    }

    pub(crate) fn at(mut self, host: &str) -> Self {
        host.clone_into(&mut self.host);
        self
    }

    pub(crate) fn later(mut self, seconds: i64) -> Self {
        self.date += Duration::seconds(seconds);
        self
    }

    pub(crate) fn in_plain(mut self) -> Self {
        self.secure = false;
        self
    }

    /// The bytes that go out.
    pub(crate) fn wire(&self) -> String {
        let body =
            form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.form).finish();
        let hash = hex(&Sha256::digest(&body));
        let mut headers = vec![
            ("host", self.host.clone()),
            ("x-acs-action", self.action.clone()),
            ("x-acs-version", self.version.to_owned()),
            ("x-acs-date", written(self.date)),
            ("x-acs-signature-nonce", self.nonce.clone()),
            ("x-acs-content-sha256", hash.clone()),
        ];
        if !body.is_empty() {
            headers.push(("content-type", "application/x-www-form-urlencoded".to_owned()));
        }
        if let Some(token) = self.key.as_ref().and_then(|key| key.token.clone()) {
            headers.push(("x-acs-security-token", token));
        }
        headers.sort();
        let mut sorted = self.query.clone();
        sorted.sort();
        let query: Vec<String> =
            sorted.iter().map(|(k, v)| format!("{k}={}", encoded(v))).collect();
        let query = query.join("&");
        let mut lines = String::new();
        for (name, value) in &headers {
            writeln!(lines, "{name}:{value}").unwrap();
        }
        let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
        let signed = names.join(";");
        let canonical = format!("POST\n/\n{query}\n{lines}\n{signed}\n{hash}");
        let text = format!("ACS3-HMAC-SHA256\n{}", hex(&Sha256::digest(canonical)));
        let mut wire = format!("POST /?{query} HTTP/1.1\r\n");
        for (name, value) in &headers {
            write!(wire, "{name}: {value}\r\n").unwrap();
        }
        if let Some(key) = &self.key {
            let mac = Hmac::<Sha256>::new_from_slice(key.secret.as_bytes()).unwrap();
            let signature = hex(&mac.chain_update(text).finalize().into_bytes());
            let id = &key.id;
            write!(
                wire,
                "authorization: ACS3-HMAC-SHA256 Credential={id},SignedHeaders={signed},Signature={signature}\r\n"
            )
            .unwrap();
        }
        write!(wire, "content-length: {}\r\n\r\n{body}", body.len()).unwrap();
        wire
    }

    pub(crate) async fn send(&self, cloud: &Cloud) -> io::Result<Reply> {
        let mut stream = connect(cloud, &self.host, self.secure).await?;
        ask(&mut stream, &self.wire()).await
    }

    /// Sends, and expects this refusal.
    pub(crate) async fn refused(&self, cloud: &Cloud, status: u16, code: &str) -> Reply {
        let reply = self.send(cloud).await.unwrap();
        assert_eq!((reply.status, reply.code().as_str()), (status, code), "{}", reply.text());
        assert_eq!(reply.json()["RequestId"].as_str().unwrap().len(), 36);
        reply
    }
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn code(&self) -> String {
        self.json()["Code"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let line = self
            .head
            .lines()
            .find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}:")))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    }

    pub(crate) fn credential(&self) -> Key {
        let json = self.json();
        let field = |name: &str| json["Credentials"][name].as_str().unwrap().to_owned();
        Key {
            id: field("AccessKeyId"),
            secret: field("AccessKeySecret"),
            token: Some(field("SecurityToken")),
        }
    }
}

pub(crate) async fn connect(
    cloud: &Cloud,
    host: &str,
    secure: bool,
) -> io::Result<Box<dyn Stream>> {
    if !secure {
        return Ok(Box::new(TcpStream::connect(cloud.http()).await?));
    }
    let pem = if host.ends_with(".cryptoservice.kms.aliyuncs.com") {
        cloud.private_ca_pem()
    } else {
        cloud.ca_pem()
    };
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
    let config =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
    let stream = TcpStream::connect(cloud.https()).await?;
    let name = ServerName::try_from(host.to_owned()).unwrap();
    Ok(Box::new(TlsConnector::from(Arc::new(config)).connect(name, stream).await?))
}

/// One request and its whole answer on a connection that stays open.
pub(crate) async fn ask(stream: &mut Box<dyn Stream>, wire: &str) -> io::Result<Reply> {
    stream.write_all(wire.as_bytes()).await?;
    stream.flush().await?;
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let mut reply = Reply { status, head, body: bytes[end + 4..].to_vec() };
    let length: usize = reply.header("content-length").unwrap().parse().unwrap();
    while reply.body.len() < length {
        if stream.read_buf(&mut reply.body).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(reply)
}

pub(crate) fn written(date: OffsetDateTime) -> String {
    let (year, month, day) = date.to_calendar_date();
    let (hour, minute, second) = date.to_hms();
    format!("{year:04}-{:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z", u8::from(month))
}

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").unwrap();
        }
        out
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
