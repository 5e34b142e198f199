//! The fetcher: plan → values (resolved with the Pod's own identity) → files under the mount.
//! A library only so that tests and benches reach its parts; the product is its two programs.

mod agent;
mod backends;
mod refresh;
mod render;
mod run;

/// What a process is started with.
mod input {
    pub(crate) mod args;
    pub(crate) mod plan_env;
}

/// Many values at once.
mod fetch {
    pub(crate) mod client;
    pub(crate) mod resolve;
}

/// Files appear at one instant.
mod write {
    pub(crate) mod atomic_writer;
    pub(crate) mod directory;
    pub(crate) mod error;
    mod generation;
    pub(crate) mod generation_name;
    pub(crate) mod hold;
    pub(crate) mod holds;
    mod links;
    pub(crate) mod new_file;
    pub(crate) mod single_file;
    pub(crate) mod volumes;
}

/// Why a run failed, for people and scripts.
mod report {
    pub(crate) mod exit;
    pub(crate) mod problem;
    pub(crate) mod terminal;
}

/// How it goes, for whoever asks.
mod health {
    pub(crate) mod agent_counters;
    pub(crate) mod health_board;
    pub(crate) mod metrics;
    pub(crate) mod startup_probe;
    pub(crate) mod status_file;
}

/// Commands that end by themselves.
mod once {
    pub(crate) mod exec;
    pub(crate) mod exec_binary;
    pub(crate) mod get;
    pub(crate) mod init;
}

/// The server that metrics and the agent share.
mod http {
    pub(crate) mod deadlines;
    pub(crate) mod handler;
    pub(crate) mod limits;
    pub(crate) mod server;
}

/// What this process needs of the system.
mod process {
    pub(crate) mod bounded;
    pub(crate) mod clock;
    pub(crate) mod guard;
    #[cfg(test)]
    pub(crate) mod lease;
    pub(crate) mod limits;
    pub(crate) mod log;
    pub(crate) mod runtime;
}

pub use crate::agent::request::{
    Refused as AgentRefusal, Request as AgentRequest, SecretRequest as AgentSecretRequest,
};
pub use crate::input::plan_env::PLAN_VARIABLE;
pub use crate::once::exec::exec;
pub use crate::refresh::hook::proc;
pub use crate::refresh::schedule::{Round, Schedule};
pub use crate::report::exit::Exit;
pub use crate::run::run;
