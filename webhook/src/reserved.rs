//! The names in a Pod that are ours: nobody else may use them for something of their own.

pub(crate) const INIT_CONTAINER: &str = "kms-secrets-init";
pub(crate) const SIDECAR: &str = "kms-secrets";

pub(crate) const SECRETS_VOLUME: &str = "kms-secrets";
pub(crate) const TOKEN_VOLUME: &str = "kms-rrsa-token";
pub(crate) const CA_VOLUME: &str = "kms-ca";
pub(crate) const ENVIRONMENT_VOLUME: &str = "kms-env";
pub(crate) const AGENT_VOLUME: &str = "kms-agent";

pub(crate) const PLAN_VARIABLE: &str = "SECRETS_INJECTOR_PLAN";
/// Set on the container that gets the signal, to its name: a process that was started with it is
/// that container's.
pub(crate) const TARGET_VARIABLE: &str = "SECRETS_INJECTOR_TARGET";

pub(crate) fn is_container(name: &str) -> bool {
    name == INIT_CONTAINER || name == SIDECAR
}

pub(crate) fn is_volume(name: &str) -> bool {
    [SECRETS_VOLUME, TOKEN_VOLUME, CA_VOLUME, ENVIRONMENT_VOLUME, AGENT_VOLUME].contains(&name)
}
