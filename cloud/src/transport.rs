//! HTTPS to the services: who is trusted for which host, how a name is resolved, how many
//! connections there are, how much is read.

mod body;
mod chain;
mod client_error;
mod connection;
mod pool;
mod resolver;
mod tls;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONNECTION, HeaderMap};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Method, Url, Version};
use rustls::ClientConfig;
use secret::Sensitive;
use tokio::time::{Instant, timeout_at};

use self::body::{Room, Share};
use self::connection::Connection;
use self::pool::Pool;
use self::resolver::Resolver;
pub use self::tls::TransportError;
use crate::cause::{Cause, FailedAttempt, Unreachable};
use crate::endpoint::{is_dedicated_kms, is_host_name};
use crate::pool_key::PoolKey;

pub struct TransportConfig {
    /// PEM. Trusted for the gateways of dedicated KMS instances alone, which trust nothing else.
    /// An intermediate may be the anchor.
    pub private_ca: Option<Vec<u8>>,
    /// PEM, trusted beside the public roots for all other hosts.
    pub extra_ca: Option<Vec<u8>>,
    /// Host name, `*.suffix` or `*`, and the address to dial instead of asking DNS; the first
    /// match counts. The server still has to show a certificate for the real name.
    pub connect_to: Vec<(String, SocketAddr)>,
    pub connect_timeout: Duration,
    /// From the established connection to the last byte of the answer.
    pub read_timeout: Duration,
}

impl Default for TransportConfig {
    fn default() -> Self {
        Self {
            private_ca: None,
            extra_ca: None,
            connect_to: Vec::new(),
            connect_timeout: Duration::from_secs(5),
            read_timeout: Duration::from_secs(10),
        }
    }
}

/// An idle connection is kept for longer than the requests of one look, or of clients that follow each
/// other, are apart.
const IDLE: Duration = Duration::from_secs(15);

/// The connections of one process. Cheap to share, never copied.
pub struct Transport {
    public: ClientConfig,
    dedicated: Option<ClientConfig>,
    resolver: Arc<Resolver>,
    connect_timeout: Duration,
    read_timeout: Duration,
    room: Room,
    /// There are as many entries as the lookups name hosts.
    hosts: Mutex<HashMap<String, Arc<Pool>>>,
}

/// A request that is ready to be sent: `POST https://HOST/?QUERY`.
pub(crate) struct Request {
    pub(crate) host: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    /// The body of a form.
    pub(crate) body: Option<Sensitive>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Sensitive,
}

impl Transport {
    pub fn new(config: TransportConfig) -> Result<Self, TransportError> {
        Ok(Self {
            public: tls::public(config.extra_ca.as_deref())?,
            dedicated: config.private_ca.as_deref().map(tls::dedicated).transpose()?,
            resolver: Arc::new(Resolver::new(config.connect_to, config.connect_timeout)),
            connect_timeout: config.connect_timeout,
            read_timeout: config.read_timeout,
            room: Room::default(),
            hosts: Mutex::new(HashMap::new()),
        })
    }

    /// One attempt, on a connection of calls with the same `pool_key` alone. Waiting for a free
    /// one is not part of its time limit, and at `deadline` nothing was sent. `read` reads the answer
    /// while the connection is still in our hands: one whose answer is no answer to this request ends
    /// before another request can be sent on it.
    pub(crate) async fn send<T>(
        &self,
        request: Request,
        pool_key: PoolKey,
        deadline: Instant,
        read: impl FnOnce(Answer) -> Result<T, FailedAttempt>,
    ) -> Result<T, FailedAttempt> {
        let tls = self.tls(&request.host)?;
        let pool = self.pool(&request.host);
        let free = pool.take(pool_key, || Connection::new(self.client(tls)));
        let taken = timeout_at(deadline, free).await.map_err(|_| Unreachable::NotSent)??;
        // Others give theirs back when the same deadline ends their wait.
        if Instant::now() >= deadline {
            return Err(Unreachable::NotSent.into());
        }
        let exchange = exchange(taken.connection(), request, &self.room, &pool.share);
        let limit = Instant::now() + self.connect_timeout + self.read_timeout;
        let answered = match timeout_at(limit.min(deadline), exchange).await {
            Ok(answer) => answer.map_err(FailedAttempt::from).and_then(read),
            Err(_) => Err(Unreachable::Timeout.into()),
        };
        if answered.as_ref().is_err_and(FailedAttempt::ends_connection) {
            taken.end();
        }
        answered
    }

    /// Begins to open the first connection to a host, which a call of any kind may then have. It waits for
    /// nothing that the host does.
    pub(crate) async fn open_ahead(&self, host: &str) {
        let Ok(tls) = self.tls(host) else { return };
        let pool = self.pool(host);
        let Some(place) = pool.first() else { return };
        if let Ok(connection) = Connection::new(self.client(tls))
            && connection.open_ahead(host).await
        {
            place.fill(connection);
        }
    }

    fn tls(&self, host: &str) -> Result<&ClientConfig, Cause> {
        if !is_host_name(host) {
            return Err(Cause::Endpoint);
        }
        match is_dedicated_kms(host) {
            true => Ok(self.dedicated.as_ref().ok_or(Unreachable::NoPrivateCa)?),
            false => Ok(&self.public),
        }
    }

    fn pool(&self, host: &str) -> Arc<Pool> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(hosts.entry(host.to_owned()).or_insert_with(|| Arc::new(Pool::new())))
    }

    fn client(&self, tls: &ClientConfig) -> ClientBuilder {
        // A clone of the TLS configuration shares its roots and its session tickets.
        Client::builder()
            .tls_backend_preconfigured(tls.clone())
            .dns_resolver(Arc::clone(&self.resolver))
            .https_only(true)
            .http1_only()
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .connect_timeout(self.connect_timeout)
            // What a host sends there that is no answer is read all the same.
            .pool_idle_timeout(IDLE)
    }
}

async fn exchange(
    connection: &Connection,
    request: Request,
    room: &Room,
    share: &Share,
) -> Result<Answer, Cause> {
    let url = format!("https://{}/?{}", request.host, request.query);
    let mut sent =
        reqwest::Request::new(Method::POST, Url::parse(&url).map_err(|_| Cause::Endpoint)?);
    *sent.headers_mut() = request.headers;
    if let Some(body) = request.body {
        // The bytes are wiped when the client lets go of them.
        *sent.body_mut() = Some(Bytes::from_owner(Owned(body)).into());
    }
    let mut answer = connection.send(sent).await.map_err(|error| client_error::cause(&error))?;
    let status = answer.status().as_u16();
    let headers = std::mem::take(answer.headers_mut());
    let open = answer.version() == Version::HTTP_11 && !closes(&headers);
    let body = room.read(share, &mut answer).await?;
    if open {
        connection.finished();
    }
    Ok(Answer { status, headers, body })
}

fn closes(headers: &HeaderMap) -> bool {
    let values = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|word| word.trim().eq_ignore_ascii_case("close"))
}

struct Owned(Sensitive);

impl AsRef<[u8]> for Owned {
    fn as_ref(&self) -> &[u8] {
        self.0.expose()
    }
}
