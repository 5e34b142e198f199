//! What webhook and fetcher call the same beside the plan's JSON: variables, containers, volumes,
//! directories, and how much there may be of what one of them makes room for. Where credentials lie,
//! they say themselves.

use crate::credentials::CREDENTIALS_PLACES;

/// The plan itself, as JSON.
pub const PLAN_VARIABLE: &str = "SECRETS_INJECTOR_PLAN";
/// Stands on the container that gets a signal, with the container's name: a process that was started
/// with it belongs to that container.
pub const TARGET_VARIABLE: &str = "SECRETS_INJECTOR_TARGET";

pub const INIT_CONTAINER: &str = "kms-secrets-init";
pub const SIDECAR: &str = "kms-secrets";

pub const SECRETS_VOLUME: &str = "kms-secrets";
pub const CA_VOLUME: &str = "kms-ca";
pub const ENVIRONMENT_VOLUME: &str = "kms-env";
pub const AGENT_VOLUME: &str = "kms-agent";

/// The CA of dedicated KMS gateways.
pub const CA_DIRECTORY: &str = "/etc/kms-ca";
pub const CA_FILE: &str = "ca.crt";
/// Where environment variables are kept, and the program that sets them.
pub const ENVIRONMENT_DIRECTORY: &str = "/kms-env";
pub const ENVIRONMENT_PROGRAM: &str = "secrets-exec";

/// One value, or what a template makes of several. The volumes have room for that.
pub const MAX_VALUE_BYTES: usize = 64 * 1024;
/// What the agent keeps of answers, all of them together.
pub const AGENT_CACHE_BYTES: usize = 8 * 1024 * 1024;
/// What one connection to the agent takes whose client does not read: what has arrived, its answer, and
/// the kernel's buffers for it.
pub const AGENT_CONNECTION_BYTES: usize = 64 * 1024;

/// Every volume of ours.
pub fn volumes() -> impl Iterator<Item = &'static str> {
    let volumes = [SECRETS_VOLUME, CA_VOLUME, ENVIRONMENT_VOLUME, AGENT_VOLUME];
    volumes.into_iter().chain(CREDENTIALS_PLACES.into_iter().map(|place| place.volume))
}
