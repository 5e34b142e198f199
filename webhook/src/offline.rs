//! The offline commands: manifests in, patched manifests or problems out, without a cluster.

mod accounts;
mod align;
pub mod check;
mod document;
mod emit;
mod examine;
mod finding;
pub mod inject;
mod input;
mod mistyped;
mod namespaces;
mod node;
mod position;
mod rewrite;
mod scalar;
mod splice;
mod style;
mod unreadable;
mod value;
mod workload;
