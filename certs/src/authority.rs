//! A CA that signs one certificate. Not `Clone`, never stored: `sign` ends it.

use std::time::{SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

pub(crate) struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn generate(
        not_before: SystemTime,
        not_after: SystemTime,
    ) -> Result<Self, rcgen::Error> {
        let mut params = CertificateParams::new(Vec::new())?;
        // During a rotation clients trust two of these: different names keep a verifier from
        // trying the wrong key.
        let made = not_before.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        params.distinguished_name.remove(DnType::CommonName);
        params.distinguished_name.push(DnType::CommonName, format!("{NAME}{made}"));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.not_before = not_before.into();
        params.not_after = not_after.into();
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        let certificate = params.self_signed(&key)?;
        Ok(Self { certificate, issuer: Issuer::new(params, key) })
    }

    /// Signs `leaf` and drops the key. Returns the CA's own certificate and the signed one.
    pub(crate) fn sign(
        self,
        leaf: &CertificateParams,
        key: &KeyPair,
    ) -> Result<(Certificate, Certificate), rcgen::Error> {
        let signed = leaf.signed_by(key, &self.issuer)?;
        Ok((self.certificate, signed))
    }
}

/// Whether a certificate of this name is one of those made here.
pub(crate) fn is_ours(common_name: &str) -> bool {
    common_name.starts_with(NAME)
}

const NAME: &str = "secrets-webhook CA ";
