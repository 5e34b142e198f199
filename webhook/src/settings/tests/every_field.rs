//! A file that sets all there is.

use super::*;
use crate::quantity::WrittenQuantity;
use crate::settings::annotation_rules::AnnotationRule;
use crate::settings::policy::{CredentialsKind, Pattern, Rule};
use crate::settings::values::PullPolicy;

const CA: &str = include_str!("../example-ca.pem");

#[test]
fn every_field_can_be_written_in_the_file() {
    let file = "
region: cn-hangzhou
accountId: 1234567890123456
clusterId: c0123456789abcdef
oidcProviderArn: acs:ram::1234567890123456:oidc-provider/ack-rrsa-c0123
network: public
metadataV1: allow
kmsEndpoint: kms.{region}.aliyuncs.com
oosEndpoint: oos.cn-hangzhou.aliyuncs.com
stsEndpoint: sts.aliyuncs.com
allowedEndpoints: {kms: [kms.internal.example], oos: [], sts: [sts.internal.example]}
batches: all
oosBatches: allowed
regions: [cn-new-1]
pathTranslation: False
caConfigMap: kms-gateway-ca
gatewayCa: PEM
publishedCa: never
httpsProxy: proxy.example:3128
meshProxies: [my-proxy]
uid: platform
injector:
  image: registry.example/secrets-injector@sha256:00
  imagePullPolicy: Never
  imageMirrors: [mirror.example:5000/team/secrets-injector]
  command: [/bin/fetch, --fast]
  extraArgs: [--log-format=json]
  resources: {cpu: 20m, memory: 32Mi, guaranteedCpu: 0.2}
tokenExpirationSeconds: 600
timeoutSeconds: 60
allowedVariables: [NODE_OPTIONS]
onlyVariables: [DB_*, NODE_OPTIONS]
fileKeyRef: auto
oldestKubelet: 1.35
secretProviderClasses: read
rules: [{name: current, namespaces: ['*'], annotations: {kms.alibabacloud/timeout: 600s}}]
policy:
  - name: payments
    namespaces: [payments, pay-*]
    roles: [acs:ram::1234567890123456:role/payments-*]
    credentials: [rrsa, secret]
    secrets: [payments/*, 'oos://pay-?']
    regions: [cn-hangzhou, eu-*]
    endpoints: [kst-*.cryptoservice.kms.aliyuncs.com]
  - {name: rest, namespaces: ['*'], roles: ['*']}
";
    // JSON is YAML on one line.
    let file = file.replace("PEM", &serde_json::json!(CA).to_string());
    let settings = resolve(&file, &[], &[]).unwrap();
    let glob = |text| Glob::parse(text).unwrap();
    let host = |text| Host::parse(text).unwrap();
    let endpoint = |text| EndpointPattern::parse(text);
    let quantity = |text| WrittenQuantity::parse(text).unwrap();
    assert_eq!(
        settings,
        Settings {
            region: Region::parse("cn-hangzhou").ok(),
            account_id: AccountId::parse("1234567890123456"),
            cluster_id: ClusterId::parse("c0123456789abcdef"),
            oidc_provider_arn: ProviderArn::parse(
                "acs:ram::1234567890123456:oidc-provider/ack-rrsa-c0123"
            )
            .ok(),
            network: Network::Public,
            metadata_v1: true,
            kms_endpoint: endpoint("kms.{region}.aliyuncs.com"),
            oos_endpoint: endpoint("oos.cn-hangzhou.aliyuncs.com"),
            sts_endpoint: endpoint("sts.aliyuncs.com"),
            allowed_endpoints: Endpoints {
                kms: vec![host("kms.internal.example")],
                oos: Vec::new(),
                sts: vec![host("sts.internal.example")],
            },
            batches: plan::Batches { kms: plan::KmsBatches::All, oos: true },
            regions: vec![Region::parse("cn-new-1").unwrap()],
            path_translation: PathTranslation::Off,
            ca_config_map: ConfigMapName::parse("kms-gateway-ca"),
            gateway_ca: Some(CaBundle::parse(CA).unwrap()),
            published_ca: false,
            https_proxy: HttpsProxy::parse("proxy.example:3128").ok(),
            mesh_proxies: vec![ContainerName::parse("my-proxy").unwrap()],
            uid: Uid::Platform,
            injector: Injector {
                image: "registry.example/secrets-injector@sha256:00".into(),
                image_pull_policy: Some(PullPolicy::Never),
                image_mirrors: vec!["mirror.example:5000/team/secrets-injector".into()],
                command: vec!["/bin/fetch".into(), "--fast".into()],
                extra_args: vec!["--log-format=json".into()],
                resources: Resources {
                    cpu: quantity("20m"),
                    memory: quantity("32Mi"),
                    guaranteed_cpu: quantity("0.2"),
                },
            },
            token_expiration_seconds: 600,
            timeout_seconds: 60,
            allowed_variables: vec![VariableName::parse("NODE_OPTIONS").unwrap()],
            only_variables: Some(vec![glob("DB_*"), glob("NODE_OPTIONS")]),
            file_key_ref: FileKeyRefUse::Auto,
            oldest_kubelet: Some(35),
            secret_provider_classes: true,
            rules: AnnotationRules(vec![AnnotationRule {
                name: "current".into(),
                namespaces: vec![glob("*")],
                annotations: vec![("timeout".into(), "600s".into())],
            }]),
            policy: Policy(vec![
                Rule {
                    name: "payments".into(),
                    namespaces: vec![glob("payments"), glob("pay-*")],
                    roles: vec![glob("acs:ram::1234567890123456:role/payments-*")],
                    credentials: vec![CredentialsKind::Rrsa, CredentialsKind::Secret],
                    secrets: Some(vec![
                        Pattern { product: None, name: glob("payments/*") },
                        Pattern { product: Some(Service::Oos), name: glob("pay-?") },
                    ]),
                    regions: Some(vec![glob("cn-hangzhou"), glob("eu-*")]),
                    endpoints: Some(vec![glob("kst-*.cryptoservice.kms.aliyuncs.com")]),
                },
                Rule {
                    name: "rest".into(),
                    namespaces: vec![glob("*")],
                    roles: vec![glob("*")],
                    credentials: vec![CredentialsKind::Rrsa],
                    secrets: None,
                    regions: None,
                    endpoints: None,
                },
            ]),
        }
    );
}
