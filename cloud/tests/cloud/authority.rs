//! Certificate authorities made for a test.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};

/// A CA, and the certificates that it signs.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pub(crate) pem: String,
}

pub(crate) struct Leaf {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Authority {
    pub(crate) fn root(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let params = Self::params(name);
        let certificate = params.self_signed(&key).unwrap();
        let (pem, der) = (certificate.pem(), certificate.der().clone());
        Self { issuer: Issuer::new(params, key), certificate: der, pem }
    }

    pub(crate) fn intermediate(&self, name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let params = Self::params(name);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let (pem, der) = (certificate.pem(), certificate.der().clone());
        Self { issuer: Issuer::new(params, key), certificate: der, pem }
    }

    pub(crate) fn leaf(&self, names: &[&str]) -> Leaf {
        self.leaf_that(names, |_| {})
    }

    /// A leaf that is in some way unlike others.
    pub(crate) fn leaf_that(
        &self,
        names: &[&str],
        differs: impl FnOnce(&mut CertificateParams),
    ) -> Leaf {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(names).unwrap();
        differs(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        Leaf { chain: vec![certificate.der().clone()], key: key.into() }
    }

    /// A leaf that is sent together with this authority's own certificate.
    pub(crate) fn leaf_with_chain(&self, names: &[&str]) -> Leaf {
        let mut leaf = self.leaf(names);
        leaf.chain.push(self.certificate.clone());
        leaf
    }

    /// A leaf that is sent together with this authority's own certificate, and others that lead
    /// nowhere.
    pub(crate) fn leaf_with_more(&self, names: &[&str], more: usize) -> Leaf {
        let mut leaf = self.leaf_with_chain(names);
        leaf.chain.extend((0..more).map(|_| Self::root("unneeded").certificate));
        leaf
    }

    fn params(name: &str) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        params
    }
}

impl Leaf {
    pub(crate) fn config(self) -> ServerConfig {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider);
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        // A server may send what it could not read itself.
        let key = rustls::crypto::ring::sign::any_supported_type(&self.key).unwrap();
        let certified = SingleCertAndKey::from(CertifiedKey::new(self.chain, key));
        builder.with_no_client_auth().with_cert_resolver(Arc::new(certified))
    }
}
