//! The admin API: JSON over plain HTTP, for steering an emulator that runs as a process. It answers
//! names, never values.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::State as Extract;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, body::Bytes};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::clock::Clock;
use super::fault::Fault;
use super::hidden::Hidden;
use super::issuer::{Issuer, TokenRequest};
use super::jwt::KeySet;
use super::seed::{ParameterSeed, SecretSeed, SecretState, VersionSeed};
use super::server::ACCEPT_PAUSE;
use super::state::{State, StoredPlace};
use super::store::StoreError;

/// Far more than one that steers opens at a time.
const MOST_CONNECTIONS: usize = 64;

/// For a request head, and between requests.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Clone)]
struct Admin {
    state: Arc<Mutex<State>>,
    issuer: Arc<Issuer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PutSecret {
    account: String,
    secret: SecretSeed,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RotateSecret {
    #[serde(flatten)]
    place: PlaceBody,
    version: VersionSeed,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PlaceBody {
    account: String,
    #[serde(default)]
    region: Option<String>,
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StateOfSecret {
    #[serde(flatten)]
    place: PlaceBody,
    state: SecretState,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PutParameter {
    account: String,
    parameter: ParameterSeed,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ParameterBody {
    #[serde(flatten)]
    place: PlaceBody,
    /// A secret parameter and not a plain one.
    #[serde(default = "yes")]
    encrypted: bool,
    #[serde(default)]
    value: Hidden,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TrustKeys {
    account: String,
    provider: String,
    keys: KeySet,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ClockBody {
    offset_seconds: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct MintBody {
    namespace: String,
    service_account: String,
    #[serde(default)]
    audiences: Option<Vec<String>>,
    #[serde(default)]
    lifetime_seconds: Option<i64>,
}

enum AdminError {
    /// Where the body is wrong; what stands there may be a secret.
    Body(serde_json::Error),
    Store(StoreError),
    Mint,
}

/// Ends when its task is aborted.
pub(crate) async fn run(listener: TcpListener, state: Arc<Mutex<State>>, issuer: Arc<Issuer>) {
    let routes = Router::new()
        .route("/healthz", get(async || "ok"))
        .route("/secrets", post(put_secret))
        .route("/secrets/rotate", post(rotate_secret))
        .route("/secrets/state", post(set_secret_state))
        .route("/secrets/delete", post(delete_secret))
        .route("/parameters", post(put_parameter))
        .route("/parameters/update", post(update_parameter))
        .route("/parameters/delete", post(delete_parameter))
        .route("/providers/keys", post(trust_keys))
        .route("/sessions/expire", post(expire_sessions))
        .route("/faults", post(add_faults).delete(clear_faults))
        .route("/clock", post(set_clock))
        .route("/tokens", post(mint))
        .route("/requests", get(requests).delete(clear_requests))
        .route("/counters", get(counters))
        .with_state(Admin { state, issuer });
    let (places, mut connections) = (Arc::new(Semaphore::new(MOST_CONNECTIONS)), JoinSet::new());
    loop {
        tokio::select! {
            accepted = listener.accept() => match (accepted, places.clone().try_acquire_owned()) {
                (Ok((stream, _)), Ok(place)) => {
                    connections.spawn(talk(stream, routes.clone(), place));
                }
                (Ok(_), Err(_)) => {}
                (Err(_), _) => sleep(ACCEPT_PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn talk(stream: TcpStream, routes: Router, _place: OwnedSemaphorePermit) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
    // Errors are the client's: it went away, or sent no HTTP.
    let _ = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes)).await;
}

async fn put_secret(Extract(admin): Extract<Admin>, body: Bytes) -> Result<Answered, AdminError> {
    let PutSecret { account, secret } = read(&body)?;
    done(admin.state().put_secret(&account, secret))
}

async fn rotate_secret(
    Extract(admin): Extract<Admin>,
    body: Bytes,
) -> Result<Answered, AdminError> {
    let RotateSecret { place, version } = read(&body)?;
    let id = admin.state().rotate_secret(&place.into(), version)?;
    Ok(Answered(json!({ "versionId": id })))
}

async fn set_secret_state(
    Extract(admin): Extract<Admin>,
    body: Bytes,
) -> Result<Answered, AdminError> {
    let StateOfSecret { place, state } = read(&body)?;
    done(admin.state().set_secret_state(&place.into(), state))
}

async fn delete_secret(
    Extract(admin): Extract<Admin>,
    body: Bytes,
) -> Result<Answered, AdminError> {
    let place: PlaceBody = read(&body)?;
    done(admin.state().delete_secret(&place.into()))
}

async fn put_parameter(
    Extract(admin): Extract<Admin>,
    body: Bytes,
) -> Result<Answered, AdminError> {
    let PutParameter { account, parameter } = read(&body)?;
    done(admin.state().put_parameter(&account, parameter))
}

async fn update_parameter(
    Extract(admin): Extract<Admin>,
    body: Bytes,
) -> Result<Answered, AdminError> {
    let ParameterBody { place, encrypted, value } = read(&body)?;
    done(admin.state().update_parameter(&place.into(), encrypted, value))
}

async fn delete_parameter(
    Extract(admin): Extract<Admin>,
    body: Bytes,
) -> Result<Answered, AdminError> {
    let ParameterBody { place, encrypted, .. } = read(&body)?;
    done(admin.state().delete_parameter(&place.into(), encrypted))
}

async fn trust_keys(Extract(admin): Extract<Admin>, body: Bytes) -> Result<Answered, AdminError> {
    let TrustKeys { account, provider, keys } = read(&body)?;
    done(admin.state().trust_keys(&account, &provider, keys))
}

async fn expire_sessions(Extract(admin): Extract<Admin>) -> Answered {
    admin.state().expire_sessions();
    Answered(json!({}))
}

/// One fault or a list of them, behind those that are set.
async fn add_faults(Extract(admin): Extract<Admin>, body: Bytes) -> Result<Answered, AdminError> {
    let is_list = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    let faults: Vec<Fault> = if is_list { read(&body)? } else { vec![read(&body)?] };
    let mut state = admin.state();
    faults.into_iter().for_each(|fault| state.faults.add(fault));
    Ok(Answered(json!({})))
}

async fn clear_faults(Extract(admin): Extract<Admin>) -> Answered {
    admin.state().faults.clear();
    Answered(json!({}))
}

async fn set_clock(Extract(admin): Extract<Admin>, body: Bytes) -> Result<Answered, AdminError> {
    let ClockBody { offset_seconds } = read(&body)?;
    admin.state().clock = Clock::new(offset_seconds);
    Ok(Answered(json!({})))
}

async fn mint(Extract(admin): Extract<Admin>, body: Bytes) -> Result<Answered, AdminError> {
    let body: MintBody = read(&body)?;
    let request = admin.state().token_request(&body.namespace, &body.service_account);
    let request = TokenRequest {
        audiences: body.audiences.unwrap_or(request.audiences),
        lifetime_seconds: body.lifetime_seconds.unwrap_or(request.lifetime_seconds),
        ..request
    };
    let token = admin.issuer.mint(&request).map_err(|_| AdminError::Mint)?;
    Ok(Answered(json!({ "token": token })))
}

async fn requests(Extract(admin): Extract<Admin>) -> Answered {
    Answered(json!(admin.state().journal.entries()))
}

async fn clear_requests(Extract(admin): Extract<Admin>) -> Answered {
    admin.state().journal.clear();
    Answered(json!({}))
}

async fn counters(Extract(admin): Extract<Admin>) -> Answered {
    Answered(json!(admin.state().journal.counters()))
}

impl Admin {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<PlaceBody> for StoredPlace {
    fn from(body: PlaceBody) -> Self {
        Self { account: body.account, region: body.region, name: body.name }
    }
}

impl From<StoreError> for AdminError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl IntoResponse for AdminError {
    fn into_response(self) -> Response {
        let text = match self {
            Self::Body(error) => {
                format!(
                    "{:?} error at line {}, column {}",
                    error.classify(),
                    error.line(),
                    error.column()
                )
            }
            Self::Store(error) => error.to_string(),
            Self::Mint => "signing a token failed".to_owned(),
        };
        (StatusCode::BAD_REQUEST, json!({ "error": text }).to_string()).into_response()
    }
}

struct Answered(Value);

impl IntoResponse for Answered {
    fn into_response(self) -> Response {
        ([("content-type", "application/json")], self.0.to_string()).into_response()
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, AdminError> {
    serde_json::from_slice(body).map_err(AdminError::Body)
}

fn done(result: Result<(), StoreError>) -> Result<Answered, AdminError> {
    result?;
    Ok(Answered(json!({})))
}

fn yes() -> bool {
    true
}
