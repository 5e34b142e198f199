//! What in a Pod stands in the way of what it asks for.

pub(super) mod agent;
pub(super) mod metrics_port;
pub(super) mod on_change;
pub(super) mod own_mounts;
pub(super) mod preconditions;
