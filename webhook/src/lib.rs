//! The webhook: an admission server and its offline commands.

pub mod account;
pub mod args;
pub mod ask;
mod bounded_file;
pub mod class;
pub mod cluster;
mod container_path;
pub mod decide;
pub mod facts;
mod failure;
pub mod install_probe;
pub mod metrics;
pub mod offline;
pub mod patch;
mod path_translation;
mod pod;
pub mod problem;
mod quantity;
pub mod serve;
pub mod settings;
mod text;
pub mod wire;

pub use failure::Failure;
