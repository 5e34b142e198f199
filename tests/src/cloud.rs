//! An Alibaba Cloud on loopback: STS, KMS and OOS, written from the wire documents and apart from
//! the client that is tried against it. Here it is started and steered; `serve` answers the calls.

mod access;
mod account;
mod admin;
mod answer;
mod call;
mod clock;
mod config;
mod fault;
mod glob;
mod hidden;
mod instance;
mod issuer;
mod journal;
mod jwt;
mod kms;
mod kms_batch;
mod metadata;
mod nonces;
mod oos;
mod refusal;
mod route;
mod seed;
mod serve;
mod server;
mod state;
mod store;
mod sts;
mod tls;
mod verify_v1;
mod verify_v3;
mod wire;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use self::clock::Clock;
use self::server::Front;
use self::state::State;
use self::tls::Authorities;

pub use self::config::{CloudConfig, Rules};
pub use self::fault::{Effect, Fault, PartsChange};
pub use self::hidden::Hidden;
pub use self::instance::MetadataFault;
pub use self::issuer::{Issuer, IssuerError, TokenRequest};
pub use self::journal::{Counters, Entry, HostCounters};
pub use self::jwt::KeySet;
pub use self::route::CalledService;
pub use self::seed::{
    AccountSeed, CallerTrust, InstanceSeed, MetadataTokens, OidcTrust, ParameterKind,
    ParameterSeed, Permission, ProviderSeed, RoleSeed, SecretKind, SecretSeed, SecretState, Seed,
    SeedError, Trust, UserSeed, VersionSeed,
};
pub use self::state::StoredPlace;
pub use self::store::StoreError;
pub use self::tls::TlsError;

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("listening on {0}: {1}")]
    Listen(SocketAddr, #[source] io::Error),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    #[error("filling the cloud: {0}")]
    Seed(#[from] StoreError),
}

/// Runs until it is dropped.
pub struct Cloud {
    state: Arc<Mutex<State>>,
    authorities: Arc<Authorities>,
    issuer: Arc<Issuer>,
    https: SocketAddr,
    http: SocketAddr,
    admin: SocketAddr,
    metadata: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Cloud {
    pub async fn start(config: CloudConfig) -> Result<Self, StartError> {
        let issuer = Arc::new(config.issuer.map_or_else(Issuer::generate, Ok)?);
        let state = Arc::new(Mutex::new(State::new(config.seed, &issuer.key_set())?));
        let authorities = Arc::new(Authorities::new()?);
        let tls = tls::server_config(&authorities, &state)?;
        let plain = Front {
            state: state.clone(),
            places: Arc::new(Semaphore::new(config.rules.most_connections)),
            rules: Arc::new(config.rules),
            tls: None,
        };
        let secure = Front { tls: Some(TlsAcceptor::from(Arc::new(tls))), ..plain.clone() };
        let (https_listener, https) = listen(config.https).await?;
        let (http_listener, http) = listen(config.http).await?;
        let (admin_listener, admin) = listen(config.admin).await?;
        let (metadata_listener, metadata) = listen(config.metadata).await?;
        let mut tasks = JoinSet::new();
        tasks.spawn(secure.run(https_listener));
        tasks.spawn(plain.run(http_listener));
        tasks.spawn(metadata::run(metadata_listener, state.clone()));
        tasks.spawn(admin::run(admin_listener, state.clone(), issuer.clone()));
        Ok(Self { state, authorities, issuer, https, http, admin, metadata, _tasks: tasks })
    }

    pub fn https(&self) -> SocketAddr {
        self.https
    }

    pub fn http(&self) -> SocketAddr {
        self.http
    }

    pub fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// The metadata service of the node.
    pub fn metadata(&self) -> SocketAddr {
        self.metadata
    }

    /// Signs the certificates of the shared hosts and of `localhost`.
    pub fn ca_pem(&self) -> &str {
        self.authorities.public_pem()
    }

    /// Signs the certificates of dedicated KMS gateways; an intermediate.
    pub fn private_ca_pem(&self) -> &str {
        self.authorities.private_pem()
    }

    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// A token for a ServiceAccount from the first provider of the seed, by the emulator's clock.
    pub fn mint(&self, namespace: &str, service_account: &str) -> Result<String, IssuerError> {
        let request = self.state().token_request(namespace, service_account);
        self.issuer.mint(&request)
    }

    pub fn put_secret(&self, account: &str, secret: SecretSeed) -> Result<(), StoreError> {
        self.state().put_secret(account, secret)
    }

    /// Answers the id of the new version.
    pub fn rotate_secret(
        &self,
        place: &StoredPlace,
        version: VersionSeed,
    ) -> Result<String, StoreError> {
        self.state().rotate_secret(place, version)
    }

    pub fn set_secret_state(
        &self,
        place: &StoredPlace,
        state: SecretState,
    ) -> Result<(), StoreError> {
        self.state().set_secret_state(place, state)
    }

    pub fn delete_secret(&self, place: &StoredPlace) -> Result<(), StoreError> {
        self.state().delete_secret(place)
    }

    pub fn put_parameter(&self, account: &str, parameter: ParameterSeed) -> Result<(), StoreError> {
        self.state().put_parameter(account, parameter)
    }

    /// A new version of a secret parameter (`encrypted`) or a plain one.
    pub fn update_parameter(
        &self,
        place: &StoredPlace,
        encrypted: bool,
        value: &str,
    ) -> Result<(), StoreError> {
        self.state().update_parameter(place, encrypted, value.into())
    }

    pub fn delete_parameter(&self, place: &StoredPlace, encrypted: bool) -> Result<(), StoreError> {
        self.state().delete_parameter(place, encrypted)
    }

    pub fn trust_keys(
        &self,
        account: &str,
        provider: &str,
        keys: KeySet,
    ) -> Result<(), StoreError> {
        self.state().trust_keys(account, provider, keys)
    }

    pub fn add_fault(&self, fault: Fault) {
        self.state().faults.add(fault);
    }

    /// What the metadata service does instead of answering.
    pub fn set_metadata_fault(&self, fault: Option<MetadataFault>) {
        self.state().instance.fault = fault;
    }

    pub fn set_instance(&self, instance: Option<InstanceSeed>) {
        self.state().instance.seed = instance;
    }

    /// The metadata service is another one from now on, and knows no token.
    pub fn forget_metadata_tokens(&self) {
        self.state().instance.forget_tokens();
    }

    pub fn clear_faults(&self) {
        self.state().faults.clear();
    }

    pub fn expire_sessions(&self) {
        self.state().expire_sessions();
    }

    pub fn set_clock_offset(&self, seconds: i64) {
        self.state().clock = Clock::new(seconds);
    }

    pub fn requests(&self) -> Vec<Entry> {
        self.state().journal.entries()
    }

    pub fn counters(&self) -> Counters {
        self.state().journal.counters()
    }

    /// Forgets requests and counts; open connections stay counted as open.
    pub fn clear_requests(&self) {
        self.state().journal.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |error| StartError::Listen(address, error);
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}
