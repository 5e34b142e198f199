//! The fetcher: plan → values (resolved with the Pod's own identity) → files under the mount.
//! A library only so that tests and benches reach its parts; the product is its two programs.

mod agent;
mod args;
mod backends;
mod bounded;
mod changes;
mod client;
mod clock;
mod entry;
mod environment;
mod exec;
mod exit;
mod get;
mod guard;
mod holds;
mod hook;
mod init;
mod input;
#[cfg(test)]
mod lease;
mod limits;
mod listener;
mod log;
mod metrics;
mod output;
mod probe;
mod program;
mod publish;
mod refresh;
mod render;
mod report;
mod resolve;
mod run;
mod runtime;
mod schedule;
mod select;
mod standing;
mod status;
mod write;

pub use crate::agent::request::{
    Refused as AgentRefusal, Request as AgentRequest, Wanted as AgentWanted,
};
pub use crate::exec::exec;
pub use crate::exit::Exit;
pub use crate::hook::proc;
pub use crate::input::PLAN_VARIABLE;
pub use crate::run::run;
pub use crate::schedule::{Asked, Schedule};
