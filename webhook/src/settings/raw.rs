//! Settings as they are written: text, nothing checked but names and shapes.
//!
//! Numbers are text too, so that a file, a flag and an environment variable go the same way and
//! no library error can quote a value.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

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
    pub(super) metadata_v1: Option<String>,
    pub(super) kms_endpoint: Option<String>,
    pub(super) oos_endpoint: Option<String>,
    pub(super) sts_endpoint: Option<String>,
    pub(super) allowed_endpoints: RawEndpoints,
    pub(super) batches: Option<String>,
    pub(super) oos_batches: Option<String>,
    pub(super) regions: Option<Vec<String>>,
    pub(super) path_translation: Option<String>,
    pub(super) ca_config_map: Option<String>,
    pub(super) gateway_ca: Option<String>,
    pub(super) published_ca: Option<String>,
    pub(super) https_proxy: Option<String>,
    pub(super) mesh_proxies: Option<Vec<String>>,
    pub(super) uid: Option<String>,
    pub(super) injector: RawInjector,
    pub(super) token_expiration_seconds: Option<String>,
    pub(super) timeout_seconds: Option<String>,
    pub(super) allowed_variables: Option<Vec<String>>,
    #[serde(deserialize_with = "blank_is_empty")]
    pub(super) only_variables: Option<Vec<String>>,
    pub(super) file_key_ref: Option<String>,
    pub(super) oldest_kubelet: Option<String>,
    pub(super) secret_provider_classes: Option<String>,
    pub(super) rules: Option<Vec<RawAnnotationRule>>,
    #[serde(deserialize_with = "not_blank")]
    pub(super) policy: Option<Vec<RawRule>>,
}

/// One list, or one for each service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(from = "GivenEndpoints")]
pub(super) struct RawEndpoints {
    /// For KMS and OOS, where they have none of their own.
    pub(super) list: Option<Vec<String>>,
    pub(super) kms: Option<Vec<String>>,
    pub(super) oos: Option<Vec<String>>,
    pub(super) sts: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "allowedEndpoints is a list of hosts for kms and oos, or lists of them under kms, oos and sts"
)]
enum GivenEndpoints {
    Blank,
    List(Vec<String>),
    Services(Services),
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Services {
    kms: Option<Vec<String>>,
    oos: Option<Vec<String>>,
    sts: Option<Vec<String>>,
}

impl From<GivenEndpoints> for RawEndpoints {
    fn from(given: GivenEndpoints) -> Self {
        match given {
            GivenEndpoints::Blank => Self::default(),
            GivenEndpoints::List(hosts) => Self { list: Some(hosts), ..Self::default() },
            GivenEndpoints::Services(Services { kms, oos, sts }) => {
                Self { list: None, kms, oos, sts }
            }
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct RawInjector {
    pub(super) image: Option<String>,
    pub(super) image_pull_policy: Option<String>,
    pub(super) image_mirrors: Option<Vec<String>>,
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
    #[serde(deserialize_with = "blank_is_empty")]
    pub(super) namespaces: Option<Vec<String>>,
    #[serde(deserialize_with = "blank_is_empty")]
    pub(super) roles: Option<Vec<String>>,
    #[serde(deserialize_with = "blank_is_empty")]
    pub(super) credentials: Option<Vec<String>>,
    #[serde(deserialize_with = "blank_is_empty")]
    pub(super) secrets: Option<Vec<String>>,
    #[serde(deserialize_with = "blank_is_empty")]
    pub(super) regions: Option<Vec<String>>,
    #[serde(deserialize_with = "blank_is_empty")]
    pub(super) endpoints: Option<Vec<String>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct RawAnnotationRule {
    pub(super) name: Option<String>,
    pub(super) namespaces: Option<Vec<String>>,
    pub(super) annotations: Option<BTreeMap<String, String>>,
}

/// A list that is named and left blank is not one that is left out, which would be all there is.
fn blank_is_empty<'de, D: Deserializer<'de>>(raw: D) -> Result<Option<Vec<String>>, D::Error> {
    Ok(Some(Option::deserialize(raw)?.unwrap_or_default()))
}

/// Without rules everything is allowed, so no one gets there by leaving them out behind the name.
fn not_blank<'de, D: Deserializer<'de>>(raw: D) -> Result<Option<Vec<RawRule>>, D::Error> {
    let rules: Option<_> = Option::deserialize(raw)?;
    rules.map(Some).ok_or_else(|| D::Error::custom("policy is blank; write [] for no rules"))
}
