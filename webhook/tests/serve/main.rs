//! The server as its clients see it: real sockets, real TLS.

#![cfg(test)]

mod certificate;
mod clients;
mod cluster;
mod crowd;
mod drain;
mod harness;
mod health;
mod peers;
mod process;
mod protocols;
mod refusals;
mod settings;
mod start;
mod turns;
mod untaken;
