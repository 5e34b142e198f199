//! The offline commands: manifests in, patched manifests or problems out, without a cluster.

mod accounts;
pub mod check;
mod classes;
mod examine;
mod finding;
pub mod inject;
mod input;
mod lookalikes;
mod mistyped;
mod namespaces;
mod position;
mod workload;
