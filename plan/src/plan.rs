//! The plan as a whole: assembled by the webhook, carried as JSON, read by the fetcher.

mod builder;
mod checks;
mod limits;
mod names;
mod recorded;

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::all_keys::{AllKeys, MAX_ALL_KEYS, VariableRules};
use crate::batches::Batches;
use crate::cloud::Network;
use crate::credentials::{Credentials, CredentialsVolume};
use crate::env::{Environment, MAX_VARIABLES};
use crate::file::File;
use crate::gateway_ca::GatewayCa;
use crate::hook::OnChange;
use crate::https_proxy::HttpsProxy;
use crate::lookup::Lookup;
use crate::mode::Mode;
use crate::mount::MountPath;
use crate::options::{FetcherOptions, LogLevel};

pub use self::builder::PlanBuilder;
pub use self::limits::{MAX_ENCODED_BYTES, MAX_FILES, MAX_LOOKUPS, MIN_PORT};
pub use self::recorded::Recorded;

/// What the fetcher does, completely. Fields can be read, not changed: a plan stays valid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct Plan(Parts);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPlan {
    #[error("the plan is not a JSON object with a version (line {line}, column {column})")]
    NotJson { line: usize, column: usize },
    #[error(
        "the plan has version {0}, and this fetcher reads version {VERSION}; use the fetcher image that belongs to the webhook"
    )]
    Version(u64),
    #[error("the plan is not valid (line {line}, column {column})")]
    Content { line: usize, column: usize },
    #[error("the plan names nothing to write")]
    Nothing,
    #[error("the plan asks Alibaba Cloud, and has no identity there")]
    NoCredentials,
    #[error("the plan has {0} files; at most {MAX_FILES} are allowed in one Pod")]
    TooManyFiles(usize),
    #[error(
        "the plan asks for {0} secrets; at most {MAX_LOOKUPS} are allowed in one Pod, those in templates and variables included"
    )]
    TooManyLookups(usize),
    #[error("two files are called {0:?}; give one of them another name (objectAlias)")]
    SameFile(String),
    #[error(
        "a file is called {0:?}, and another one is in a directory of that name; give one of them another name (objectAlias)"
    )]
    FileAndDirectory(String),
    #[error(
        "the plan sets {0} variables; at most {MAX_VARIABLES} are allowed in one Pod, counted for each container"
    )]
    TooManyVariables(usize),
    #[error("variable {0:?} is set twice in container {1:?}; keep one of them")]
    SameVariable(String, String),
    #[error("variable {0:?} is for no container")]
    NoContainer(String),
    #[error("all keys of {0} secrets are wanted; of at most {MAX_ALL_KEYS} in one Pod")]
    TooManyKeys(usize),
    #[error("{0:?} refers to a source that the plan does not have")]
    NoSuchLookup(String),
    #[error(
        "the plan has {0} bytes as JSON; at most {MAX_ENCODED_BYTES} are allowed, list fewer secrets"
    )]
    TooLarge(usize),
    #[error("the timeout is {0} seconds; 1 to 3600 are allowed")]
    Timeout(u32),
    #[error("the plan says who is told of a change, and its files never change")]
    HookWithoutChanges,
    #[error(
        "the metrics port is {0}; {MIN_PORT} to 65535 are allowed, and only where files change"
    )]
    MetricsPort(u16),
    #[error("the agent answers at port {0}; serve the metrics at another one")]
    SamePort(u16),
}

/// The version that this code writes, and the only one that it reads. A field more, one less, or one
/// with another meaning is another version: `tests/golden` has a file for each.
pub const VERSION: u64 = 2;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Parts {
    version: u64,
    mode: Mode,
    mount: MountPath,
    /// Those of the Pod in Alibaba Cloud, where it is asked.
    #[serde(rename = "identity", default, skip_serializing_if = "Option::is_none")]
    credentials: Option<Credentials>,
    #[serde(default)]
    network: Network,
    lookups: Vec<Lookup>,
    files: Vec<File>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    env: Option<Environment>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    all_keys: Vec<AllKeys>,
    /// For the names that only values show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    variable_rules: Option<VariableRules>,
    /// The group that files belong to, where the Pod's `fsGroup` reads them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    on_change: Option<OnChange>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    metrics_port: Option<u16>,
    #[serde(default, skip_serializing_if = "Batches::is_default")]
    batches: Batches,
    /// Where a dedicated KMS gateway is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gateway_ca: Option<GatewayCa>,
    /// The services are asked through it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    https_proxy: Option<HttpsProxy>,
    /// Seconds until the first fetch gives up.
    timeout: u32,
    #[serde(default)]
    log_level: LogLevel,
    /// The containers that get the mount, as decided when the Pod was first seen.
    consumers: Vec<String>,
}

