//! What the operator decides: defaults and limits for every Pod, as parsed values.
//! How they are read (file, flags, environment) is in the modules below.

use std::borrow::Cow;

pub(crate) mod annotation_rules;
mod check;
pub(crate) mod comparisons;
pub(crate) mod image;
mod injector;
mod load;
mod overrides;
pub(crate) mod policy;
mod raw;
pub(crate) mod regions;
mod rules;
#[cfg(test)]
mod samples;
pub(crate) mod service;
#[cfg(test)]
pub(crate) mod tests;
mod values;
mod yaml;

pub(crate) use self::injector::{Injector, Resources};
pub use self::load::{FILE_LIMIT, Inputs, LoadError};
pub use self::overrides::{Override, OverrideError};
pub use self::raw::RawSettings;
pub(crate) use self::values::ConfigMapName;
use self::values::{AccountId, ClusterId, EndpointPattern};

use plan::{
    Batches, CaBundle, ContainerName, Glob, Host, HttpsProxy, Network, ProviderArn, Region,
    RoleArn, VariableName,
};

use crate::path_translation::PathTranslation;
use crate::settings::annotation_rules::AnnotationRules;
use crate::settings::policy::Policy;
use crate::settings::service::Service;

/// The operator's settings. Only [`Inputs::resolve`] and `TryFrom<RawSettings>` make them, so that
/// all that exist are valid; they are shared read-only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    region: Option<Region>,
    account_id: Option<AccountId>,
    cluster_id: Option<ClusterId>,
    oidc_provider_arn: Option<ProviderArn>,
    network: Network,
    metadata_v1: bool,
    kms_endpoint: Option<EndpointPattern>,
    oos_endpoint: Option<EndpointPattern>,
    sts_endpoint: Option<EndpointPattern>,
    allowed_endpoints: Endpoints,
    batches: Batches,
    regions: Vec<Region>,
    path_translation: PathTranslation,
    ca_config_map: Option<ConfigMapName>,
    gateway_ca: Option<CaBundle>,
    published_ca: bool,
    https_proxy: Option<HttpsProxy>,
    mesh_proxies: Vec<ContainerName>,
    uid: Uid,
    injector: Injector,
    token_expiration_seconds: u32,
    timeout_seconds: u32,
    allowed_variables: Vec<VariableName>,
    only_variables: Option<Vec<Glob>>,
    file_key_ref: FileKeyRefUse,
    oldest_kubelet: Option<u32>,
    secret_provider_classes: bool,
    rules: AnnotationRules,
    policy: Policy,
}

/// Hosts by service: one that is trusted with requests for secrets is not for that trusted with
/// the token that STS gets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Endpoints {
    kms: Vec<Host>,
    oos: Vec<Host>,
    sts: Vec<Host>,
}

/// Where variables may go by files that the kubelet reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileKeyRefUse {
    Never,
    /// In Pods that ask for it.
    OnRequest,
    /// In containers without a command as well.
    Auto,
}

/// How the uid of our containers is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Uid {
    /// We do, always.
    Explicit,
    /// The platform assigns it from a range.
    Platform,
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

impl Settings {
    /// Region of sources that name none.
    #[must_use]
    pub fn region(&self) -> Option<&Region> {
        self.region.as_ref()
    }

    /// Alibaba Cloud account that role names and the OIDC provider belong to.
    pub(crate) fn account_id(&self) -> Option<&str> {
        self.account_id.as_ref().map(AccountId::as_str)
    }

    /// The cluster's OIDC provider, by its ARN or by the name that ACK derives from the cluster's id.
    /// A provider belongs to the account whose roles trust it, where no setting names another.
    pub(crate) fn oidc_provider(&self, role: &RoleArn) -> Option<ProviderArn> {
        match (&self.oidc_provider_arn, &self.cluster_id) {
            (Some(arn), _) => Some(arn.clone()),
            (None, Some(cluster)) => {
                let account = self.account_id().unwrap_or(role.account());
                let arn = format!("acs:ram::{account}:oidc-provider/ack-rrsa-{}", cluster.as_str());
                ProviderArn::parse(&arn).ok()
            }
            (None, None) => None,
        }
    }

    pub(crate) fn batches(&self) -> Batches {
        self.batches
    }

    /// Which of the shared endpoints are used where none is named.
    #[must_use]
    pub fn network(&self) -> Network {
        self.network
    }

    /// Whether the metadata service of a node may be asked without a token where it gives none.
    pub(crate) fn metadata_v1(&self) -> bool {
        self.metadata_v1
    }

