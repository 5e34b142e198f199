//! The server with a real API server: the one of Kubernetes and its etcd, without nodes.
//!
//! They are taken from the directory that `KUBEBUILDER_ASSETS` names. Without it nothing is tried,
//! which is said; under `CI=true` that is a failure.

#![cfg(test)]

mod story;
mod webhook;
