//! The emulator's certificates: a public-looking CA for the shared hosts, a private intermediate CA
//! for dedicated KMS gateways, and a leaf for each name that a client asks for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::fault::Effect;
use super::route;
use super::state::State;

/// Names come from clients; beyond this many the cache starts again.
const MOST_NAMES: usize = 256;

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("making a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    #[error("setting up TLS: {0}")]
    Tls(#[from] rustls::Error),
}

pub(crate) struct Authorities {
    public: Authority,
    private: Authority,
    untrusted: Authority,
    provider: Arc<rustls::crypto::CryptoProvider>,
    leaves: Mutex<HashMap<String, Arc<CertifiedKey>>>,
}

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authorities {
    pub(crate) fn new() -> Result<Self, TlsError> {
        let root = Authority::root("Private KMS Root CA")?;
        Ok(Self {
            public: Authority::root("Lab Public CA")?,
            private: root.intermediate("Private KMS cn-hangzhou Second CA")?,
            untrusted: Authority::root("Lab Unknown CA")?,
            provider: Arc::new(rustls::crypto::ring::default_provider()),
            leaves: Mutex::new(HashMap::new()),
        })
    }

    pub(crate) fn public_pem(&self) -> &str {
        &self.public.pem
    }

    /// The intermediate: clients are given nothing above it.
    pub(crate) fn private_pem(&self) -> &str {
        &self.private.pem
    }

    fn leaf(&self, name: &str) -> Result<Arc<CertifiedKey>, TlsError> {
        let mut leaves = self.leaves.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(leaf) = leaves.get(name) {
            return Ok(leaf.clone());
        }
        let authority = if route::is_dedicated(name) { &self.private } else { &self.public };
        let leaf = authority.leaf(name, &self.provider)?;
        if leaves.len() >= MOST_NAMES {
            leaves.clear();
        }
        leaves.insert(name.to_owned(), leaf.clone());
        Ok(leaf)
    }
}

impl Authority {
    fn root(name: &str) -> Result<Self, TlsError> {
        let (params, key) =
            (Self::params(name, BasicConstraints::Unconstrained), KeyPair::generate()?);
        let pem = params.self_signed(&key)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), pem })
    }

    fn intermediate(&self, name: &str) -> Result<Self, TlsError> {
        let (mut params, key) =
            (Self::params(name, BasicConstraints::Constrained(0)), KeyPair::generate()?);
        params.use_authority_key_identifier_extension = true;
        let pem = params.signed_by(&key, &self.issuer)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), pem })
    }

    fn params(name: &str, constraints: BasicConstraints) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(constraints);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params
    }

    /// Sent alone, without the chain above it.
    fn leaf(
        &self,
        name: &str,
        provider: &rustls::crypto::CryptoProvider,
    ) -> Result<Arc<CertifiedKey>, TlsError> {
        let names: Vec<String> = match name {
            LOCAL => vec![LOCAL.to_owned(), "127.0.0.1".to_owned()],
            name => vec![name.to_owned()],
        };
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Ok(Arc::new(CertifiedKey::from_der(vec![certificate.der().clone()], key, provider)?))
    }
}

const LOCAL: &str = "localhost";

/// Chooses the certificate for a handshake, a wrong one when a fault says so.
pub(crate) struct Resolver {
    authorities: Arc<Authorities>,
    state: Arc<Mutex<State>>,
}

impl std::fmt::Debug for Resolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Resolver")
    }
}

impl Resolver {
    fn choose(&self, name: &str) -> Result<Arc<CertifiedKey>, TlsError> {
        let effect =
            self.state.lock().unwrap_or_else(PoisonError::into_inner).faults.strike_handshake(name);
        match effect {
            Some(Effect::CertificateName { name: wrong }) => {
                let authority = if route::is_dedicated(name) {
                    &self.authorities.private
                } else {
                    &self.authorities.public
                };
                authority.leaf(&wrong, &self.authorities.provider)
            }
            Some(Effect::UntrustedCertificate) => {
                self.authorities.untrusted.leaf(name, &self.authorities.provider)
            }
            _ => self.authorities.leaf(name),
        }
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().unwrap_or(LOCAL).to_ascii_lowercase();
        if name != LOCAL && !route::is_cloud_host(&name) {
            return None;
        }
        self.choose(&name).ok()
    }
}

pub(crate) fn server_config(
    authorities: &Arc<Authorities>,
    state: &Arc<Mutex<State>>,
) -> Result<ServerConfig, TlsError> {
    let resolver = Resolver { authorities: authorities.clone(), state: state.clone() };
    let mut config = ServerConfig::builder_with_provider(authorities.provider.clone())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
