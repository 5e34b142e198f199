//! Raw settings to valid ones: each value by its rule, all that are not allowed reported at once.

mod annotation_rules;
mod policy;

use std::borrow::Cow;

use plan::{Batches, CaBundle, HttpsProxy, Region};

use super::raw::{RawEndpoints, RawInjector, RawResources, RawSettings};
use super::rules::{
    ACCOUNT, ARGUMENT, CLASSES, CLUSTER, CONFIG_MAP, CONTAINER, Choices, ENDPOINT, FILE_KEY_REFS,
    GATEWAY_CA, HOST, HTTPS_PROXY, IMAGE, KMS_BATCHES, KUBELET, METADATA_V1, NETWORKS, OOS_BATCHES,
    PROVIDER, PUBLISHED_CA, PULL_POLICY, QUANTITY, REGION, REPOSITORY, Rule, TRANSLATION, UIDS,
    VARIABLE,
};
use super::{BadSetting, BadSettings, Endpoints, Injector, Resources, Settings};
use crate::settings::regions;
use crate::text::nearest::nearest;

impl TryFrom<RawSettings> for Settings {
    type Error = BadSettings;

    fn try_from(raw: RawSettings) -> Result<Self, BadSettings> {
        let default = Self::default();
        let mut check = Check(Vec::new());
        let settings = Self {
            region: check.region(raw.region, raw.regions.as_deref().unwrap_or_default()),
            account_id: check.text("accountId", raw.account_id, ACCOUNT),
            cluster_id: check.text("clusterId", raw.cluster_id, CLUSTER),
            oidc_provider_arn: check.text("oidcProviderArn", raw.oidc_provider_arn, PROVIDER),
            network: check.choice("network", raw.network, NETWORKS, default.network),
            metadata_v1: check.choice(
                "metadataV1",
                raw.metadata_v1,
                METADATA_V1,
                default.metadata_v1,
            ),
            kms_endpoint: check.text("kmsEndpoint", raw.kms_endpoint, ENDPOINT),
            oos_endpoint: check.text("oosEndpoint", raw.oos_endpoint, ENDPOINT),
            sts_endpoint: check.text("stsEndpoint", raw.sts_endpoint, ENDPOINT),
            allowed_endpoints: check.endpoints(raw.allowed_endpoints),
            batches: Batches {
                kms: check.choice("batches", raw.batches, KMS_BATCHES, default.batches.kms),
                oos: check.choice("oosBatches", raw.oos_batches, OOS_BATCHES, default.batches.oos),
            },
            regions: check.list("regions", raw.regions, REGION).unwrap_or_default(),
            path_translation: check
                .text("pathTranslation", raw.path_translation, TRANSLATION)
                .unwrap_or(default.path_translation),
            ca_config_map: check.text("caConfigMap", raw.ca_config_map, CONFIG_MAP),
            gateway_ca: check.gateway_ca(raw.gateway_ca),
            https_proxy: check.proxy(raw.https_proxy),
            published_ca: check.choice(
                "publishedCa",
                raw.published_ca,
                PUBLISHED_CA,
                default.published_ca,
            ),
            mesh_proxies: check
                .list("meshProxies", raw.mesh_proxies, CONTAINER)
                .unwrap_or(default.mesh_proxies),
            uid: check.choice("uid", raw.uid, UIDS, default.uid),
            injector: check.injector(raw.injector, default.injector),
            token_expiration_seconds: check.seconds(
                "tokenExpirationSeconds",
                raw.token_expiration_seconds,
                // What the API server accepts at least, and STS at most.
                (600, 43_200, "a number of seconds from 600 to 43200"),
                default.token_expiration_seconds,
            ),
            timeout_seconds: check.seconds(
                "timeoutSeconds",
                raw.timeout_seconds,
                (1, 3_600, "a number of seconds from 1 to 3600"),
                default.timeout_seconds,
            ),
            allowed_variables: check
                .list("allowedVariables", raw.allowed_variables, VARIABLE)
                .unwrap_or_default(),
            only_variables: check.only_variables(raw.only_variables),
            file_key_ref: check.choice(
                "fileKeyRef",
                raw.file_key_ref,
                FILE_KEY_REFS,
                default.file_key_ref,
            ),
            oldest_kubelet: check.text("oldestKubelet", raw.oldest_kubelet, KUBELET),
            secret_provider_classes: check.choice(
                "secretProviderClasses",
                raw.secret_provider_classes,
                CLASSES,
                default.secret_provider_classes,
            ),
            rules: check.annotation_rules(raw.rules.unwrap_or_default()),
            policy: check.policy(raw.policy.unwrap_or_default()),
        };
        if check.0.is_empty() { Ok(settings) } else { Err(BadSettings(check.0)) }
    }
}

pub(super) struct Check(Vec<BadSetting>);

impl Check {
    fn endpoints(&mut self, raw: RawEndpoints) -> Endpoints {
        let list = self.list("allowedEndpoints", raw.list, HOST);
        let mut own = |field, raw| self.list(field, raw, HOST);
        Endpoints {
            kms: own("allowedEndpoints.kms", raw.kms).or(list.clone()).unwrap_or_default(),
            oos: own("allowedEndpoints.oos", raw.oos).or(list).unwrap_or_default(),
            sts: own("allowedEndpoints.sts", raw.sts).unwrap_or_default(),
        }
    }

