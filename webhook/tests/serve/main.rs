//! The server as its clients see it: real sockets, real TLS.

#![cfg(test)]

mod certificate;
mod clients;
mod cluster;
mod crowd;
mod drain;
mod gate;
mod harness;
mod health;
mod peers;
mod places;
mod process;
mod protocols;
mod refusals;
mod rounds;
mod settings;
mod start;
mod turns;
mod untaken;
