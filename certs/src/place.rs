//! Where the certificate is kept and who must trust it.

/// Our webhook in its MutatingWebhookConfiguration, as API servers call it.
#[derive(Clone, Debug)]
pub struct Target {
    /// Name of the MutatingWebhookConfiguration.
    pub configuration: String,
    /// Name of our webhook in it.
    pub webhook: String,
    /// Name of the match condition without which API servers would call us for every Pod.
    pub condition: String,
    /// DNS names that API servers ask for; the certificate has all of them.
    pub names: Vec<String>,
}

/// A target and the Secret that replicas share.
#[derive(Clone, Debug)]
pub struct Place {
    pub namespace: String,
    pub secret: String,
    pub target: Target,
}