    /// Endpoint host of a service; `{region}` in it is replaced.
    pub(crate) fn endpoint(&self, service: Service) -> Option<&str> {
        let pattern = match service {
            Service::Kms => &self.kms_endpoint,
            Service::Oos => &self.oos_endpoint,
            Service::Sts => &self.sts_endpoint,
        };
        pattern.as_ref().map(EndpointPattern::as_str)
    }

    /// Hosts that a Pod may name beside the built-in patterns.
    pub(crate) fn allowed_endpoints(&self, service: Service) -> &[Host] {
        match service {
            Service::Kms => &self.allowed_endpoints.kms,
            Service::Oos => &self.allowed_endpoints.oos,
            Service::Sts => &self.allowed_endpoints.sts,
        }
    }

    /// Regions beside the built-in table.
    pub(crate) fn regions(&self) -> &[Region] {
        &self.regions
    }

    /// As in the CSI provider: the character that replaces `/`, or none.
    pub(crate) fn path_translation(&self) -> PathTranslation {
        self.path_translation
    }

    /// ConfigMap with the CA of a dedicated KMS gateway, for Pods that name none.
    pub(crate) fn ca_config_map(&self) -> Option<&ConfigMapName> {
        self.ca_config_map.as_ref()
    }

    /// CAs of dedicated KMS gateways, where no ConfigMap has them.
    pub(crate) fn gateway_ca(&self) -> Option<&CaBundle> {
        self.gateway_ca.as_ref()
    }

    /// Whether the CAs that Alibaba Cloud publishes for such gateways count, where no others are named.
    pub(crate) fn trusts_published_ca(&self) -> bool {
        self.published_ca
    }

    /// What fetchers ask the services through.
    pub(crate) fn https_proxy(&self) -> Option<&HttpsProxy> {
        self.https_proxy.as_ref()
    }

    /// Containers of service meshes, which never become consumers.
    pub(crate) fn mesh_proxies(&self) -> &[ContainerName] {
        &self.mesh_proxies
    }

    pub(crate) fn uid(&self) -> Uid {
        self.uid
    }

    pub(crate) fn injector(&self) -> &Injector {
        &self.injector
    }

    /// Lifetime of the ServiceAccount token that the fetcher gets.
    pub(crate) fn token_expiration_seconds(&self) -> u32 {
        self.token_expiration_seconds
    }

    /// How long a first fetch may take where the Pod says nothing.
    pub(crate) fn timeout_seconds(&self) -> u32 {
        self.timeout_seconds
    }

    /// Variables that a Pod may set from secrets although they make a program run other code.
    pub(crate) fn allowed_variables(&self) -> &[VariableName] {
        &self.allowed_variables
    }

    /// Names of the only variables that a Pod may set from secrets; `None` is all.
    pub(crate) fn only_variables(&self) -> Option<&[Glob]> {
        self.only_variables.as_deref()
    }

    pub(crate) fn file_key_ref(&self) -> FileKeyRefUse {
        self.file_key_ref
    }

    /// Minor version of the oldest kubelet of the cluster; `None` where no setting names it.
    pub(crate) fn oldest_kubelet(&self) -> Option<u32> {
        self.oldest_kubelet
    }

    /// Whether SecretProviderClasses may be read for Pods.
    pub(crate) fn secret_provider_classes(&self) -> bool {
        self.secret_provider_classes
    }

    /// Annotations for the Pods of namespaces.
    pub(crate) fn rules(&self) -> &AnnotationRules {
        &self.rules
    }

    /// The rules about which namespaces may use which roles, and read what with them.
    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }
}

impl Default for Settings {
    /// What follows from an operator who sets nothing.
    fn default() -> Self {
        Self {
            region: None,
            account_id: None,
            cluster_id: None,
            oidc_provider_arn: None,
            network: Network::Vpc,
            metadata_v1: false,
            kms_endpoint: None,
            oos_endpoint: None,
            sts_endpoint: None,
            allowed_endpoints: Endpoints::default(),
            batches: Batches::default(),
            regions: Vec::new(),
            path_translation: PathTranslation::default(),
            ca_config_map: None,
            gateway_ca: None,
            published_ca: true,
            https_proxy: None,
            mesh_proxies: MESH_PROXIES
                .iter()
                .filter_map(|name| ContainerName::parse(name).ok())
                .collect(),
            uid: Uid::Explicit,
            injector: Injector::default(),
            token_expiration_seconds: 3600,
            timeout_seconds: 300,
            allowed_variables: Vec::new(),
            only_variables: None,
            file_key_ref: FileKeyRefUse::OnRequest,
            oldest_kubelet: None,
            secret_provider_classes: false,
            rules: AnnotationRules::default(),
            policy: Policy::default(),
        }
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
