//! The names in a Pod that are ours: no one else may use them.

use plan::contract::{INIT_CONTAINER, SIDECAR, volumes};

pub(crate) fn is_container(name: &str) -> bool {
    name == INIT_CONTAINER || name == SIDECAR
}

pub(crate) fn is_volume(name: &str) -> bool {
    volumes().any(|ours| ours == name)
}
