//! The contract between webhook and fetcher: what to fetch, with which identity, into which files.
//!
//! A [`Plan`] that exists is valid: every part is parsed into a type that cannot hold a bad value.
//! Names only, never a secret value. No I/O, no async, no Kubernetes.

mod agent;
mod all_keys;
mod batches;
mod cloud;
mod command;
mod content;
pub mod contract;
mod credentials;
mod env;
mod file;
mod gateway_ca;
mod glob;
mod hook;
mod https_proxy;
mod lookup;
mod mode;
mod mount;
mod options;
mod plan;
mod refresh;
mod selector;
mod source;
mod text_type;

pub use crate::agent::*;
pub use crate::all_keys::*;
pub use crate::batches::*;
pub use crate::cloud::*;
pub use crate::command::*;
pub use crate::content::*;
pub use crate::credentials::*;
pub use crate::env::*;
pub use crate::file::*;
pub use crate::gateway_ca::*;
pub use crate::glob::*;
pub use crate::hook::*;
pub use crate::https_proxy::*;
pub use crate::lookup::*;
pub use crate::mode::*;
pub use crate::mount::*;
pub use crate::options::*;
pub use crate::plan::*;
pub use crate::refresh::*;
pub use crate::selector::*;
pub use crate::source::*;
