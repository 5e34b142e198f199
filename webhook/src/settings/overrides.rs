//! One setting given by name: a flag `region=cn-hangzhou` or a variable of the environment.

use serde::de::DeserializeOwned;

use super::raw::{RawAnnotationRule, RawEndpoints, RawRule, RawSettings};
use super::yaml;
use crate::text::nearest::nearest;

/// A value for one field, replacing what the file says.
#[derive(Clone, Debug)]
pub struct Override {
    field: &'static Field,
    value: String,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OverrideError {
    #[error("setting {0:?} has no value: write NAME=VALUE")]
    NoValue(String),
    #[error("unknown setting {name:?}{}", did_you_mean(.nearest))]
    UnknownName { name: String, nearest: Option<&'static str> },
    #[error("unknown environment variable {name}{}", did_you_mean(.nearest))]
    UnknownVariable { name: String, nearest: Option<String> },
    #[error("setting {field}: {problem}")]
    Syntax { field: &'static str, problem: String },
}

impl Override {
    /// From `injector.image=registry/image:tag`.
    pub fn from_flag(text: &str) -> Result<Self, OverrideError> {
        let Some((name, value)) = text.split_once('=') else {
            return Err(OverrideError::NoValue(text.into()));
        };
        let Some(field) = FIELDS.iter().find(|field| field.name == name) else {
            let nearest = nearest(name, FIELDS.iter().map(|field| field.name));
            return Err(OverrideError::UnknownName { name: name.into(), nearest });
        };
        Ok(Self { field, value: value.into() })
    }

    /// From a variable of the environment; `None` for those that are not about settings.
    pub fn from_variable(name: &str, value: &str) -> Option<Result<Self, OverrideError>> {
        name.starts_with(PREFIX).then(|| {
            if let Some(field) = FIELDS.iter().find(|field| variable(field.name) == name) {
                return Ok(Self { field, value: value.into() });
            }
            let known: Vec<_> = FIELDS.iter().map(|field| variable(field.name)).collect();
            let nearest = nearest(name, known.iter().map(String::as_str)).map(str::to_owned);
            Err(OverrideError::UnknownVariable { name: name.into(), nearest })
        })
    }

    pub(super) fn apply(&self, raw: &mut RawSettings) -> Result<(), OverrideError> {
        match (self.field.slot)(raw) {
            Slot::Text(slot) => *slot = Some(self.value.clone()).filter(|text| !text.is_empty()),
            Slot::List(slot) => *slot = Some(self.items()),
            Slot::Endpoints(slot) => {
                *slot = RawEndpoints { list: Some(self.items()), ..RawEndpoints::default() };
            }
            Slot::Policy(slot) => {
                let blank = || self.syntax(BLANK.to_owned());
                *slot = Some(self.rules()?.ok_or_else(blank)?);
            }
            Slot::AnnotationRules(slot) => *slot = self.rules()?,
        }
        Ok(())
    }

    fn rules<T: DeserializeOwned>(&self) -> Result<Option<Vec<T>>, OverrideError> {
        let rules: Option<Option<_>> =
            yaml::read(&self.value).map_err(|problem| self.syntax(problem))?;
        Ok(rules.flatten())
    }

    fn syntax(&self, problem: String) -> OverrideError {
        OverrideError::Syntax { field: self.field.name, problem }
    }

    fn items(&self) -> Vec<String> {
        let items = self.value.split(',').map(str::trim).filter(|item| !item.is_empty());
        items.map(str::to_owned).collect()
    }
}

#[derive(Debug)]
struct Field {
    /// As in the file, dotted.
    name: &'static str,
    slot: fn(&mut RawSettings) -> Slot<'_>,
}

enum Slot<'a> {
    Text(&'a mut Option<String>),
    List(&'a mut Option<Vec<String>>),
    /// The list for KMS and OOS, in the place of all lists.
    Endpoints(&'a mut RawEndpoints),
    /// Written as in the file, in both.
    Policy(&'a mut Option<Vec<RawRule>>),
    AnnotationRules(&'a mut Option<Vec<RawAnnotationRule>>),
}

/// `injector.imagePullPolicy` is `SECRETS_WEBHOOK_SETTING_INJECTOR_IMAGE_PULL_POLICY`.
fn variable(name: &str) -> String {
    let mut text = String::from(PREFIX);
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            text.push('_');
        }
        text.push(if c == '.' { '_' } else { c.to_ascii_uppercase() });
    }
    text
}

fn did_you_mean(nearest: &Option<impl AsRef<str>>) -> String {
    let hint = |name: &dyn AsRef<str>| format!(", did you mean {}?", name.as_ref());
    nearest.as_ref().map(|name| hint(name)).unwrap_or_default()
}

/// Without rules everything is allowed, which a variable that somebody left empty does not say.
const BLANK: &str = "it is blank; write [] for no rules";

const PREFIX: &str = "SECRETS_WEBHOOK_SETTING_";

const fn field(name: &'static str, slot: fn(&mut RawSettings) -> Slot<'_>) -> Field {
    Field { name, slot }
}

/// Every field of [`RawSettings`]; a test compares the two.
static FIELDS: &[Field] = &[
    field("region", |raw| Slot::Text(&mut raw.region)),
    field("accountId", |raw| Slot::Text(&mut raw.account_id)),
    field("clusterId", |raw| Slot::Text(&mut raw.cluster_id)),
    field("oidcProviderArn", |raw| Slot::Text(&mut raw.oidc_provider_arn)),
    field("network", |raw| Slot::Text(&mut raw.network)),
    field("metadataV1", |raw| Slot::Text(&mut raw.metadata_v1)),
    field("kmsEndpoint", |raw| Slot::Text(&mut raw.kms_endpoint)),
    field("oosEndpoint", |raw| Slot::Text(&mut raw.oos_endpoint)),
    field("stsEndpoint", |raw| Slot::Text(&mut raw.sts_endpoint)),
    field("allowedEndpoints", |raw| Slot::Endpoints(&mut raw.allowed_endpoints)),
    field("allowedEndpoints.kms", |raw| Slot::List(&mut raw.allowed_endpoints.kms)),
    field("allowedEndpoints.oos", |raw| Slot::List(&mut raw.allowed_endpoints.oos)),
    field("allowedEndpoints.sts", |raw| Slot::List(&mut raw.allowed_endpoints.sts)),
    field("batches", |raw| Slot::Text(&mut raw.batches)),
    field("oosBatches", |raw| Slot::Text(&mut raw.oos_batches)),
    field("regions", |raw| Slot::List(&mut raw.regions)),
    field("pathTranslation", |raw| Slot::Text(&mut raw.path_translation)),
    field("caConfigMap", |raw| Slot::Text(&mut raw.ca_config_map)),
    field("gatewayCa", |raw| Slot::Text(&mut raw.gateway_ca)),
    field("publishedCa", |raw| Slot::Text(&mut raw.published_ca)),
    field("httpsProxy", |raw| Slot::Text(&mut raw.https_proxy)),
    field("meshProxies", |raw| Slot::List(&mut raw.mesh_proxies)),
    field("uid", |raw| Slot::Text(&mut raw.uid)),
    field("injector.image", |raw| Slot::Text(&mut raw.injector.image)),
    field("injector.imagePullPolicy", |raw| Slot::Text(&mut raw.injector.image_pull_policy)),
    field("injector.imageMirrors", |raw| Slot::List(&mut raw.injector.image_mirrors)),
    field("injector.command", |raw| Slot::List(&mut raw.injector.command)),
    field("injector.extraArgs", |raw| Slot::List(&mut raw.injector.extra_args)),
    field("injector.resources.cpu", |raw| Slot::Text(&mut raw.injector.resources.cpu)),
    field("injector.resources.memory", |raw| Slot::Text(&mut raw.injector.resources.memory)),
    field("injector.resources.guaranteedCpu", |raw| {
        Slot::Text(&mut raw.injector.resources.guaranteed_cpu)
    }),
    field("tokenExpirationSeconds", |raw| Slot::Text(&mut raw.token_expiration_seconds)),
    field("timeoutSeconds", |raw| Slot::Text(&mut raw.timeout_seconds)),
    field("allowedVariables", |raw| Slot::List(&mut raw.allowed_variables)),
    field("onlyVariables", |raw| Slot::List(&mut raw.only_variables)),
    field("fileKeyRef", |raw| Slot::Text(&mut raw.file_key_ref)),
    field("oldestKubelet", |raw| Slot::Text(&mut raw.oldest_kubelet)),
    field("secretProviderClasses", |raw| Slot::Text(&mut raw.secret_provider_classes)),
    field("rules", |raw| Slot::AnnotationRules(&mut raw.rules)),
    field("policy", |raw| Slot::Policy(&mut raw.policy)),
];

#[cfg(test)]
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FIELDS.iter().map(|field| field.name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn leaves(prefix: &str, value: &serde_json::Value, found: &mut BTreeSet<String>) {
        for (name, value) in value.as_object().unwrap() {
            match value.is_object() {
                true => leaves(&format!("{prefix}{name}."), value, found),
                false => _ = found.insert(format!("{prefix}{name}")),
            }
        }
    }

    /// Where a field's value lies; the one list of hosts has no name of its own in the file.
    fn place(field: &Field) -> &'static str {
        match field.name {
            "allowedEndpoints" => "allowedEndpoints.list",
            name => name,
        }
    }

    #[test]
    fn every_field_of_the_file_can_be_overridden_and_nothing_else() {
        let mut fields = BTreeSet::new();
        leaves("", &serde_json::to_value(RawSettings::default()).unwrap(), &mut fields);
        assert_eq!(fields, FIELDS.iter().map(|field| place(field).to_owned()).collect());
    }

    #[test]
    fn every_override_lands_in_its_own_field() {
        for field in FIELDS {
            let mut raw = RawSettings::default();
            let is_rules = ["policy", "rules"].contains(&field.name);
            let value = if is_rules { "[{name: x}]" } else { "x" };
            Override { field, value: value.into() }.apply(&mut raw).unwrap();
            let value = serde_json::to_value(&raw).unwrap();
            let pointer = format!("/{}", place(field).replace('.', "/"));
            let written = value.pointer(&pointer).unwrap();
            let first = &written[0];
            let is_x = *written == "x" || *first == "x" || first["name"] == "x";
            assert!(is_x, "{}: {written}", field.name);
        }
    }

    #[test]
    fn variables_are_spelt_in_upper_snake_case() {
        assert_eq!(variable("region"), "SECRETS_WEBHOOK_SETTING_REGION");
        assert_eq!(
            variable("injector.imagePullPolicy"),
            "SECRETS_WEBHOOK_SETTING_INJECTOR_IMAGE_PULL_POLICY"
        );
    }
}
