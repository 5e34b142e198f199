//! The webhook: an admission server and its offline commands.

mod bounded;
mod nearest;
pub mod settings;
