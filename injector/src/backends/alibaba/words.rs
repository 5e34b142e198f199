//! Words of advice that more than one file gives.

pub(super) const NODE_CLOCK: &str = "the clock of the node";
