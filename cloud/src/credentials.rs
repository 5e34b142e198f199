//! Where the keys that requests are signed with come from, and how long they are kept.

pub(crate) mod cache;
pub mod provider;
pub(crate) mod store;
