//! What the operator decides: defaults and limits for every Pod, as validated values.
//! How they are read (file, flags, environment) is in the modules below.

use std::borrow::Cow;

mod check;
mod load;
mod overrides;
mod policy;
mod raw;
#[cfg(test)]
mod tests;

pub use self::load::{FILE_LIMIT, Inputs, LoadError};
pub use self::overrides::{Override, OverrideError};
pub use self::raw::RawSettings;

use plan::Glob;

use crate::endpoint::Service;
use crate::policy::Policy;

/// The operator's settings. Made by [`Inputs::resolve`] or `TryFrom<RawSettings>`: one that
/// exists is valid, and it is shared read-only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Region of sources that name none.
    pub region: Option<String>,
    /// Alibaba Cloud account that role names and the OIDC provider belong to.
    pub account_id: Option<String>,
    /// ACK cluster, from which the OIDC provider's name follows.
    pub cluster_id: Option<String>,
    pub oidc_provider_arn: Option<String>,
    /// Which of the shared endpoints are used where none is named.
    pub network: Network,
    /// Endpoint hosts; `{region}` in them is replaced.
    pub kms_endpoint: Option<String>,
    pub oos_endpoint: Option<String>,
    pub sts_endpoint: Option<String>,
    /// Hosts that a Pod may name beside the built-in patterns.
    pub allowed_endpoints: Endpoints,
    /// Regions beside the built-in table.
    pub regions: Vec<String>,
    /// As in the CSI provider: the character that replaces `/`, or `False`.
    pub path_translation: Option<String>,
    /// ConfigMap with the CA of a dedicated KMS gateway, for Pods that name none.
    pub ca_config_map: Option<String>,
    /// Containers of service meshes, which never become consumers.
    pub mesh_proxies: Vec<String>,
    pub uid: Uid,
    pub injector: Injector,
    /// Lifetime of the ServiceAccount token that the fetcher gets.
    pub token_expiration_seconds: u32,
    /// How long a first fetch may take where the Pod says nothing.
    pub timeout_seconds: u32,
    /// Variables that a Pod may set from secrets although they make a program run other code.
    pub allowed_variables: Vec<String>,
    /// Names of the only variables that a Pod may set from secrets; `None` is all.
    pub only_variables: Option<Vec<Glob>>,
    pub file_key_ref: FileKeyRef,
    /// Minor version of the oldest kubelet of the cluster; `None` where nobody has said it.
    pub oldest_kubelet: Option<u32>,
    /// Who may use which role.
    pub policy: Policy,
}

/// Hosts by service: one that is trusted with requests for secrets is not for that trusted with
/// the token that STS gets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    pub kms: Vec<String>,
    pub oos: Vec<String>,
    pub sts: Vec<String>,
}

/// Where variables may go by files that the kubelet reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKeyRef {
    Never,
    /// In Pods that ask for it.
    Asked,
    /// In containers without a command as well.
    Auto,
}

/// Reachability of the cloud's endpoints from the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    Vpc,
    Public,
}

/// Who chooses the uid of our containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uid {
    /// We do, always.
    Explicit,
    /// The platform assigns it from a range.
    Platform,
}

/// The injected containers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Injector {
    pub image: String,
    /// `Always`, `IfNotPresent` or `Never`; the cluster's default without.
    pub image_pull_policy: Option<String>,
    /// Repositories of the operator's that hold the same image: another webhook may write their names.
    pub image_mirrors: Vec<String>,
    pub command: Vec<String>,
    /// Flags for every fetcher, which Pods cannot change.
    pub extra_args: Vec<String>,
    pub resources: Resources,
}

/// Kubernetes quantities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resources {
    pub cpu: String,
    pub memory: String,
    /// CPU request and limit in a Guaranteed Pod, where a limit cannot be left out.
    pub guaranteed_cpu: String,
}

/// A setting whose value is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("setting {field}: {value:?} is not allowed, must be {allowed}")]
pub struct BadSetting {
    pub field: Cow<'static, str>,
    pub value: String,
    pub allowed: Cow<'static, str>,
}

/// All settings that are not allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct BadSettings(pub Vec<BadSetting>);

impl Endpoints {
    pub(crate) fn of(&self, service: Service) -> &[String] {
        match service {
            Service::Kms => &self.kms,
            Service::Oos => &self.oos,
            Service::Sts => &self.sts,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            region: None,
            account_id: None,
            cluster_id: None,
            oidc_provider_arn: None,
            network: Network::Vpc,
            kms_endpoint: None,
            oos_endpoint: None,
            sts_endpoint: None,
            allowed_endpoints: Endpoints::default(),
            regions: Vec::new(),
            path_translation: None,
            ca_config_map: None,
            mesh_proxies: MESH_PROXIES.iter().map(ToString::to_string).collect(),
            uid: Uid::Explicit,
            injector: Injector::default(),
            token_expiration_seconds: 3600,
            timeout_seconds: 300,
            allowed_variables: Vec::new(),
            only_variables: None,
            file_key_ref: FileKeyRef::Asked,
            oldest_kubelet: None,
            policy: Policy::default(),
        }
    }
}

impl Default for Injector {
    fn default() -> Self {
        Self {
            image: concat!("secrets-injector:", env!("CARGO_PKG_VERSION")).into(),
            image_pull_policy: None,
            image_mirrors: Vec::new(),
            command: vec!["/secrets-injector".into()],
            extra_args: Vec::new(),
            resources: Resources::default(),
        }
    }
}

impl Default for Resources {
    fn default() -> Self {
        Self { cpu: "10m".into(), memory: "16Mi".into(), guaranteed_cpu: "100m".into() }
    }
}

/// What Istio (ASM too), Linkerd, Kuma and Consul add to Pods.
const MESH_PROXIES: [&str; 9] = [
    "istio-proxy",
    "istio-init",
    "istio-validation",
    "linkerd-proxy",
    "linkerd-init",
    "linkerd-network-validator",
    "kuma-sidecar",
    "kuma-init",
    "consul-dataplane",
];
