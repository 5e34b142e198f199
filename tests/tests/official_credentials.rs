//! The official credential providers for Go and the fetcher make the same requests.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lab::cloud::{
    CallerTrust, Cloud, CloudConfig, Entry, Hidden, InstanceSeed, MetadataTokens, Permission,
    RoleSeed, SecretSeed, Seed, Trust, UserSeed,
};
use lab::fetcher::{
    ACCOUNT, Container, PROVIDER, ROLE, Want, builder, builder_of, plan, role_session,
};
use lab::{go, python};
use plan::{Credentials, EcsRamRole, PlanBuilder, RamRoleName, SecretCredentials, SecretName};
use serde_json::json;
use tokio::process::Command;

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/sdk/credentials");
const ASK: Duration = Duration::from_secs(60);

const KEY: &str = "LTAIofficial0001";
const KEY_SECRET: &str = "CANARYkeyOfTheUser";
const READER: &str = "acs:ram::1234567890123456:role/reader";
const NODE_ROLE: &str = "KubernetesWorkerRole-1";
const SESSION: &str = "shop.checkout";

/// Each client writes these in its own way: how it is spoken, and no part of what is asked for.
const PROTOCOL: [&str; 9] = [
    "Action",
    "Format",
    "Version",
    "Timestamp",
    "SignatureNonce",
    "SignatureMethod",
    "SignatureVersion",
    "Signature",
    "AccessKeyId",
];

/// What a request asks for, where, and as whom.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    method: String,
    host: String,
    action: String,
    subject: Option<String>,
    principal: Option<String>,
    parameters: BTreeSet<String>,
    status: Option<u16>,
}

impl From<Entry> for Asked {
    fn from(entry: Entry) -> Self {
        let parameters = entry.query.into_iter().chain(entry.form);
        Self {
            method: entry.method,
            host: entry.host,
            action: entry.action,
            subject: entry.subject,
            principal: entry.principal,
            parameters: parameters.filter(|it| !PROTOCOL.contains(&it.as_str())).collect(),
            status: entry.status,
        }
    }
}

/// The requests for credentials, without those that are made with them.
fn asked(cloud: &Cloud) -> Vec<Asked> {
    let requests = cloud.requests().into_iter().map(Asked::from);
    let found = requests.filter(|it| it.action != "GetSecretValue").collect();
    cloud.clear_requests();
    found
}

/// The demo's cloud with a user, a role that the user may assume, and a node with a role.
async fn cloud() -> Cloud {
    let mut seed = Seed::demo().unwrap();
    let all = |action: &str, resource: &str| Permission {
        actions: vec![action.to_owned()],
        resources: vec![resource.to_owned()],
    };
    let permissions = || vec![all("kms:*", "acs:kms:*"), all("sts:AssumeRole", "acs:ram::*")];
    let role = |name: &str, principals: &[&str]| RoleSeed {
        name: name.to_owned(),
        max_session_seconds: 3600,
        trust: Trust {
            callers: vec![CallerTrust {
                principals: principals.iter().map(|&it| it.to_owned()).collect(),
                external_id: None,
            }],
            ..Trust::default()
        },
        permissions: permissions(),
    };
    let account = seed.accounts.iter_mut().find(|account| account.id == ACCOUNT).unwrap();
    account.users.push(UserSeed {
        name: "official".to_owned(),
        access_key_id: KEY.to_owned(),
        access_key_secret: Hidden::from(KEY_SECRET.to_owned()),
        permissions: permissions(),
    });
    account.roles.push(role("reader", &["acs:ram::1234567890123456:user/official"]));
    account.roles.push(role(NODE_ROLE, &[]));
    seed.instance = Some(InstanceSeed {
        account: ACCOUNT.to_owned(),
        role: NODE_ROLE.to_owned(),
        tokens: MetadataTokens::Required,
    });
    let cloud = Cloud::start(CloudConfig::new(seed)).await.unwrap();
    cloud.put_secret(ACCOUNT, SecretSeed::text("shop/text", "CANARY-1")).unwrap();
    cloud
}

/// The official providers as one program, where Go is installed: always in CI.
async fn official(into: &Path) -> Option<PathBuf> {
    match go::program(Path::new(SOURCE), into).await {
        Ok(program) => Some(program),
        Err(why) => {
            let ci = std::env::var("CI").is_ok_and(|value| value == "true");
            assert!(!ci, "the official providers must be run: {why}");
            eprintln!("skipped: the official providers cannot be run: {why}");
            None
        }
    }
}

async fn fetched(cloud: &Cloud, builder: PlanBuilder) -> Vec<Asked> {
    let container = Container::new(cloud).unwrap();
    let keys = [("id", KEY), ("secret", KEY_SECRET), ("rolearn", READER)];
    container.put_keys(&keys).unwrap();
    let plan = plan(builder, &[Want::new("text", "kms://shop/text")]).unwrap();
    let ended = container.init(&plan).await.unwrap();
    assert_eq!(ended.code(), Some(0), "{}", ended.said());
    asked(cloud)
}

fn by_node(name: Option<&str>) -> Credentials {
    let name = name.map(|name| RamRoleName::parse(name).unwrap());
    Credentials::EcsRamRole(EcsRamRole { name, metadata_v1: false, sts: role_session().unwrap() })
}

fn by_secret() -> Credentials {
    let secret = SecretName::parse("alibaba-credentials").unwrap();
    Credentials::Secret(SecretCredentials { secret, sts: role_session().unwrap() })
}

#[tokio::test(flavor = "multi_thread")]
async fn official_providers_for_go_and_the_fetcher_ask_for_credentials_in_the_same_way() {
    let files = tempfile::tempdir().unwrap();
    let Some(program) = official(files.path()).await else { return };
    let cloud = cloud().await;
    let write = |name: &str, text: &str| {
        let path = files.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let lab = json!({
        "https": cloud.https(),
        "metadata": cloud.metadata(),
        "token": write("token", &cloud.mint("shop", "checkout").unwrap()),
        "role": ROLE,
        "provider": PROVIDER,
        "session": SESSION,
        "keyId": KEY,
        "keySecret": KEY_SECRET,
        "assumedRole": READER,
        "nodeRole": NODE_ROLE,
    });
    let (lab, ca) = (write("lab.json", &lab.to_string()), write("ca.pem", cloud.ca_pem()));
    for (kind, ours, requests) in [
        ("oidc", builder().unwrap(), 1),
        ("key-and-role", builder_of(by_secret()), 1),
        ("ecs-ram-role", builder_of(by_node(None)), 3),
        ("named-ecs-ram-role", builder_of(by_node(Some(NODE_ROLE))), 2),
    ] {
        // Nothing of the surroundings: no proxy, no profile, no other trust.
        let mut ask = Command::new(&program);
        ask.env_clear().env("SSL_CERT_FILE", &ca).env("HOME", files.path());
        let output = python::run(ask.arg(kind).arg(&lab), ASK).await.unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{kind}: {said}");
        let got: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(got["token"], true, "{kind}: {got}");
        let mut theirs = asked(&cloud);
        // They ask for a token before each request; the fetcher keeps the first.
        let mut tokens = 0;
        theirs.retain(|it| {
            tokens += usize::from(it.method == "PUT");
            it.method != "PUT" || tokens == 1
        });
        assert_eq!(theirs.len(), requests, "{kind}: {theirs:#?}");
        assert_eq!(fetched(&cloud, ours).await, theirs, "{kind}");
    }
}
