//! The offline commands of the real binary, on manifests as people write them.

#![cfg(test)]

mod check;
mod classes;
mod inject;
mod migrating;
mod support;
