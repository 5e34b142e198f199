//! Where credentials lie in our containers, and in no other.

/// A volume that credentials need, mounted read-only in our containers and in no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CredentialsVolume<'c> {
    pub place: CredentialsPlace,
    pub content: CredentialsContent<'c>,
}

/// Where credentials of some kind lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CredentialsPlace {
    pub volume: &'static str,
    pub directory: &'static str,
    /// What lies there, for people.
    pub holds: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialsContent<'c> {
    /// A token for this audience, which the kubelet writes and renews.
    ServiceAccountToken { audience: &'c str, file: &'c str },
    /// All keys of a Secret of the Pod's namespace, which the kubelet writes anew when they change.
    Secret { name: &'c str },
}

/// Kubernetes adds its own API token to a container that has nothing mounted here.
pub const TOKEN_DIRECTORY: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
pub const TOKEN_FILE: &str = "token";
pub const KEYS_DIRECTORY: &str = "/etc/kms-credentials";

pub(super) const TOKEN: CredentialsPlace = CredentialsPlace {
    volume: "kms-rrsa-token",
    directory: TOKEN_DIRECTORY,
    holds: "the token with which secrets are fetched",
};

pub(super) const KEYS: CredentialsPlace = CredentialsPlace {
    volume: "kms-credentials",
    directory: KEYS_DIRECTORY,
    holds: "the keys with which secrets are fetched",
};

/// The places of all kinds: the volumes are ours in every Pod, whatever its own credentials are.
pub const CREDENTIALS_PLACES: [CredentialsPlace; 2] = [TOKEN, KEYS];
