//! What a Pod asks for: the value of each annotation, parsed.

use plan::{
    ExternalId, FetcherOptions, FileMode, Glob, MountPath, OnMissing, OnRevoked, ProviderArn,
    Region, ResponseType, RoleArn, SessionName, TokenPath,
};

use super::credentials::RequestedCredentials;
use crate::path_translation::PathTranslation;
use crate::quantity::{Quantity, WrittenQuantity};
use crate::settings::ConfigMapName;
use crate::settings::service::Service;

/// What a Pod asks for, value by value; `None` where it says nothing.
#[derive(Debug, Default)]
pub(crate) struct SecretsRequest<'a> {
    /// Keys of the Pod's own annotations, and of its class's, that have no problem, as the table has them.
    pub(crate) given: Vec<&'static str>,
    /// Keys that have a problem already, so that nothing else is said about what they lack.
    pub(crate) bad: Vec<&'a str>,
    /// Parsed together with everything else that shapes files.
    pub(crate) secrets: Option<&'a str>,
    pub(crate) templates: Vec<TemplateRequest<'a>>,
    pub(crate) env: Vec<EnvRequest<'a>>,
    pub(crate) commands: Vec<CommandRequest<'a>>,
    pub(crate) env_method: EnvMethod,
    pub(crate) mode: ModeName,
    /// Seconds.
    pub(crate) refresh_interval: Option<u32>,
    /// Seconds.
    pub(crate) max_staleness: Option<u32>,
    pub(crate) on_revoked: Option<OnRevoked>,
    pub(crate) native_sidecar: Option<NativeSidecar>,
    pub(crate) agent: AgentRequest,
    pub(crate) mount_path: Option<MountPath>,
    pub(crate) containers: Option<Vec<&'a str>>,
    pub(crate) init_first: InitFirst,
    pub(crate) region: Option<Region>,
    pub(crate) kms_endpoint: Option<&'a str>,
    pub(crate) oos_endpoint: Option<&'a str>,
    pub(crate) sts_endpoint: Option<&'a str>,
    pub(crate) path_translation: Option<PathTranslation>,
    pub(crate) ca_config_map: Option<ConfigMapName>,
    pub(crate) credentials: RequestedCredentials,
    pub(crate) role_arn: Option<RoleArn>,
    pub(crate) oidc_provider_arn: Option<ProviderArn>,
    pub(crate) role_session_name: Option<SessionName>,
    pub(crate) role_session_expiration: Option<u32>,
    pub(crate) external_id: Option<ExternalId>,
    pub(crate) cross_account_role_arn: Option<RoleArn>,
    pub(crate) token_expiration: Option<u32>,
    pub(crate) file_mode: Option<FileMode>,
    pub(crate) run_as_user: Option<u32>,
    pub(crate) run_as_group: Option<u32>,
    pub(crate) size_limit: Option<Quantity>,
    pub(crate) timeout: Option<u32>,
    pub(crate) on_missing: OnMissing,
    /// The webhook passes them on whole.
    pub(crate) options: FetcherOptions,
    pub(crate) resources: ResourceRequest,
}

/// What one annotation says. A bad one is a problem by itself, and no default takes its place.
#[derive(Debug)]
pub(crate) enum Given<'r, T: ?Sized> {
    Nothing,
    Bad,
    Value(&'r T),
}

/// What is wanted; how is said by other annotations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ModeName {
    #[default]
    Init,
    Refresh,
    Agent,
}

/// What the annotations ask of the local agent.
#[derive(Debug, Default)]
pub(crate) struct AgentRequest {
    pub(crate) secrets: Option<Vec<Glob>>,
    pub(crate) port: Option<u32>,
    /// Seconds.
    pub(crate) cache_ttl: Option<u32>,
    pub(crate) cache_size: Option<u32>,
    pub(crate) max_connections: Option<u32>,
    pub(crate) response_type: Option<ResponseType>,
    pub(crate) token_path: Option<TokenPath>,
}

/// An annotation that asks for environment variables.
#[derive(Debug)]
pub(crate) struct EnvRequest<'a> {
    /// The annotation, without our prefix.
    pub(crate) key: &'a str,
    /// The container that `env.CONTAINER` names.
    pub(crate) container: Option<&'a str>,
    pub(crate) text: &'a str,
}

/// An annotation that says what the image of a container starts.
#[derive(Debug)]
pub(crate) struct CommandRequest<'a> {
    /// The annotation, without our prefix.
    pub(crate) key: &'a str,
    pub(crate) container: &'a str,
    pub(crate) words: Vec<String>,
}

/// On which way variables reach a container.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum EnvMethod {
    #[default]
    Auto,
    Exec,
    FileKeyRef,
}

/// An annotation that makes a file from a template.
#[derive(Debug)]
pub(crate) struct TemplateRequest<'a> {
    /// The annotation, without our prefix.
    pub(crate) key: &'a str,
    pub(crate) file: &'a str,
    pub(crate) text: &'a str,
}

/// Whether a container that stays is a native sidecar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum NativeSidecar {
    #[default]
    Auto,
    True,
    False,
}

/// Where our init container is placed, once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum InitFirst {
    /// First, or directly behind a native mesh proxy.
    #[default]
    Auto,
    First,
    Last,
}

#[derive(Debug, Default)]
pub(crate) struct ResourceRequest {
    pub(crate) cpu_request: Option<WrittenQuantity>,
    pub(crate) cpu_limit: Option<WrittenQuantity>,
    pub(crate) memory_request: Option<WrittenQuantity>,
    pub(crate) memory_limit: Option<WrittenQuantity>,
    pub(crate) storage_request: Option<WrittenQuantity>,
    pub(crate) storage_limit: Option<WrittenQuantity>,
}

impl SecretsRequest<'_> {
    pub(super) fn is_bad(&self, key: &str) -> bool {
        self.bad.contains(&key)
    }

    pub(crate) fn region(&self) -> Given<'_, Region> {
        self.given("region", self.region.as_ref())
    }

    /// The endpoint of all that a service is asked for.
    pub(crate) fn endpoint(&self, service: Service) -> Option<&str> {
        match service {
            Service::Kms => self.kms_endpoint,
            Service::Oos => self.oos_endpoint,
            Service::Sts => self.sts_endpoint,
        }
    }

    pub(crate) fn role_arn(&self) -> Given<'_, RoleArn> {
        self.given("role-arn", self.role_arn.as_ref())
    }

    pub(crate) fn oidc_provider_arn(&self) -> Given<'_, ProviderArn> {
        self.given("oidc-provider-arn", self.oidc_provider_arn.as_ref())
    }

    pub(crate) fn agent_secrets(&self) -> Given<'_, [Glob]> {
        self.given("agent-secrets", self.agent.secrets.as_deref())
    }

    /// Whether the Pod names anything to fetch, be it good or bad.
    pub(crate) fn names_secrets(&self) -> bool {
        let is_bad = |key: &&str| {
            matches!(*key, "secrets" | "env" | "agent-secrets" | "secret-provider-class")
                || ["template", "env."].iter().any(|family| key.starts_with(family))
        };
        self.secrets.is_some()
            || !self.templates.is_empty()
            || !self.env.is_empty()
            || (self.mode == ModeName::Agent && self.agent.secrets.is_some())
            || self.bad.iter().any(is_bad)
    }

    fn given<'r, T: ?Sized>(&self, key: &str, value: Option<&'r T>) -> Given<'r, T> {
        match value {
            Some(value) => Given::Value(value),
            None if self.is_bad(key) => Given::Bad,
            None => Given::Nothing,
        }
    }
}
