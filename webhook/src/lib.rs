//! The webhook: an admission server and its offline commands.

pub mod account;
pub mod admit;
mod annotations;
pub mod args;
mod bounded;
mod consumers;
mod container;
mod endpoint;
mod failure;
pub mod health;
mod identity;
pub mod inject;
mod log;
pub mod metrics;
pub mod mutate;
mod nearest;
pub mod offline;
mod ownership;
pub mod patch;
mod pod;
mod present;
pub mod problem;
mod quantity;
mod refuse;
pub mod reload;
pub mod reply;
mod review;
mod secrets;
pub mod serve;
pub mod server;
pub mod settings;
pub mod tls;
mod volume;
mod weave;
mod yaml;

pub use failure::Failure;
