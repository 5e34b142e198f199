//! What is asked of the cloud.

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
}
