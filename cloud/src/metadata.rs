//! The metadata service of a node, which gives the credentials of its RAM role. It speaks plain HTTP at
//! one link-local address: this is the only place where anything is asked without TLS.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use secret::{Sensitive, parse_iso8601};
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use crate::cause::{Cause, FailedAttempt, Malformed, Unreachable};
use crate::envelope::unreadable;
use crate::keys::{Credentials, Lifetime};
use crate::lenient_json::Object;
use crate::sts;
use crate::value::SensitiveText;

pub(crate) struct MetadataService {
    address: SocketAddr,
    allow_v1: bool,
    /// It is kept for its life.
    token: Mutex<Option<MetadataToken>>,
}

struct MetadataToken {
    text: Arc<Sensitive>,
    until: Instant,
}

struct MetadataAnswer {
    status: u16,
    body: Sensitive,
}

const TOKEN_PATH: &str = "/latest/api/token";
const ROLES_PATH: &str = "/latest/meta-data/ram/security-credentials/";
const TOKEN_LIFE: u64 = 21_600;
/// A token that ends on its way is refused.
const TOKEN_MARGIN: u64 = 300;
const LONGEST_TOKEN: usize = 1024;
/// Credentials have some two thousand bytes.
const LARGEST_ANSWER: usize = 16 * 1024;
/// The service is on the node itself.
const CONNECT: Duration = Duration::from_secs(1);
const ANSWER: Duration = Duration::from_secs(2);

impl MetadataService {
    pub(crate) fn new(address: SocketAddr, allow_v1: bool) -> Self {
        Self { address, allow_v1, token: Mutex::new(None) }
    }

    /// One attempt. `now` is by our clock.
    pub(crate) async fn credentials(
        &self,
        role: Option<&str>,
        now: u64,
        until: Instant,
    ) -> Result<Credentials, FailedAttempt> {
        let found;
        let role = match role {
            Some(role) => role,
            None => {
                found = role_name(&self.get(ROLES_PATH, until).await?)?;
                &found
            }
        };
        let answer = self.get(&format!("{ROLES_PATH}{role}"), until).await?;
        read(role, &answer, now)
    }

    /// Asks with a token. One that was kept may be over before its time, since an instance can be
    /// given another service: it is asked for once more.
    async fn get(&self, path: &str, until: Instant) -> Result<MetadataAnswer, FailedAttempt> {
        let (token, was_kept) = match self.kept() {
            Some(token) => (Some(token), true),
            None => (self.new_token(until).await?, false),
        };
        let answer = self.ask(Method::GET, path, token.as_deref(), until).await?;
        if !was_kept || !matches!(answer.status, 401 | 403) {
            return Ok(answer);
        }
        *self.lock() = None;
        let token = self.new_token(until).await?;
        self.ask(Method::GET, path, token.as_deref(), until).await
    }

    fn kept(&self) -> Option<Arc<Sensitive>> {
        let kept = self.lock();
        let kept = kept.as_ref().filter(|token| Instant::now() < token.until)?;
        Some(Arc::clone(&kept.text))
    }

    /// `None` where the service gives none and is asked without.
    async fn new_token(&self, until: Instant) -> Result<Option<Arc<Sensitive>>, FailedAttempt> {
        let asked = Instant::now();
        let answer = self.ask(Method::PUT, TOKEN_PATH, None, until).await?;
        match answer.status {
            200 => {}
            403..=405 if self.allow_v1 => return Ok(None),
            status @ 403..=405 => {
                return Err(proof(format!(
                    "it gives no token (status {status}), and may be asked with a token alone"
                )));
            }
            status => return Err(refused(status)),
        }
        let text = Arc::new(Sensitive::new(answer.body.expose().trim_ascii().to_vec()));
        if !(1..=LONGEST_TOKEN).contains(&text.len())
            || !text.expose().iter().all(u8::is_ascii_graphic)
        {
            return Err(Malformed::Invalid("token").into());
        }
        let until = asked + Duration::from_secs(TOKEN_LIFE - TOKEN_MARGIN);
        *self.lock() = Some(MetadataToken { text: Arc::clone(&text), until });
        Ok(Some(text))
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        token: Option<&Sensitive>,
        until: Instant,
    ) -> Result<MetadataAnswer, FailedAttempt> {
        let begun = Instant::now();
        if begun >= until {
            return Err(Unreachable::NotSent.into());
        }
        let connect = timeout_at(until.min(begun + CONNECT), TcpStream::connect(self.address));
        let stream = connect.await.map_err(|_| Unreachable::ConnectTimeout)?;
        let stream = stream.map_err(|error| Unreachable::Connect(error.kind()))?;
        let exchange = exchange(stream, request(method, path, token)?);
        let limit = until.min(Instant::now() + ANSWER);
        timeout_at(limit, exchange).await.map_err(|_| Unreachable::Timeout)?.map_err(Into::into)
    }

