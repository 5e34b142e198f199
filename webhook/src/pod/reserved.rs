//! The names in a Pod that are ours: no one else may use them.

use plan::contract::{
    AGENT_VOLUME, CA_VOLUME, ENVIRONMENT_VOLUME, INIT_CONTAINER, SECRETS_VOLUME, SIDECAR,
    TOKEN_VOLUME,
};

pub(crate) fn is_container(name: &str) -> bool {
    name == INIT_CONTAINER || name == SIDECAR
}

pub(crate) fn is_volume(name: &str) -> bool {
    [SECRETS_VOLUME, TOKEN_VOLUME, CA_VOLUME, ENVIRONMENT_VOLUME, AGENT_VOLUME].contains(&name)
}
