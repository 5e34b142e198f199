//! The webhook: an admission server and its offline commands.

pub mod args;
mod bounded;
mod failure;
pub mod health;
mod log;
pub mod metrics;
pub mod mutate;
mod nearest;
pub mod reload;
pub mod reply;
pub mod serve;
pub mod server;
pub mod settings;
pub mod tls;

pub use failure::Failure;
