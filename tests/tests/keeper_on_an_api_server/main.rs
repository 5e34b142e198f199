//! Keepers on a real API server, with the rights of the webhook's ServiceAccount and no more.

#![cfg(test)]

mod recovery;
mod rights;
mod stage;
