//! The metadata service of the node: plain HTTP, a token by `PUT`, and the credentials of the role of
//! its instance for whoever asks.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::clock;
use super::instance::MetadataFault;
use super::journal::Entry;
use super::seed::MetadataTokens;
use super::server::ACCEPT_PAUSE;
use super::state::State;
use super::sts;

const TOKEN_PATH: &str = "/latest/api/token";
const ROLES_PATH: &str = "/latest/meta-data/ram/security-credentials/";
const TTL: &str = "x-aliyun-ecs-metadata-token-ttl-seconds";
const TOKEN: &str = "x-aliyun-ecs-metadata-token";
const LONGEST_TTL: i64 = 21_600;

/// Longer than any deadline of a test.
const NEVER: Duration = Duration::from_secs(600);
const PATIENCE: Duration = Duration::from_secs(10);

struct Said {
    status: u16,
    body: String,
    location: Option<&'static str>,
}

/// Ends when its task is aborted, and its connections with it.
pub(crate) async fn run(listener: TcpListener, state: Arc<Mutex<State>>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(connections.spawn(talk(stream, state.clone()))),
                Err(_) => sleep(ACCEPT_PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn talk(stream: TcpStream, state: Arc<Mutex<State>>) {
    let number = locked(&state).journal.next_connection();
    let service = service_fn(|request| answer(request, &state, number));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
    // Errors are the client's: it went away, or sent no HTTP.
    let _ = http.serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(
    request: Request<Incoming>,
    state: &Mutex<State>,
    connection: u64,
) -> Result<Response<Full<Bytes>>, hyper::http::Error> {
    let fault = locked(state).instance.fault;
    if fault == Some(MetadataFault::Hang) {
        sleep(NEVER).await;
    }
    let said = {
        let mut state = locked(state);
        let said = said(&mut state, &request, fault);
        let entry = entry(&state, &request, connection, said.status);
        state.journal.record(entry);
        said
    };
    let mut response = Response::builder()
        .status(StatusCode::from_u16(said.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    if let Some(location) = said.location {
        response = response.header("location", location);
    }
    response.body(Full::new(Bytes::from(said.body)))
}

fn said(state: &mut State, request: &Request<Incoming>, fault: Option<MetadataFault>) -> Said {
    let plain = |status, body: &str| Said { status, body: body.to_owned(), location: None };
    match fault {
        Some(MetadataFault::Html) => return plain(200, "<html><body>Welcome</body></html>"),
        Some(MetadataFault::Redirect) => {
            return Said { location: Some("http://127.0.0.1:1/"), ..plain(302, "") };
        }
        Some(MetadataFault::Unwell) => return plain(503, "unavailable"),
        Some(MetadataFault::Huge) => return plain(200, &"x".repeat(1024 * 1024)),
        _ => {}
    }
    let now = state.clock.now();
    let Some(seed) = state.instance.seed.clone() else { return plain(404, "not found") };
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let path = request.uri().path();
    if request.method() == Method::PUT && path == TOKEN_PATH {
        if seed.tokens == MetadataTokens::None {
            return plain(404, "not found");
        }
        let ttl = header(TTL).and_then(|ttl| ttl.parse().ok());
        return match ttl.filter(|ttl| (1..=LONGEST_TTL).contains(ttl)) {
            Some(ttl) => {
                let token = sts::random(56);
                state.instance.add_token(token.clone(), now + time::Duration::seconds(ttl));
                plain(200, &token)
            }
            None => plain(400, "bad request"),
        };
    }
    if request.method() != Method::GET {
        return plain(405, "method not allowed");
    }
    let may = match header(TOKEN) {
        Some(token) => state.instance.knows(token, now),
        None => seed.tokens != MetadataTokens::Required,
    };
    if !may {
        return plain(403, "forbidden");
    }
    match (path.strip_prefix(ROLES_PATH), fault) {
        (Some(""), Some(MetadataFault::NoRole)) => plain(404, "not found"),
        (Some(""), Some(MetadataFault::TwoRoles)) => plain(200, "one\nanother"),
        (Some(""), _) => plain(200, &seed.role),
        (Some(role), _) if role != seed.role => plain(404, "not found"),
        (Some(_), Some(MetadataFault::NoSuccess)) => {
            plain(200, &json!({ "Code": "Failed" }).to_string())
        }
        (Some(_), fault) => {
            let lifetime = if fault == Some(MetadataFault::Expired) { -60 } else { LONGEST_TTL };
            match sts::instance_credentials(state, &seed.account, &seed.role, lifetime, now) {
                Some(body) => plain(200, &body.to_string()),
                None => plain(404, "not found"),
            }
        }
        (None, _) => plain(404, "not found"),
    }
}

/// Neither tokens nor keys are part of it.
fn entry(state: &State, request: &Request<Incoming>, connection: u64, status: u16) -> Entry {
    Entry {
        time: clock::write(state.clock.now()),
        request_id: String::new(),
        connection,
        secure: false,
        method: request.method().to_string(),
        host: request
            .headers()
            .get("host")
            .and_then(|host| host.to_str().ok())
            .unwrap_or_default()
            .to_owned(),
        service: None,
        action: request.uri().path().to_owned(),
        subject: None,
        access_key_id: None,
        principal: None,
        attempt: None,
        query: Vec::new(),
        form: request
            .headers()
            .keys()
            .map(ToString::to_string)
            .filter(|name| name.starts_with("x-aliyun-"))
            .collect(),
        fault: state.instance.fault.map(|fault| format!("{fault:?}")),
        status: Some(status),
        code: None,
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
