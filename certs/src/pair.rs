//! A serving certificate, its key and the CA that vouches for it: one that exists fits together.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use crate::anchor::Anchor;
use crate::issue::{BACKDATED, Issued};
use crate::private_key::PrivateKey;
use crate::state::Serving;
use crate::trust;
use crate::validity::Validity;

#[derive(Clone, Debug)]
pub(crate) struct Pair {
    pub(crate) serving: Arc<Serving>,
    pub(crate) ca: Anchor,
    pub(crate) issued: SystemTime,
}

/// Why what is stored cannot be served. Never says what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unusable {
    #[error("there is none")]
    Missing,
    #[error("it is no certificate in PEM format")]
    NoCertificate,
    #[error("its key is no private key in PEM format")]
    NoKey,
    #[error("its key belongs to another certificate, or cannot be used")]
    Mismatch,
    #[error("no CA in ca.crt vouches for it under the names of the webhook")]
    NotTrusted,
}

impl Pair {
    /// Whether it has ended is not asked here: that changes while it is kept.
    pub(crate) fn read(
        cert: &[u8],
        key: Vec<u8>,
        anchors: &[Anchor],
        names: &[String],
        now: SystemTime,
    ) -> Result<Self, Unusable> {
        let key = PrivateKey::from_bytes(key).ok_or(Unusable::NoKey)?;
        if cert.is_empty() {
            return Err(Unusable::Missing);
        }
        let chain = CertificateDer::pem_slice_iter(cert)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| Unusable::NoCertificate)?;
        let leaf = chain.first().ok_or(Unusable::NoCertificate)?;
        let validity = Validity::parse(leaf).ok_or(Unusable::NoCertificate)?;
        let at = now.clamp(validity.not_before, validity.not_after.max(validity.not_before));
        let ca = anchors
            .iter()
            .find(|anchor| trust::accepts([anchor.der()], &chain, names, at))
            .ok_or(Unusable::NotTrusted)?
            .clone();
        let der =
            PrivateKeyDer::from_pem_slice(key.pem().as_bytes()).map_err(|_| Unusable::NoKey)?;
        CertifiedKey::from_der(chain, der, &rustls::crypto::ring::default_provider())
            .map_err(|_| Unusable::Mismatch)?;
        let cert_pem = String::from_utf8_lossy(cert).into_owned();
        Ok(Self::new(Serving { cert_pem, key, not_after: validity.not_after }, ca, validity))
    }

    pub(crate) fn issued(issued: Issued) -> Option<Self> {
        let ca = Anchor::parse(&issued.ca_pem)?;
        let leaf = CertificateDer::from_pem_slice(issued.cert_pem.as_bytes()).ok()?;
        let validity = Validity::parse(&leaf)?;
        let Issued { cert_pem, key, not_after, .. } = issued;
        Some(Self::new(Serving { cert_pem, key, not_after }, ca, validity))
    }

    fn new(serving: Serving, ca: Anchor, validity: Validity) -> Self {
        let issued = validity.not_before + BACKDATED;
        let issued = if issued < validity.not_after { issued } else { validity.not_before };
        Self { serving: Arc::new(serving), ca, issued }
    }

    pub(crate) fn same(&self, other: &Self) -> bool {
        self.serving.cert_pem == other.serving.cert_pem
    }

    /// Within its time, and its CA too.
    pub(crate) fn is_alive(&self, now: SystemTime) -> bool {
        let ends = self.serving.not_after.min(self.ca.not_after);
        // Made by a clock that was far ahead: API servers would refuse it for as long.
        let begins = self.issued.checked_sub(FUTURE).unwrap_or(self.issued);
        (begins..ends).contains(&now)
    }

    /// After two thirds of its own time, and a little later by `jitter`, from 0 to 1: replicas
    /// that draw different numbers do not all begin at once. What the settings say by now does
    /// not count: old and new replicas must agree during an upgrade.
    pub(crate) fn rotates_at(&self, jitter: f64) -> SystemTime {
        let lasts = self.serving.not_after.duration_since(self.issued).unwrap_or_default();
        self.issued + lasts * 2 / 3 + (lasts / SPREAD).mul_f64(jitter.clamp(0.0, 1.0))
    }
}

/// Far beyond the minutes by which clocks differ.
const FUTURE: Duration = Duration::from_secs(60 * 60);
const SPREAD: u32 = 20;
