//! The fetcher: plan → values (resolved with the Pod's own identity) → files under the mount. The
//! modules stand in the order of that way. It is a library only so that tests and benches reach its
//! parts; the product is its two programs.

/// A process is started with arguments and a plan.
mod input {
    pub(crate) mod args;
    pub(crate) mod entry;
    pub(crate) mod plan_env;
}

/// The backends that answer for sources.
mod backends;

/// Many values are fetched at once.
mod fetch {
    pub(crate) mod client;
    pub(crate) mod fan_out;
    pub(crate) mod refetch_set;
}

/// Values become the content of files and variables.
mod render;

/// Files appear at one instant.
mod write {
    pub(crate) mod atomic_writer;
    pub(crate) mod directory;
    pub(crate) mod error;
    mod generation;
    pub(crate) mod generation_name;
    pub(crate) mod hold;
    pub(crate) mod holds;
    pub(crate) mod key_names;
    mod links;
    pub(crate) mod new_file;
    pub(crate) mod single_file;
    pub(crate) mod volumes;
}

/// The reasons why a run failed, for people and scripts.
mod report {
    pub(crate) mod exit;
    pub(crate) mod problem;
    pub(crate) mod terminal;
}

/// How the sources are, for whoever asks.
mod health {
    pub(crate) mod agent_counters;
    pub(crate) mod health_board;
    pub(crate) mod metrics;
    pub(crate) mod status_file;
}

/// Which command does what.
mod run;

/// Commands that end by themselves.
mod once {
    pub(crate) mod exec;
    pub(crate) mod exec_binary;
    pub(crate) mod get;
    pub(crate) mod init;
    pub(crate) mod startup_probe;
    mod unfinished;
}

/// The command that keeps files current.
mod refresh;

/// The local agent, for the Pod's own containers.
mod agent;

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
    pub(crate) mod hardening;
    #[cfg(test)]
    pub(crate) mod lease;
    pub(crate) mod log;
    pub(crate) mod resource_limits;
    pub(crate) mod runtime;
}

pub use crate::agent::request::{
    BadRequest as AgentRefusal, Request as AgentRequest, SecretRequest as AgentSecretRequest,
};
pub use crate::once::exec::exec;
pub use crate::refresh::hook::proc;
pub use crate::refresh::schedule::{Round, Schedule};
pub use crate::render::select::{Document, SelectError};
pub use crate::report::exit::Exit;
pub use crate::run::run;
