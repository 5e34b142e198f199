//! Settings as they are written: text, nothing checked but names and shapes.
//!
//! Numbers are text too, so that a file, a flag and an environment variable go the same way and
//! no library error can quote a value.

use serde::Deserialize;

/// See [`super::Settings`] for the meaning of each field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RawSettings {
    pub(super) region: Option<String>,
    pub(super) account_id: Option<String>,
    pub(super) cluster_id: Option<String>,
    pub(super) oidc_provider_arn: Option<String>,
    pub(super) network: Option<String>,
    pub(super) kms_endpoint: Option<String>,
    pub(super) oos_endpoint: Option<String>,
    pub(super) sts_endpoint: Option<String>,
    pub(super) allowed_endpoints: Option<Vec<String>>,
    pub(super) regions: Option<Vec<String>>,
    pub(super) path_translation: Option<String>,
    pub(super) ca_config_map: Option<String>,
    pub(super) mesh_proxies: Option<Vec<String>>,
    pub(super) uid: Option<String>,
    pub(super) injector: RawInjector,
    pub(super) token_expiration_seconds: Option<String>,
    pub(super) timeout_seconds: Option<String>,
    pub(super) allowed_variables: Option<Vec<String>>,
    pub(super) file_key_ref: Option<String>,
    pub(super) oldest_kubelet: Option<String>,
    pub(super) policy: Option<Vec<RawRule>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct RawInjector {
    pub(super) image: Option<String>,
    pub(super) image_pull_policy: Option<String>,
    pub(super) command: Option<Vec<String>>,
    pub(super) extra_args: Option<Vec<String>>,
    pub(super) resources: RawResources,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct RawResources {
    pub(super) cpu: Option<String>,
    pub(super) memory: Option<String>,
    pub(super) guaranteed_cpu: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct RawRule {
    pub(super) name: Option<String>,
    pub(super) namespaces: Option<Vec<String>>,
    pub(super) roles: Option<Vec<String>>,
    pub(super) credentials: Option<Vec<String>>,
    pub(super) secrets: Option<Vec<String>>,
}
