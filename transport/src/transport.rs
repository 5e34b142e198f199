//! Requests to hosts: each over TLS with the roots of its host, in its time, on a connection that is
//! shared with none but its like.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{CONNECTION, HeaderMap};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Version};
use rustls::ClientConfig;
use tokio::time::{Instant, timeout_at};

use crate::body::{Room, Share};
use crate::client_error;
use crate::connection::Connection;
use crate::failure::{AttemptError, NoAnswer, Unreachable};
use crate::host::{is_host_name, matches};
use crate::pool::Pool;
use crate::proxy::{NotAProxy, Proxy};
use crate::request::{Answer, Origin, Request};
use crate::resolver::Resolver;
use crate::roots::Roots;

pub struct TransportConfig {
    /// Host name, `*.suffix` or `*`, and the roots that such hosts are trusted by; the first match
    /// counts. A host without roots is not asked.
    pub roots: Vec<(String, Option<Roots>)>,
    /// Host name, `*.suffix` or `*`, and the address to dial instead of asking DNS; the first
    /// match counts. The server still has to show a certificate for the real name. The port of the
    /// address is dialled for port 443 alone: one that a request names itself stays.
    pub connect_to: Vec<(String, SocketAddr)>,
    /// All requests go through it, by CONNECT: it sees the names of hosts, and is sent nothing else. It
    /// finds their addresses.
    pub proxy: Option<Proxy>,
    /// Until a connection is open, with the proxy's part in it.
    pub connect_timeout: Duration,
    /// From the established connection to the last byte of the answer.
    pub read_timeout: Duration,
}

impl Default for TransportConfig {
    fn default() -> Self {
        Self {
            roots: Vec::new(),
            connect_to: Vec::new(),
            proxy: None,
            connect_timeout: Duration::from_secs(5),
            read_timeout: Duration::from_secs(10),
        }
    }
}

/// An idle connection is kept for longer than the requests of one look, or of clients that follow each
/// other, are apart.
const IDLE: Duration = Duration::from_secs(15);

/// The connections of one process. Cheap to share, never copied. `K` is what calls of one backend may
/// differ in without that an answer says so: no connection carries calls of two keys.
pub struct Transport<K> {
    roots: Vec<(String, Option<Roots>)>,
    resolver: Arc<Resolver>,
    proxy: Option<reqwest::Proxy>,
    connect_timeout: Duration,
    read_timeout: Duration,
    room: Room,
    /// There are as many entries as the user names hosts.
    hosts: Mutex<HashMap<Origin, Arc<Pool<K>>>>,
}

impl<K: Clone + PartialEq> Transport<K> {
    pub fn new(config: TransportConfig) -> Result<Self, NotAProxy> {
        Ok(Self {
            roots: config.roots,
            resolver: Arc::new(Resolver::new(config.connect_to, config.connect_timeout)),
            proxy: config.proxy.as_ref().map(Proxy::of_client).transpose()?,
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
    pub async fn send<T, E: AttemptError>(
        &self,
        request: Request,
        pool_key: K,
        deadline: Instant,
        read: impl FnOnce(Answer) -> Result<T, E>,
    ) -> Result<T, E> {
        let tls = self.tls(&request.origin.host)?;
        let pool = self.pool(&request.origin);
        let free = pool.take(pool_key, || Connection::new(self.client(tls)));
        let taken = timeout_at(deadline, free).await.unwrap_or(Err(Unreachable::NotSent));
        let taken = taken.map_err(NoAnswer::from)?;
        // Others give theirs back when the same deadline ends their wait.
        if Instant::now() >= deadline {
            return Err(NoAnswer::from(Unreachable::NotSent).into());
        }
        let exchange = exchange(taken.connection(), request, &self.room, &pool.share);
        let limit = Instant::now() + self.connect_timeout + self.read_timeout;
        let answered = match timeout_at(limit.min(deadline), exchange).await {
            Ok(answer) => answer.map_err(E::from).and_then(read),
            Err(_) => Err(NoAnswer::from(Unreachable::Timeout).into()),
        };
        if answered.as_ref().is_err_and(E::ends_connection) {
            taken.end();
        }
        answered
    }

    /// Begins to open the first connection to a host, which a call of any kind may then have. It waits for
    /// nothing that the host does.
    pub async fn open_ahead(&self, origin: &Origin) {
        let Ok(tls) = self.tls(&origin.host) else { return };
        let Ok(address) = origin.url("/") else { return };
        let pool = self.pool(origin);
        let Some(place) = pool.first() else { return };
        if let Ok(connection) = Connection::new(self.client(tls))
            && connection.open_ahead(address).await
        {
            place.fill(connection);
        }
    }

    fn tls(&self, host: &str) -> Result<&ClientConfig, NoAnswer> {
        if !is_host_name(host) {
            return Err(NoAnswer::Address);
        }
        let roots = self.roots.iter().find(|(pattern, _)| matches(pattern, host));
        let roots = roots.and_then(|(_, roots)| roots.as_ref()).ok_or(Unreachable::NoRoots)?;
        Ok(roots.config())
    }

    fn pool(&self, origin: &Origin) -> Arc<Pool<K>> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(hosts.entry(origin.clone()).or_insert_with(|| Arc::new(Pool::new())))
    }

    fn client(&self, tls: &ClientConfig) -> ClientBuilder {
        // A clone of the TLS configuration shares its roots and its session tickets.
        let builder = Client::builder()
            .tls_backend_preconfigured(tls.clone())
            .dns_resolver(Arc::clone(&self.resolver))
            .https_only(true)
            .http1_only()
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            // No variable of the environment names one.
            .no_proxy()
            .connect_timeout(self.connect_timeout)
            // What a host sends there that is no answer is read all the same.
            .pool_idle_timeout(IDLE);
        match &self.proxy {
            Some(proxy) => builder.proxy(proxy.clone()),
            None => builder,
        }
    }
}

async fn exchange(
    connection: &Connection,
    request: Request,
    room: &Room,
    share: &Share,
) -> Result<Answer, NoAnswer> {
    let sent = connection.send(request.into_sent()?).await;
    let mut answer = sent.map_err(|error| client_error::no_answer(&error))?;
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
