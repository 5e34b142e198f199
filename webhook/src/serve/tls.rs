//! The certificate that is served and the CA of clients, and how they are exchanged while
//! connections come in.

mod clients;
mod error;
mod file;

use std::hash::{Hash, Hasher};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwapOption;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::sync::watch;
use zeroize::Zeroizing;

pub use self::clients::{ClientCa, Clients};
pub use self::error::TlsError;
use self::file::read;

/// A chain, its key and its end. One that exists fits together.
#[derive(Clone, Debug)]
pub struct Identity {
    certified: Arc<CertifiedKey>,
    chain_pem: Vec<u8>,
    not_after: SystemTime,
}

/// The identity in use. New handshakes take the current one; connections keep theirs. Without one
/// handshakes fail.
#[derive(Debug)]
pub struct ServedCertificate {
    current: ArcSwapOption<Identity>,
    /// What is served, for whoever must know whether clients accept it.
    chain_pem: watch::Sender<Vec<u8>>,
}

/// Where the operator keeps certificate and key.
#[derive(Clone, Debug)]
pub struct Files {
    pub cert: PathBuf,
    pub key: PathBuf,
}

impl Identity {
    /// `cert_name` and `key_name` say in messages where the bytes are from.
    pub fn from_pem(
        (cert, cert_name): (&[u8], &str),
        (key, key_name): (&[u8], &str),
        provider: &CryptoProvider,
    ) -> Result<Self, TlsError> {
        let chain = CertificateDer::pem_slice_iter(cert)
            .collect::<Result<Vec<_>, _>>()
            .ok()
            .filter(|chain| !chain.is_empty())
            .ok_or_else(|| TlsError::NoCertificate(cert_name.into()))?;
        let not_after = chain
            .first()
            .and_then(|leaf| certs::not_after(leaf))
            .ok_or_else(|| TlsError::BadCertificate(cert_name.into()))?;
        let key =
            PrivateKeyDer::from_pem_slice(key).map_err(|_| TlsError::NoKey(key_name.into()))?;
        let certified = CertifiedKey::from_der(chain, key, provider)
            .map_err(|_| TlsError::Mismatch { cert: cert_name.into(), key: key_name.into() })?;
        Ok(Self { certified: Arc::new(certified), chain_pem: cert.to_vec(), not_after })
    }

    pub fn not_after(&self) -> SystemTime {
        self.not_after
    }
}

impl Files {
    /// The bytes of both files.
    pub(crate) fn read(&self) -> Result<Pair, TlsError> {
        Ok(Pair { cert: read(&self.cert)?, key: Zeroizing::new(read(&self.key)?) })
    }

    pub(crate) fn identity(
        &self,
        pair: &Pair,
        provider: &CryptoProvider,
    ) -> Result<Identity, TlsError> {
        let (cert, key) = (self.cert.display().to_string(), self.key.display().to_string());
        Identity::from_pem((&pair.cert, &cert), (&pair.key, &key), provider)
    }
}

/// What the files hold, not looked at yet.
pub(crate) struct Pair {
    cert: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
}

impl Hash for Pair {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.cert.hash(state);
        self.key.as_slice().hash(state);
    }
}

impl ServedCertificate {
    pub fn new(identity: Option<Identity>) -> Self {
        let (chain_pem, _) = watch::channel(Vec::new());
        let served = Self { current: ArcSwapOption::empty(), chain_pem };
        if let Some(identity) = identity {
            served.exchange(identity);
        }
        served
    }

    pub fn exchange(&self, identity: Identity) {
        let chain_pem = identity.chain_pem.clone();
        self.current.store(Some(Arc::new(identity)));
        self.chain_pem.send_replace(chain_pem);
    }

    /// The chain as it is served, empty where none is.
    pub fn chain_pem(&self) -> watch::Receiver<Vec<u8>> {
        self.chain_pem.subscribe()
    }

    /// The end of what is served.
    pub fn not_after(&self) -> Option<SystemTime> {
        self.current.load().as_ref().map(|identity| identity.not_after)
    }
}

impl ResolvesServerCert for ServedCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.current.load().as_ref().map(|identity| Arc::clone(&identity.certified))
    }
}

/// TLS 1.2 and 1.3, with whatever is served at the time; for everybody, or for `clients` only.
pub fn config(
    served: Arc<ServedCertificate>,
    clients: Option<Arc<Clients>>,
    provider: Arc<CryptoProvider>,
) -> Result<ServerConfig, TlsError> {
    let resumes = clients.is_none();
    let builder = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Config)?;
    let builder = match clients {
        Some(clients) => builder.with_client_cert_verifier(clients),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_cert_resolver(served);
    if !resumes {
        // A session that is resumed brings the certificate along that an older CA vouched for.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
