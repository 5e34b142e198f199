//! How an emulated cloud is started.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::issuer::Issuer;
use super::seed::Seed;

pub struct CloudConfig {
    pub seed: Seed,
    /// Port 0: any free one.
    pub https: SocketAddr,
    pub http: SocketAddr,
    /// Has no authentication: keep it on loopback.
    pub admin: SocketAddr,
    /// The metadata service of the node.
    pub metadata: SocketAddr,
    /// Signs the tokens of `mint`; providers without keys of their own trust it. Made when absent.
    pub issuer: Option<Issuer>,
    pub rules: Rules,
}

/// Where the real services are not known to do one thing, and limits.
#[derive(Debug, Clone)]
pub struct Rules {
    /// KMS speaks HTTPS only; tests of SDKs may want plain HTTP.
    pub kms_over_http: bool,
    /// Pages differ between 400 and 403 for `SignatureDoesNotMatch`.
    pub mismatch_status: u16,
    /// The code for an expired STS credential; several have been reported.
    pub expired_code: String,
    pub most_connections: usize,
    pub largest_body: usize,
    /// For a handshake, a request head and a request body, each.
    pub patience: Duration,
}

impl CloudConfig {
    /// Free ports on loopback.
    pub fn new(seed: Seed) -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            seed,
            https: any,
            http: any,
            admin: any,
            metadata: any,
            issuer: None,
            rules: Rules::default(),
        }
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            kms_over_http: false,
            mismatch_status: 400,
            expired_code: "InvalidSecurityToken.Expired".to_owned(),
            most_connections: 1024,
            largest_body: 64 * 1024,
            patience: Duration::from_secs(10),
        }
    }
}