impl Plan {
    /// Reads a plan, and says of a bad one where it is bad, without repeating it.
    pub fn decode(json: &str) -> Result<Self, InvalidPlan> {
        match version_of(json)? {
            VERSION => {}
            other => return Err(InvalidPlan::Version(other)),
        }
        let parts: Parts = serde_json::from_str(json)
            .map_err(|error| InvalidPlan::Content { line: error.line(), column: error.column() })?;
        Self::try_from(parts)
    }

    /// JSON without any `$`: the kubelet expands `$(NAME)` and `$$` in environment values.
    pub fn encode(&self) -> Result<String, InvalidPlan> {
        // Writing these types into a string cannot fail; the error is mapped all the same.
        let json = serde_json::to_string(&self.0)
            .map_err(|error| InvalidPlan::Content { line: error.line(), column: error.column() })?;
        let json = if json.contains('$') { json.replace('$', "\\u0024") } else { json };
        if json.len() > MAX_ENCODED_BYTES {
            return Err(InvalidPlan::TooLarge(json.len()));
        }
        Ok(json)
    }

    #[must_use]
    pub fn mode(&self) -> &Mode {
        &self.0.mode
    }

    #[must_use]
    pub fn mount(&self) -> &MountPath {
        &self.0.mount
    }

    #[must_use]
    pub fn credentials(&self) -> Option<&Credentials> {
        self.0.credentials.as_ref()
    }

    /// What all that is asked needs of the Pod: volumes that no container has but ours.
    #[must_use]
    pub fn credentials_volumes(&self) -> Vec<CredentialsVolume<'_>> {
        let mut volumes = self.credentials().map(Credentials::volumes).unwrap_or_default();
        for volume in self.lookups().iter().filter_map(Lookup::volume) {
            if !volumes.contains(&volume) {
                volumes.push(volume);
            }
        }
        volumes
    }

    #[must_use]
    pub fn network(&self) -> Network {
        self.0.network
    }

    #[must_use]
    pub fn lookups(&self) -> &[Lookup] {
        &self.0.lookups
    }

    #[must_use]
    pub fn files(&self) -> &[File] {
        &self.0.files
    }

    #[must_use]
    pub fn env(&self) -> Option<&Environment> {
        self.0.env.as_ref()
    }

    #[must_use]
    pub fn all_keys(&self) -> &[AllKeys] {
        &self.0.all_keys
    }

    /// What the operator says of names that only values show.
    #[must_use]
    pub fn variable_rules(&self) -> Option<&VariableRules> {
        self.0.variable_rules.as_ref()
    }

    #[must_use]
    pub fn group(&self) -> Option<u32> {
        self.0.group
    }

    #[must_use]
    pub fn options(&self) -> FetcherOptions {
        let Parts { on_change, metrics_port, log_level, .. } = &self.0;
        FetcherOptions {
            on_change: on_change.clone(),
            metrics_port: *metrics_port,
            log_level: *log_level,
        }
    }

    #[must_use]
    pub fn batches(&self) -> Batches {
        self.0.batches
    }

    #[must_use]
    pub fn gateway_ca(&self) -> Option<&GatewayCa> {
        self.0.gateway_ca.as_ref()
    }

    /// Whether it has a volume of its own.
    #[must_use]
    pub fn mounts_gateway_ca(&self) -> bool {
        self.gateway_ca() == Some(&GatewayCa::Mounted)
    }

    /// What the services of the cloud are asked through; nothing else is.
    #[must_use]
    pub fn https_proxy(&self) -> Option<&HttpsProxy> {
        self.0.https_proxy.as_ref()
    }

    #[must_use]
    pub fn timeout(&self) -> std::time::Duration {
        std::time::Duration::from_secs(self.0.timeout.into())
    }

    #[must_use]
    pub fn consumers(&self) -> &[String] {
        &self.0.consumers
    }
}

