//! What is asked of the cloud, and what comes back.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::call;
use crate::echo;
use crate::kms::About;
use crate::sensitive::Sensitive;

/// One value to fetch. Every lookup names its own endpoint and account: nothing is inherited from
/// the lookup before it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Lookup {
    /// Host name of the service, without scheme or port.
    pub endpoint: String,
    pub subject: Subject,
    /// A role of another account, assumed on top of the session's identity.
    pub assume: Option<AssumedRole>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    KmsSecret { name: String, version_id: Option<String>, version_stage: Option<String> },
    OosSecretParameter { name: String, version: Option<u32>, region: String },
    OosParameter { name: String, region: String },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AssumedRole {
    pub role_arn: String,
    pub external_id: Option<String>,
}

/// A value and what is known about how it came.
#[derive(Debug)]
pub struct Fetched {
    /// The bytes of the secret; a binary secret is already decoded.
    pub value: Sensitive,
    pub version: String,
    pub request_id: String,
    /// What else KMS says; nothing of a parameter.
    pub about: About,
    /// The assumed role, with its session, that asked.
    pub caller: String,
    /// Requests for this value, the successful one included.
    pub attempts: u32,
    pub elapsed: Duration,
}

impl Fetched {
    /// The version for logs; nothing where it would tell of the value.
    #[must_use]
    pub fn printable_version(&self) -> &str {
        let encoded = match self.about.binary {
            true => Sensitive::from(STANDARD.encode(self.value.expose())),
            false => Sensitive::new(Vec::new()),
        };
        let tells = echo::echoes(&self.version, &[&self.value, &encoded]);
        if tells { "" } else { &self.version }
    }
}

impl Subject {
    /// The name as the service knows it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::KmsSecret { name, .. }
            | Self::OosSecretParameter { name, .. }
            | Self::OosParameter { name, .. } => name,
        }
    }

    /// The value in the body of a successful answer, if there is one; alone, for fuzzing.
    #[must_use]
    pub fn read(&self, answer: &[u8]) -> Option<Sensitive> {
        Some(call::read(self, answer).ok()?.bytes)
    }
}
