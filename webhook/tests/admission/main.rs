//! Admission as an API server sees it: bytes in, bytes out, and the patch applied by a library of
//! somebody else.

#![cfg(test)]

mod account;
mod again;
mod agents;
mod asks;
mod body;
mod classes;
mod credentials;
mod denies;
mod documents;
mod endpoints;
mod entrypoints;
mod full;
mod hooks;
mod injects;
mod limits;
mod lookalikes;
mod neighbours;
mod ours;
mod policy;
mod reads;
mod references;
mod refreshes;
mod rivals;
mod rules;
mod single_files;
mod support;
mod templates;
mod variables;
mod whole_pod;