    fn lock(&self) -> MutexGuard<'_, Option<MetadataToken>> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn request(
    method: Method,
    path: &str,
    token: Option<&Sensitive>,
) -> Result<Request<Empty<Bytes>>, Cause> {
    let is_put = method == Method::PUT;
    let mut request = Request::builder().method(method).uri(path);
    request = request.header("host", "100.100.100.200").header("connection", "close");
    if is_put {
        request = request.header("x-aliyun-ecs-metadata-token-ttl-seconds", TOKEN_LIFE);
    }
    if let Some(token) = token {
        let mut value = hyper::header::HeaderValue::from_bytes(token.expose())
            .map_err(|_| Malformed::Invalid("token"))?;
        value.set_sensitive(true);
        request = request.header("x-aliyun-ecs-metadata-token", value);
    }
    request.body(Empty::new()).map_err(|_| Cause::Endpoint)
}

/// One request on a connection of its own, which ends with it.
async fn exchange(
    stream: TcpStream,
    request: Request<Empty<Bytes>>,
) -> Result<MetadataAnswer, Cause> {
    let lost = |_| Unreachable::Lost(std::io::ErrorKind::ConnectionReset);
    let mut http = http1::Builder::new();
    http.max_buf_size(LARGEST_ANSWER);
    let (mut sender, connection) = http.handshake(TokioIo::new(stream)).await.map_err(lost)?;
    let answer = async {
        let answer =
            sender.send_request(request).await.map_err(|error| match error.is_parse() {
                true => Cause::from(Malformed::Http),
                false => lost(error).into(),
            })?;
        let status = answer.status().as_u16();
        let body = Limited::new(answer.into_body(), LARGEST_ANSWER).collect().await;
        let body = body.map_err(|error| match error.is::<LengthLimitError>() {
            true => Cause::from(Malformed::TooLarge { limit: LARGEST_ANSWER }),
            false => Unreachable::Lost(std::io::ErrorKind::UnexpectedEof).into(),
        })?;
        let body = Sensitive::new(body.to_bytes().to_vec());
        Ok(MetadataAnswer { status, body })
    };
    tokio::pin!(answer);
    tokio::select! {
        answer = &mut answer => answer,
        // What was read before the connection ended is still handed over.
        _ = connection => answer.await,
    }
}

/// The one role that the service names.
fn role_name(answer: &MetadataAnswer) -> Result<String, FailedAttempt> {
    match answer.status {
        200 => {}
        404 => return Err(proof("no RAM role is attached to the instance of the node".to_owned())),
        status => return Err(refused(status)),
    }
    let text = std::str::from_utf8(answer.body.expose()).map_err(|_| Malformed::Invalid("role"))?;
    let mut names = text.split_ascii_whitespace();
    let name = match (names.next(), names.next()) {
        (Some(name), None) => name,
        (None, _) => {
            return Err(proof("no RAM role is attached to the instance of the node".to_owned()));
        }
        (Some(_), Some(_)) => {
            return Err(proof("it names more than one role, or none in a page of text".to_owned()));
        }
    };
    let of_a_name = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    let is_name = (1..=64).contains(&name.len()) && name.bytes().all(of_a_name);
    let is_name = is_name && name.bytes().any(|b| b != b'.');
    if is_name { Ok(name.to_owned()) } else { Err(Malformed::Invalid("role").into()) }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RoleCredentials {
    code: Option<String>,
    access_key_id: Option<String>,
    access_key_secret: Option<SensitiveText>,
    security_token: Option<SensitiveText>,
    expiration: Option<String>,
}

fn read(role: &str, answer: &MetadataAnswer, now: u64) -> Result<Credentials, FailedAttempt> {
    match answer.status {
        200 => {}
        404 => {
            return Err(proof(format!("the instance of the node does not have the role {role}")));
        }
        status => return Err(refused(status)),
    }
    let Object(given): Object<RoleCredentials> =
        serde_json::from_slice(answer.body.expose()).map_err(|error| unreadable(&error))?;
    let RoleCredentials { code, access_key_id, access_key_secret, security_token, expiration } =
        given;
    if code.as_deref() != Some("Success") {
        return Err(proof(format!("it has no credentials of the role {role} now")));
    }
    let id = access_key_id.ok_or(Malformed::Missing("AccessKeyId"))?;
    let SensitiveText(secret) = access_key_secret.ok_or(Malformed::Missing("AccessKeySecret"))?;
    let SensitiveText(token) = security_token.ok_or(Malformed::Missing("SecurityToken"))?;
    sts::check_keys(&id, &secret, Some(&token))?;
    let expiration = expiration.ok_or(Malformed::Missing("Expiration"))?;
    let expires = parse_iso8601(&expiration).ok_or(Malformed::Invalid("Expiration"))?;
    if expires <= now {
        return Err(Malformed::Over.into());
    }
    let caller = format!("ecs-ram-role/{role}");
    let lifetime = Lifetime { issued: now, expires };
    Ok(Credentials::new(id, secret, Some(token), caller, Some(lifetime)))
}

fn proof(words: String) -> FailedAttempt {
    Cause::Proof(words).into()
}

/// A service that is not well is waited for; one that refuses is not asked again.
fn refused(status: u16) -> FailedAttempt {
    let cause = match status {
        300..=399 => Cause::Redirected,
        429 | 500.. => Cause::Unwell,
        _ => Cause::Proof("it refuses to answer".to_owned()),
    };
    FailedAttempt { status: Some(status), ..cause.into() }
}
