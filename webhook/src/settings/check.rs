//! Raw settings to valid ones: every rule about a value, all broken ones reported at once.

use std::borrow::Cow;

use plan::{Host, Region, VariableName};

use super::raw::{RawEndpoints, RawInjector, RawResources, RawSettings};
use super::{
    BadSetting, BadSettings, Endpoints, FileKeyRef, Injector, Network, Resources, Settings, Uid,
};
use crate::endpoint::{is_known_region, nearest_region};
use crate::image::is_repository;
use crate::nearest::nearest;

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
            kms_endpoint: check.text("kmsEndpoint", raw.kms_endpoint, ENDPOINT),
            oos_endpoint: check.text("oosEndpoint", raw.oos_endpoint, ENDPOINT),
            sts_endpoint: check.text("stsEndpoint", raw.sts_endpoint, ENDPOINT),
            allowed_endpoints: check.endpoints(raw.allowed_endpoints),
            regions: check.list("regions", raw.regions, REGION).unwrap_or_default(),
            path_translation: check.text("pathTranslation", raw.path_translation, TRANSLATION),
            ca_config_map: check.text("caConfigMap", raw.ca_config_map, OBJECT_NAME),
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
            oldest_kubelet: check
                .text("oldestKubelet", raw.oldest_kubelet, KUBELET)
                .as_deref()
                .and_then(minor),
            policy: check.policy(raw.policy.unwrap_or_default()),
        };
        if check.0.is_empty() { Ok(settings) } else { Err(BadSettings(check.0)) }
    }
}

/// What a text must be, as a test and in words.
type Rule = (fn(&str) -> bool, &'static str);

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
    fn region(&mut self, raw: Option<String>, more: &[String]) -> Option<String> {
        let region = self.text("region", raw, REGION)?;
        if is_known_region(&region) || more.contains(&region) {
            return Some(region);
        }
        let mut allowed = "a region that exists, or that the setting regions names".to_owned();
        let more = more.iter().map(String::as_str);
        if let Some(meant) = nearest(&region, more).or_else(|| nearest_region(&region)) {
            allowed += &format!("; did you mean {meant}?");
        }
        self.refuse("region", region, allowed);
        None
    }

    fn text(&mut self, field: &'static str, raw: Option<String>, rule: Rule) -> Option<String> {
        let value = raw?;
        let (holds, allowed) = rule;
        if holds(&value) {
            return Some(value);
        }
        self.refuse(field, value, allowed);
        None
    }

    fn list(
        &mut self,
        field: &'static str,
        raw: Option<Vec<String>>,
        rule: Rule,
    ) -> Option<Vec<String>> {
        let (holds, allowed) = rule;
        let (good, bad): (Vec<_>, Vec<_>) = raw?.into_iter().partition(|item| holds(item));
        for item in bad {
            self.refuse(field, item, allowed);
        }
        Some(good)
    }

    fn choice<T: Copy>(
        &mut self,
        field: &'static str,
        raw: Option<String>,
        (choices, allowed): (&[(&str, T)], &'static str),
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

/// Of `1.MINOR`, with or without a `v` and a patch level.
fn minor(text: &str) -> Option<u32> {
    let mut parts = text.strip_prefix('v').unwrap_or(text).split('.');
    let (major, minor) = (parts.next()?, parts.next()?);
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    (major == "1" && digits(minor) && minor.len() <= 3).then(|| minor.parse().ok())?
}

fn is_label(text: &str, most: usize) -> bool {
    !text.is_empty()
        && text.len() <= most
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn is_provider_arn(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("acs:ram::") else { return false };
    let Some((account, name)) = rest.split_once(":oidc-provider/") else { return false };
    ACCOUNT.0(account)
        && (1..=128).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

fn is_quantity(text: &str) -> bool {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let suffix = text.strip_prefix(number).unwrap_or_default();
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits =
        |part: &str| (1..=15).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    digits(whole)
        && digits(fraction)
        && number.bytes().any(|b| (b'1'..=b'9').contains(&b))
        && ["", "m", "k", "M", "G", "Ki", "Mi", "Gi"].contains(&suffix)
}

const REGION: Rule = (|t| Region::parse(t).is_ok(), "a region id such as cn-hangzhou");
const ACCOUNT: Rule = (
    |t| (1..=20).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_digit()),
    "an account id of up to 20 digits",
);
const CLUSTER: Rule = (|t| is_label(t, 64), "a cluster id of lower case letters and digits");
const PROVIDER: Rule =
    (is_provider_arn, "an ARN of the form acs:ram::ACCOUNT_ID:oidc-provider/NAME");
const NETWORKS: (&[(&str, Network)], &str) =
    (&[("vpc", Network::Vpc), ("public", Network::Public)], "vpc or public");
const UIDS: (&[(&str, Uid)], &str) =
    (&[("explicit", Uid::Explicit), ("platform", Uid::Platform)], "explicit or platform");
const VARIABLE: Rule = (|t| VariableName::parse(t).is_ok(), "the name of an environment variable");
const FILE_KEY_REFS: (&[(&str, FileKeyRef)], &str) = (
    &[("never", FileKeyRef::Never), ("asked", FileKeyRef::Asked), ("auto", FileKeyRef::Auto)],
    "never, asked or auto",
);
const KUBELET: Rule = (|t| minor(t).is_some(), "a version of Kubernetes such as \"1.35\"");
const HOST: Rule =
    (|t| Host::parse(t).is_ok(), "a full host name: no scheme, port, path or IP address");
const ENDPOINT: Rule = (
    |t| Host::parse(&t.replace("{region}", "cn-hangzhou")).is_ok(),
    "a full host name, {region} allowed in it: no scheme, port, path or IP address",
);
const TRANSLATION: Rule = (
    |t| {
        let mut chars = t.chars();
        t == "False"
            || matches!((chars.next(), chars.next()), (Some(c), None) if c != '/' && printable::is_printable(c))
    },
    "one character other than /, or False",
);
const OBJECT_NAME: Rule = (
    |t| t.len() <= 253 && t.split('.').all(|label| is_label(label, 253)),
    "the name of a ConfigMap",
);
const CONTAINER: Rule = (|t| is_label(t, 63), "the name of a container");
const IMAGE: Rule = (
    |t| (1..=512).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_graphic()),
    "an image reference",
);
const PULL_POLICY: Rule =
    (|t| ["Always", "IfNotPresent", "Never"].contains(&t), "Always, IfNotPresent or Never");
const REPOSITORY: Rule = (
    is_repository,
    "a repository of images such as mirror.example/team/secrets-injector: no scheme, tag or digest",
);
const ARGUMENT: Rule = (
    |t| (1..=4096).contains(&t.len()) && !t.contains('\0'),
    "an argument of 1 to 4096 bytes without NUL",
);
const QUANTITY: Rule = (is_quantity, "a positive quantity such as 10m, 0.5 or 16Mi");
