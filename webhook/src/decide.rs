//! Whether and how a Pod is injected: what it asks for meets the Pod, its ServiceAccount and the
//! operator's settings.

mod backends;
mod checks;
mod consumers;
mod draft;
mod env;
mod fetcher_roles;
pub mod inject;
mod neighbours;
mod ownership;
mod resources;
