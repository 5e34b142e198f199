//! The server as its clients see it: real sockets, real TLS.

#![cfg(test)]

mod certificate;
mod cluster;
mod crowd;
mod drain;
mod harness;
mod health;
mod process;
mod protocols;
mod refusals;
mod settings;
mod start;
