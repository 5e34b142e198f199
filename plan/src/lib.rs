//! The contract between webhook and fetcher: what to fetch, with which identity, into which files.
//!
//! A [`Plan`] that exists is valid: every part is parsed into a type that cannot hold a bad value.
//! Names only, never a secret value. No I/O, no async, no Kubernetes.

mod agent;
mod cloud;
mod command;
mod content;
pub mod contract;
mod credentials;
mod env;
mod file;
mod glob;
mod hook;
mod lookup;
mod mode;
mod mount;
mod plan;
mod refresh;
mod selector;
mod source;

pub use crate::agent::{
    Agent, CacheTtl, InvalidAgent, Port, ResponseType, TokenPath, UpToThousand, Within,
};
pub use crate::cloud::{
    Assume, ExternalId, Host, InvalidCloud, Network, ProviderArn, Region, RoleArn, SessionName,
};
pub use crate::command::{CONTAINER_OPTION, ExecLine, FetcherCommand, REQUIRE_OPTION};
pub use crate::content::{Content, Selection, Template, TemplateSecret};
pub use crate::credentials::{Credentials, CredentialsContent, CredentialsVolume, Principal, Rrsa};
pub use crate::env::{
    ContainerName, Environment, InvalidEnvironment, MAX_VARIABLES, Variable, VariableName,
    variable_file,
};
pub use crate::file::{File, FileMode, FileName, InvalidFile, OnMissing};
pub use crate::glob::{Glob, InvalidGlob};
pub use crate::hook::{HookSignal, HookUrl, InvalidHook, OnChange};
pub use crate::lookup::{AlibabaRoute, Lookup, Route};
pub use crate::mode::Mode;
pub use crate::mount::{InvalidMount, MountPath};
pub use crate::plan::{
    InvalidPlan, LogLevel, MAX_ENCODED_BYTES, MAX_FILES, MAX_LOOKUPS, MIN_PORT, Plan, PlanBuilder,
    Recorded, VERSION,
};
pub use crate::refresh::{InvalidRefresh, OnRevoked, Refresh};
pub use crate::selector::{InvalidSelector, MAX_SELECTOR_BYTES, Selector};
pub use crate::source::{
    InvalidKmsSecret, InvalidOosName, InvalidOosParameter, InvalidOosSecretParameter,
    InvalidSource, KmsSecret, KmsVersion, OosParameter, OosSecretParameter, Reference, Source,
};
