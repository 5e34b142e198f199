//! A new CA and one certificate signed by it.

use std::time::{Duration, SystemTime};

use crate::authority::Authority;
use crate::leaf;
use crate::private_key::PrivateKey;

/// A serving certificate and what a client needs to trust it.
#[derive(Debug)]
pub struct Issued {
    /// The CA's certificate, for the client.
    pub ca_pem: String,
    /// The serving certificate.
    pub cert_pem: String,
    pub key: PrivateKey,
    pub not_after: SystemTime,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("a serving certificate needs a name")]
    NoName,
    #[error("the certificate would end beyond the last representable time")]
    Lifetime,
    #[error("making a certificate for {names}: {source}")]
    Make { names: String, source: rcgen::Error },
}

/// Makes a CA and a serving certificate for `names` (DNS names and IP addresses), valid from a
/// little before `now` for `lifetime`.
pub fn issue(names: &[String], now: SystemTime, lifetime: Duration) -> Result<Issued, Error> {
    if names.is_empty() {
        return Err(Error::NoName);
    }
    let not_before = now.checked_sub(BACKDATED).unwrap_or(now);
    let not_after = now.checked_add(lifetime).ok_or(Error::Lifetime)?;
    let make = || {
        let params = leaf::params(names, not_before, not_after)?;
        let key = leaf::key()?;
        let authority = Authority::generate(not_before, not_after)?;
        let (ca, signed) = authority.sign(&params, &key)?;
        Ok((ca.pem(), signed.pem(), PrivateKey::new(key.serialize_pem())))
    };
    match make() {
        Ok((ca_pem, cert_pem, key)) => Ok(Issued { ca_pem, cert_pem, key, not_after }),
        Err(source) => Err(Error::Make { names: names.join(", "), source }),
    }
}

/// An API server whose clock is behind ours must accept the certificate at once.
pub(crate) const BACKDATED: Duration = Duration::from_secs(5 * 60);
