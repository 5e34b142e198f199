//! One rule for each kind of setting: how its text becomes a value, and the words for what does not.

use plan::{
    CaBundle, ContainerName, Host, HttpsProxy, KmsBatches, Network, ProviderArn, Region,
    VariableName,
};
use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use super::values::{AccountId, ClusterId, ConfigMapName, EndpointPattern, PullPolicy};
use super::{FileKeyRefUse, Uid};
use crate::path_translation::PathTranslation;
use crate::quantity::WrittenQuantity;
use crate::settings::image::is_repository;

/// How a text becomes a value; and what a text must be, for people whose text becomes none.
pub(super) type Rule<T> = (fn(&str) -> Option<T>, &'static str);

/// The values of a setting that has few, and all of them in words.
pub(super) type Choices<T> = (&'static [(&'static str, T)], &'static str);

pub(super) const REGION: Rule<Region> =
    (|text| Region::parse(text).ok(), "a region id such as cn-hangzhou");

pub(super) const ACCOUNT: Rule<AccountId> = (AccountId::parse, "an account id of up to 20 digits");

pub(super) const CLUSTER: Rule<ClusterId> =
    (ClusterId::parse, "a cluster id of lower case letters and digits");

pub(super) const PROVIDER: Rule<ProviderArn> = (
    |text| ProviderArn::parse(text).ok(),
    "an ARN of the form acs:ram::ACCOUNT_ID:oidc-provider/NAME",
);

pub(super) const NETWORKS: Choices<Network> =
    (&[("vpc", Network::Vpc), ("public", Network::Public)], "vpc or public");

pub(super) const METADATA_V1: Choices<bool> =
    (&[("never", false), ("allow", true)], "never or allow");

pub(super) const KMS_BATCHES: Choices<KmsBatches> = (
    &[("shared", KmsBatches::Shared), ("all", KmsBatches::All), ("never", KmsBatches::Never)],
    "shared, all or never",
);

/// Whether roles allow parameters of OOS to be read together.
pub(super) const OOS_BATCHES: Choices<bool> =
    (&[("never", false), ("allowed", true)], "never or allowed");

pub(super) const CLASSES: Choices<bool> = (&[("never", false), ("read", true)], "never or read");

pub(super) const UIDS: Choices<Uid> =
    (&[("explicit", Uid::Explicit), ("platform", Uid::Platform)], "explicit or platform");

pub(super) const FILE_KEY_REFS: Choices<FileKeyRefUse> = (
    &[
        ("never", FileKeyRefUse::Never),
        ("asked", FileKeyRefUse::OnRequest),
        ("auto", FileKeyRefUse::Auto),
    ],
    "never, asked or auto",
);

pub(super) const VARIABLE: Rule<VariableName> =
    (|text| VariableName::parse(text).ok(), "the name of an environment variable");

pub(super) const KUBELET: Rule<u32> = (minor_version, "a version of Kubernetes such as \"1.35\"");

pub(super) const HOST: Rule<Host> =
    (|text| Host::parse(text).ok(), "a full host name: no scheme, port, path or IP address");

pub(super) const ENDPOINT: Rule<EndpointPattern> = (
    EndpointPattern::parse,
    "a full host name, {region} allowed in it: no scheme, port, path or IP address",
);

pub(super) const TRANSLATION: Rule<PathTranslation> =
    (|text| PathTranslation::parse(text).ok(), "one character other than / and \\, or False");

pub(super) const CONFIG_MAP: Rule<ConfigMapName> =
    (ConfigMapName::parse, "the name of a ConfigMap");

/// Whether the CAs that Alibaba Cloud publishes count for dedicated gateways.
pub(super) const PUBLISHED_CA: Choices<bool> =
    (&[("trust", true), ("never", false)], "trust or never");

pub(super) const GATEWAY_CA: Rule<CaBundle> =
    (ca_bundle, "one or more certificates of CAs in PEM, of at most 8 KiB together, and no key");

pub(super) const HTTPS_PROXY: Rule<HttpsProxy> = (
    |text| HttpsProxy::parse(text).ok(),
    "HOST:PORT, a full host name or an IPv4 address other than loopback and link-local ones: no scheme, user or path",
);

pub(super) const CONTAINER: Rule<ContainerName> =
    (|text| ContainerName::parse(text).ok(), "the name of a container");

pub(super) const IMAGE: Rule<String> = (
    |text| {
        let ok = (1..=512).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        ok.then(|| text.to_owned())
    },
    "an image reference",
);

pub(super) const PULL_POLICY: Rule<PullPolicy> =
    (PullPolicy::parse, "Always, IfNotPresent or Never");

pub(super) const REPOSITORY: Rule<String> = (
    |text| is_repository(text).then(|| text.to_owned()),
    "a repository of images such as mirror.example/team/secrets-injector: no scheme, tag or digest",
);

pub(super) const ARGUMENT: Rule<String> = (
    |text| ((1..=4096).contains(&text.len()) && !text.contains('\0')).then(|| text.to_owned()),
    "an argument of 1 to 4096 bytes without NUL",
);

pub(super) const QUANTITY: Rule<WrittenQuantity> =
    (WrittenQuantity::parse, "a positive quantity such as 10m, 0.5 or 16Mi");

/// Fetchers trust each of them, so that each must be one that can be trusted.
fn ca_bundle(text: &str) -> Option<CaBundle> {
    let bundle = CaBundle::parse(text).ok()?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(bundle.as_str().as_bytes()) {
        roots.add(certificate.ok()?).ok()?;
    }
    Some(bundle)
}

/// MINOR of `1.MINOR`, with or without a `v` and a patch level.
fn minor_version(text: &str) -> Option<u32> {
    let mut parts = text.strip_prefix('v').unwrap_or(text).split('.');
    let (major, minor) = (parts.next()?, parts.next()?);
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    (major == "1" && digits(minor) && minor.len() <= 3).then(|| minor.parse().ok())?
}
