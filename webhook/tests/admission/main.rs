//! Admission as an API server sees it: bytes in, bytes out, and the patch applied by a library of
//! somebody else.

#![cfg(test)]

mod account;
mod again;
mod agents;
mod asks;
mod body;
mod denies;
mod hooks;
mod injects;
mod policy;
mod refreshes;
mod support;
mod templates;
mod variables;