impl Parts {
    fn new(credentials: Option<Credentials>, mount: MountPath) -> Self {
        Self {
            version: VERSION,
            mode: Mode::default(),
            mount,
            credentials,
            network: Network::default(),
            lookups: Vec::new(),
            files: Vec::new(),
            env: None,
            all_keys: Vec::new(),
            variable_rules: None,
            group: None,
            on_change: None,
            metrics_port: None,
            batches: Batches::default(),
            gateway_ca: None,
            https_proxy: None,
            timeout: 300,
            log_level: LogLevel::default(),
            consumers: Vec::new(),
        }
    }

    /// In JSON they stand among the other fields.
    fn set(&mut self, options: FetcherOptions) {
        let FetcherOptions { on_change, metrics_port, log_level } = options;
        self.on_change = on_change;
        self.metrics_port = metrics_port;
        self.log_level = log_level;
    }
}

impl TryFrom<Parts> for Plan {
    type Error = InvalidPlan;

    fn try_from(parts: Parts) -> Result<Self, Self::Error> {
        if parts.version != VERSION {
            return Err(InvalidPlan::Version(parts.version));
        }
        let variables = parts.env.iter().flat_map(|env| &env.variables);
        let serves = parts.mode.agent().is_some();
        let writes_nothing = parts.files.is_empty()
            && variables.clone().next().is_none()
            && parts.all_keys.is_empty();
        if writes_nothing && !serves {
            return Err(InvalidPlan::Nothing);
        }
        let needs_credentials = serves || parts.lookups.iter().any(Lookup::needs_credentials);
        if parts.credentials.is_none() && needs_credentials {
            return Err(InvalidPlan::NoCredentials);
        }
        if parts.files.len() > MAX_FILES {
            return Err(InvalidPlan::TooManyFiles(parts.files.len()));
        }
        if parts.lookups.len() > MAX_LOOKUPS {
            return Err(InvalidPlan::TooManyLookups(parts.lookups.len()));
        }
        if !(1..=3600).contains(&parts.timeout) {
            return Err(InvalidPlan::Timeout(parts.timeout));
        }
        if parts.on_change.is_some() && (parts.mode == Mode::Init || writes_nothing) {
            return Err(InvalidPlan::HookWithoutChanges);
        }
        match parts.metrics_port {
            Some(port) if port < MIN_PORT || parts.mode == Mode::Init => {
                return Err(InvalidPlan::MetricsPort(port));
            }
            Some(port) if parts.mode.agent().is_some_and(|agent| agent.port.get() == port) => {
                return Err(InvalidPlan::SamePort(port));
            }
            _ => {}
        }
        let mut names = HashSet::with_capacity(parts.files.len());
        for file in &parts.files {
            if !names.insert(file.name.as_str()) {
                return Err(InvalidPlan::SameFile(file.name.to_string()));
            }
            if file.sources().any(|from| from >= parts.lookups.len()) {
                return Err(InvalidPlan::NoSuchLookup(file.name.to_string()));
            }
        }
        for directory in parts.files.iter().flat_map(|file| file.name.directories()) {
            if names.contains(directory) {
                return Err(InvalidPlan::FileAndDirectory(directory.to_owned()));
            }
        }
        parts.check_variables()?;
        parts.check_all_keys()?;
        Ok(Self(parts))
    }
}

fn version_of(json: &str) -> Result<u64, InvalidPlan> {
    #[derive(Deserialize)]
    struct Versioned {
        version: u64,
    }
    let Versioned { version } = serde_json::from_str(json)
        .map_err(|error| InvalidPlan::NotJson { line: error.line(), column: error.column() })?;
    Ok(version)
}

impl From<Plan> for Parts {
    fn from(plan: Plan) -> Self {
        plan.0
    }
}

#[cfg(test)]
mod tests;
