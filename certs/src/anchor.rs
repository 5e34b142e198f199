//! A CA certificate as it stands in `caBundle` or `ca.crt`, and lists of them.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::SystemTime;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use x509_parser::parse_x509_certificate;

use crate::authority;
use crate::validity::Validity;

/// Two are the same if their certificates are, however they are written.
#[derive(Clone)]
pub(crate) struct Anchor {
    der: Arc<[u8]>,
    pem: Arc<str>,
    pub(crate) not_after: SystemTime,
    /// Made by a replica of ours, by its name. What others put beside is left alone.
    pub(crate) ours: bool,
}

impl Anchor {
    pub(crate) fn parse(pem: &str) -> Option<Self> {
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
        let (_, certificate) = parse_x509_certificate(&der).ok()?;
        let mut names = certificate.subject().iter_common_name();
        let ours = names.any(|name| name.as_str().is_ok_and(authority::is_ours));
        let not_after = Validity::of(&certificate).not_after;
        Some(Self { der: der.as_ref().into(), pem: pem.into(), not_after, ours })
    }

    pub(crate) fn der(&self) -> CertificateDer<'_> {
        CertificateDer::from(&*self.der)
    }

    #[cfg(test)]
    pub(crate) fn named(name: &str, not_after: SystemTime, ours: bool) -> Self {
        Self { der: name.as_bytes().into(), pem: name.into(), not_after, ours }
    }
}

impl PartialEq for Anchor {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for Anchor {}

impl Hash for Anchor {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.der.hash(state);
    }
}

impl fmt::Debug for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Anchor({} bytes, ours: {})", self.der.len(), self.ours)
    }
}

/// Every certificate of a PEM text, once. What is no certificate is passed over, as API servers
/// do: sections begin and end on lines of their own.
pub(crate) fn read(pem: &[u8]) -> Vec<Anchor> {
    let mut found = Vec::new();
    let mut section = String::new();
    for line in String::from_utf8_lossy(pem).lines().map(str::trim_end) {
        if line == BEGIN {
            section.clear();
        }
        section.push_str(line);
        section.push('\n');
        if line == END {
            found.extend(Anchor::parse(&section));
            section.clear();
        }
    }
    select(found, [], usize::MAX)
}

pub(crate) fn write(anchors: &[Anchor]) -> String {
    anchors.iter().map(|anchor| &*anchor.pem).collect()
}

/// Those that must be there, then others as long as there is room, none twice.
pub(crate) fn select(
    first: impl IntoIterator<Item = Anchor>,
    others: impl IntoIterator<Item = Anchor>,
    limit: usize,
) -> Vec<Anchor> {
    let mut selected: Vec<Anchor> = Vec::new();
    for anchor in first.into_iter().chain(others) {
        if selected.len() < limit && !selected.contains(&anchor) {
            selected.push(anchor);
        }
    }
    selected
}

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";