    /// What is none is not repeated: it may be a key by mistake.
    fn gateway_ca(&mut self, raw: Option<String>) -> Option<CaBundle> {
        let (text, (parse, allowed)) = (raw?, GATEWAY_CA);
        let bundle = parse(&text);
        if bundle.is_none() {
            self.refuse("gatewayCa", format!("({} bytes)", text.len()), allowed);
        }
        bundle
    }

    /// What is before an `@` is not repeated: it may be a password.
    fn proxy(&mut self, raw: Option<String>) -> Option<HttpsProxy> {
        let (text, (parse, allowed)) = (raw?, HTTPS_PROXY);
        let proxy = parse(&text);
        if proxy.is_none() {
            let shown = match text.rsplit_once('@') {
                Some((_, host)) => format!("…@{host}"),
                None => text,
            };
            self.refuse("httpsProxy", shown, allowed);
        }
        proxy
    }

    fn injector(&mut self, raw: RawInjector, default: Injector) -> Injector {
        Injector {
            image: self.text("injector.image", raw.image, IMAGE).unwrap_or(default.image),
            image_pull_policy: self.text(
                "injector.imagePullPolicy",
                raw.image_pull_policy,
                PULL_POLICY,
            ),
            image_mirrors: self
                .list("injector.imageMirrors", raw.image_mirrors, REPOSITORY)
                .unwrap_or_default(),
            command: self.command(raw.command).unwrap_or(default.command),
            extra_args: self
                .list("injector.extraArgs", raw.extra_args, ARGUMENT)
                .unwrap_or(default.extra_args),
            resources: self.resources(raw.resources, default.resources),
        }
    }

    fn resources(&mut self, raw: RawResources, default: Resources) -> Resources {
        Resources {
            cpu: self.text("injector.resources.cpu", raw.cpu, QUANTITY).unwrap_or(default.cpu),
            memory: self
                .text("injector.resources.memory", raw.memory, QUANTITY)
                .unwrap_or(default.memory),
            guaranteed_cpu: self
                .text("injector.resources.guaranteedCpu", raw.guaranteed_cpu, QUANTITY)
                .unwrap_or(default.guaranteed_cpu),
        }
    }

    fn command(&mut self, raw: Option<Vec<String>>) -> Option<Vec<String>> {
        let words = self.list("injector.command", raw, ARGUMENT)?;
        if words.first().is_some_and(|program| program.starts_with('/')) {
            return Some(words);
        }
        // Our image has no shell and no PATH to look a name up in.
        self.refuse(
            "injector.command",
            words.join(","),
            "a list that begins with an absolute path",
        );
        None
    }

    /// A region that does not exist would be found by every Pod, and blamed on it.
    fn region(&mut self, raw: Option<String>, more: &[String]) -> Option<Region> {
        let region = self.text("region", raw, REGION)?;
        let name = region.as_str();
        if regions::is_known(name) || more.iter().any(|known| known == name) {
            return Some(region);
        }
        let mut allowed = "a region that exists, or that the setting regions names".to_owned();
        let more = more.iter().map(String::as_str);
        if let Some(meant) = nearest(name, more).or_else(|| regions::nearest_to(name)) {
            allowed += &format!("; did you mean {meant}?");
        }
        self.refuse("region", name.to_owned(), allowed);
        None
    }

    fn text<T>(
        &mut self,
        field: &'static str,
        raw: Option<String>,
        (parse, allowed): Rule<T>,
    ) -> Option<T> {
        let text = raw?;
        let value = parse(&text);
        if value.is_none() {
            self.refuse(field, text, allowed);
        }
        value
    }

    fn list<T>(
        &mut self,
        field: &'static str,
        raw: Option<Vec<String>>,
        rule: Rule<T>,
    ) -> Option<Vec<T>> {
        let values = raw?.into_iter().filter_map(|text| self.text(field, Some(text), rule));
        Some(values.collect())
    }

    fn choice<T: Copy>(
        &mut self,
        field: &'static str,
        raw: Option<String>,
        (choices, allowed): Choices<T>,
        default: T,
    ) -> T {
        let Some(value) = raw else { return default };
        if let Some((_, choice)) = choices.iter().find(|(name, _)| *name == value) {
            return *choice;
        }
        self.refuse(field, value, allowed);
        default
    }

    fn seconds(
        &mut self,
        field: &'static str,
        raw: Option<String>,
        (least, most, allowed): (u32, u32, &'static str),
        default: u32,
    ) -> u32 {
        let Some(value) = raw else { return default };
        match value.parse() {
            Ok(number) if (least..=most).contains(&number) => number,
            _ => {
                self.refuse(field, value, allowed);
                default
            }
        }
    }

    pub(super) fn refuse(
        &mut self,
        field: impl Into<Cow<'static, str>>,
        mut value: String,
        allowed: impl Into<Cow<'static, str>>,
    ) {
        // A message must stay readable when a whole file was pasted into a field.
        if let Some((end, _)) = value.char_indices().nth(80) {
            value.truncate(end);
            value.push('…');
        }
        self.0.push(BadSetting { field: field.into(), value, allowed: allowed.into() });
    }
}
