//! As whom the fetcher asks where it is not RRSA: by what a Secret holds, and by the role of the node.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use lab::cloud::{
    CalledService, CallerTrust, Cloud, CloudConfig, Effect, Entry, Fault, Hidden, InstanceSeed,
    MetadataFault, MetadataTokens, Permission, RoleSeed, SecretSeed, Seed, Trust, UserSeed,
};
use lab::connect_proxy::{ConnectProxy, ProxyConduct};
use lab::fetcher::{
    ACCOUNT, Container, Ended, PROVIDER, ROLE, Want, builder_of, eventually, plan, role_session,
};
use plan::{
    Credentials, EcsRamRole, HttpsProxy, Mode, OnRevoked, Plan, RamRoleName, Refresh,
    SecretCredentials, SecretName,
};

const USER: &str = "acs:ram::1234567890123456:user/fetcher";
const KEY: &str = "LTAIfetcher0001";
const KEY_SECRET: &str = "CANARYkeyOfTheUser";
const OTHER_KEY: &str = "LTAIfetcher0002";
const OTHER_KEY_SECRET: &str = "CANARYkeyOfTheOther";
const NODE_ROLE: &str = "KubernetesWorkerRole-1";

fn reads_shop() -> Vec<Permission> {
    let all = |action: &str, resource: &str| Permission {
        actions: vec![action.to_owned()],
        resources: vec![resource.to_owned()],
    };
    vec![all("kms:*", "acs:kms:*"), all("sts:AssumeRole", "acs:ram::*")]
}

fn user(name: &str, id: &str, secret: &str) -> UserSeed {
    UserSeed {
        name: name.to_owned(),
        access_key_id: id.to_owned(),
        access_key_secret: Hidden::from(secret.to_owned()),
        permissions: reads_shop(),
    }
}

/// The demo's cloud, with two users, a role that the first may assume, and a node with a role.
async fn cloud() -> Cloud {
    let mut seed = Seed::demo().unwrap();
    let account = seed.accounts.iter_mut().find(|account| account.id == ACCOUNT).unwrap();
    account.users.push(user("fetcher", KEY, KEY_SECRET));
    account.users.push(user("other", OTHER_KEY, OTHER_KEY_SECRET));
    let role = |name: &str, principals: &[&str]| RoleSeed {
        name: name.to_owned(),
        max_session_seconds: 43_200,
        trust: Trust {
            callers: vec![CallerTrust {
                principals: principals.iter().map(|&it| it.to_owned()).collect(),
                external_id: None,
            }],
            ..Trust::default()
        },
        permissions: reads_shop(),
    };
    account.roles.push(role("reader", &[USER]));
    account.roles.push(role(NODE_ROLE, &[]));
    account.roles.push(role("beside", &["acs:ram::1234567890123456:role/KubernetesWorkerRole-1"]));
    seed.instance = Some(instance(MetadataTokens::Optional));
    let cloud = Cloud::start(CloudConfig::new(seed)).await.unwrap();
    cloud.put_secret(ACCOUNT, SecretSeed::text("shop/text", "CANARY-1")).unwrap();
    cloud
}

fn instance(tokens: MetadataTokens) -> InstanceSeed {
    InstanceSeed { account: ACCOUNT.to_owned(), role: NODE_ROLE.to_owned(), tokens }
}

fn by_secret() -> Credentials {
    let secret = SecretName::parse("alibaba-credentials").unwrap();
    Credentials::Secret(SecretCredentials { secret, sts: role_session().unwrap() })
}

fn by_node(name: Option<&str>, metadata_v1: bool) -> Credentials {
    let name = name.map(|name| RamRoleName::parse(name).unwrap());
    Credentials::EcsRamRole(EcsRamRole { name, metadata_v1, sts: role_session().unwrap() })
}

fn one_file(credentials: Credentials) -> Plan {
    plan(builder_of(credentials), &[Want::new("text", "kms://shop/text")]).unwrap()
}

async fn fetched_with(cloud: &Cloud, keys: &[(&str, &str)]) -> Ended {
    let container = Container::new(cloud).unwrap();
    container.put_keys(keys).unwrap();
    let ended = container.init(&one_file(by_secret())).await.unwrap();
    if ended.code() == Some(0) {
        assert_eq!(container.files().unwrap().get("text").unwrap().content, b"CANARY-1");
    }
    assert!(!ended.said().contains("CANARY"), "{}", ended.said());
    ended
}

async fn fetched_by_node(cloud: &Cloud, credentials: Credentials) -> Ended {
    let container = Container::new(cloud).unwrap();
    let mut builder = builder_of(credentials);
    builder.timeout_seconds(3);
    let plan = plan(builder, &[Want::new("text", "kms://shop/text")]).unwrap();
    let ended = container.init(&plan).await.unwrap();
    assert!(!ended.said().contains("CANARY"), "{}", ended.said());
    ended
}

/// The calls in few words: what was asked, and by whom.
fn asked(cloud: &Cloud) -> Vec<String> {
    let words = |entry: Entry| {
        let who = entry.principal.or(entry.access_key_id).unwrap_or_default();
        format!("{} {who}", entry.action)
    };
    cloud.requests().into_iter().map(words).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_a_user_sign_requests_and_sts_is_not_asked() {
    let cloud = cloud().await;
    for keys in [
        [("id", KEY), ("secret", KEY_SECRET)],
        [("access_key", KEY), ("access_secret", KEY_SECRET)],
    ] {
        cloud.clear_requests();
        let ended = fetched_with(&cloud, &keys).await;
        assert_eq!(ended.code(), Some(0), "{}", ended.said());
        assert_eq!(asked(&cloud), [format!("GetSecretValue {USER}")]);
        assert!(ended.log.contains("\"role\":\"secret/alibaba-credentials\""), "{}", ended.log);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_beside_keys_is_assumed_with_them_in_a_session_of_the_namespace() {
    let cloud = cloud().await;
    let role = "acs:ram::1234567890123456:role/reader";
    let keys = [
        ("id", KEY),
        ("secret", KEY_SECRET),
        ("rolearn", role),
        ("rolesessionname", "till"),
        ("rolesessionexpiration", "7200"),
    ];
    let ended = fetched_with(&cloud, &keys).await;
    assert_eq!(ended.code(), Some(0), "{}", ended.said());
    let session = format!("{role}/shop.till");
    let expected = [format!("AssumeRole {USER}"), format!("GetSecretValue {session}")];
    assert_eq!(asked(&cloud), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_and_a_provider_get_credentials_for_the_token_of_the_service_account() {
    let cloud = cloud().await;
    let ended = fetched_with(&cloud, &[("rolearn", ROLE), ("oidcproviderarn", PROVIDER)]).await;
    assert_eq!(ended.code(), Some(0), "{}", ended.said());
    let session = format!("{ROLE}/shop.checkout");
    let expected = [format!("AssumeRoleWithOIDC {session}"), format!("GetSecretValue {session}")];
    assert_eq!(asked(&cloud), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_change_are_used_at_the_next_look_without_a_restart() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    container.put_keys(&[("id", KEY), ("secret", KEY_SECRET)]).unwrap();
    let mut builder = builder_of(by_secret());
    builder.mode(Mode::Refresh(Refresh::new(10, None, OnRevoked::Keep).unwrap()));
    let plan = plan(builder, &[Want::new("text", "kms://shop/text")]).unwrap();
    let running = container.start(&plan, &["refresh"]).unwrap();
    running.says("\"done\"", 1).await.unwrap();
    container.put_keys(&[("id", OTHER_KEY), ("secret", OTHER_KEY_SECRET)]).unwrap();
    let other = "GetSecretValue acs:ram::1234567890123456:user/other".to_owned();
    eventually(|| async { Ok(asked(&cloud).contains(&other)) }).await.unwrap();
    assert!(!running.log().contains("CANARY"), "{}", running.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_none_end_the_run_before_anything_is_sent() {
    let cloud = cloud().await;
    for (keys, words) in [
        (vec![], "it has none of the keys that say who asks"),
        (vec![("id", KEY)], "it has the key id and lacks secret"),
        (
            vec![("id", "CANARY CANARY"), ("secret", KEY_SECRET)],
            "the key id is no text of one line",
        ),
        (
            vec![
                ("id", KEY),
                ("secret", KEY_SECRET),
                ("rolearn", ROLE),
                ("oidcproviderarn", PROVIDER),
            ],
            "keep one way",
        ),
    ] {
        let ended = fetched_with(&cloud, &keys).await;
        assert_eq!(ended.code(), Some(11), "{}", ended.said());
        let start = "the credentials in Secret alibaba-credentials cannot be used: ";
        assert!(ended.headline().starts_with(start), "{}", ended.headline());
        assert!(ended.said().contains(words), "{}", ended.said());
    }
    assert_eq!(asked(&cloud), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_not_accepted_are_told_by_the_secret_that_they_are_in() {
    let cloud = cloud().await;
    for (keys, code) in [
        (vec![("id", KEY), ("secret", "wrong")], "SignatureDoesNotMatch"),
        (vec![("id", "LTAIunknown"), ("secret", KEY_SECRET)], "InvalidAccessKeyId.NotFound"),
        (vec![("id", "STS.over"), ("secret", "x"), ("token", "CANARYtoken")], "InvalidAccessKeyId"),
    ] {
        let ended = fetched_with(&cloud, &keys).await;
        assert_eq!(ended.code(), Some(11), "{code}: {}", ended.said());
        let said = ended.said();
        assert!(said.contains(code), "{said}");
        assert!(said.contains("check: the access key in Secret alibaba-credentials"), "{said}");
    }
    let role = "acs:ram::1234567890123456:role/demo-app";
    let keys = [("id", KEY), ("secret", KEY_SECRET), ("rolearn", role)];
    let ended = fetched_with(&cloud, &keys).await;
    assert_eq!(ended.code(), Some(11), "{}", ended.said());
    let words = "allow sts:AssumeRole on the role that Secret alibaba-credentials names";
    assert!(ended.said().contains(words), "{}", ended.said());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_role_of_the_node_is_found_and_its_token_is_asked_for_once() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let mut builder = builder_of(by_node(None, false));
    builder.mode(Mode::Refresh(Refresh::new(10, None, OnRevoked::Keep).unwrap()));
    let plan = plan(builder, &[Want::new("text", "kms://shop/text")]).unwrap();
    let running = container.start(&plan, &["refresh"]).unwrap();
    running.says("\"done\"", 1).await.unwrap();
    let roles = "/latest/meta-data/ram/security-credentials/";
    let node = "acs:ram::1234567890123456:role/KubernetesWorkerRole-1/i-bp1emulated";
    let credentials = format!("{roles}{NODE_ROLE} ");
    let first = [
        "/latest/api/token ".to_owned(),
        format!("{roles} "),
        credentials.clone(),
        format!("GetSecretValue {node}"),
    ];
    assert_eq!(asked(&cloud), first);
    // What was given is over: the next look asks for more, with the token that is there.
    cloud.expire_sessions();
    cloud.clear_requests();
    let fetched = [format!("GetSecretValue {node}")];
    eventually(|| async { Ok(asked(&cloud).ends_with(&fetched)) }).await.unwrap();
    let again = asked(&cloud);
    assert!(again.contains(&credentials), "{again:?}");
    assert!(!again.iter().any(|it| it.contains("token")), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_wants_tokens_gets_them_and_one_without_is_asked_where_that_is_allowed() {
    let cloud = cloud().await;
    for (tokens, name, allowed, code) in [
        (MetadataTokens::Required, None, false, 0),
        (MetadataTokens::Required, Some(NODE_ROLE), true, 0),
        (MetadataTokens::None, None, true, 0),
        (MetadataTokens::None, None, false, 11),
        (MetadataTokens::Optional, Some("another"), false, 11),
    ] {
        cloud.set_instance(Some(instance(tokens)));
        let ended = fetched_by_node(&cloud, by_node(name, allowed)).await;
        assert_eq!(ended.code(), Some(code), "{tokens:?} {name:?}: {}", ended.said());
    }
    let ended = fetched_by_node(&cloud, by_node(Some("another"), false)).await;
    let words = "the instance of the node does not have the role another";
    assert!(ended.headline().contains(words), "{}", ended.headline());
    cloud.set_instance(Some(instance(MetadataTokens::None)));
    let ended = fetched_by_node(&cloud, by_node(None, false)).await;
    assert!(ended.said().contains("metadataV1: allow in the settings"), "{}", ended.said());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_metadata_service_that_is_none_ends_the_run_with_its_own_words() {
    let cloud = cloud().await;
    for (fault, code, words) in [
        (MetadataFault::Hang, 15, "no answer in time"),
        (MetadataFault::Unwell, 15, "the service answers that it is not well (status 503)"),
        (MetadataFault::Redirect, 15, "redirect, not followed"),
        (MetadataFault::Html, 17, "the answer's role is not valid"),
        (MetadataFault::Huge, 17, "the answer is larger than 16384 bytes"),
        (MetadataFault::NoRole, 11, "no RAM role is attached to the instance of the node"),
        (MetadataFault::TwoRoles, 11, "it names more than one role"),
        (MetadataFault::NoSuccess, 11, "it has no credentials of the role"),
        (MetadataFault::Expired, 17, "the credentials in the answer have expired already"),
    ] {
        cloud.set_metadata_fault(Some(fault));
        let ended = fetched_by_node(&cloud, by_node(None, false)).await;
        assert_eq!(ended.code(), Some(code), "{fault:?}: {}", ended.said());
        assert!(ended.headline().contains(words), "{fault:?}: {}", ended.headline());
        assert!(ended.headline().contains("100.100.100.200"), "{}", ended.headline());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_is_assumed_on_top_of_that_of_the_node() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let beside = "acs:ram::1234567890123456:role/beside";
    let want = Want::new("text", "kms://shop/text").assuming(beside, None);
    let plan = plan(builder_of(by_node(Some(NODE_ROLE), false)), &[want]).unwrap();
    let ended = container.init(&plan).await.unwrap();
    assert_eq!(ended.code(), Some(0), "{}", ended.said());
    let last = asked(&cloud).pop().unwrap();
    assert_eq!(last, format!("GetSecretValue {beside}/shop.checkout"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_falls_back_to_anything() {
    let cloud = cloud().await;
    let refuse =
        Effect::Refuse { status: 403, code: "NoPermission".to_owned(), message: String::new() };
    cloud.add_fault(Fault::new(refuse).service(CalledService::Sts));
    let container = Container::new(&cloud).unwrap();
    container.put_keys(&[("id", KEY), ("secret", KEY_SECRET)]).unwrap();
    let plan = plan(lab::fetcher::builder().unwrap(), &[Want::new("text", "kms://shop/text")]);
    let ended = container.init(&plan.unwrap()).await.unwrap();
    assert_eq!(ended.code(), Some(11), "{}", ended.said());
    let others = |it: &String| !it.starts_with("AssumeRoleWithOIDC");
    assert!(!asked(&cloud).iter().any(others), "{:?}", asked(&cloud));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metadata_service_of_the_node_is_asked_past_the_operators_proxy() {
    let cloud = cloud().await;
    let proxy = ConnectProxy::start(ProxyConduct::Opens(cloud.https())).await.unwrap();
    let through = |timeout| {
        let mut builder = builder_of(by_node(Some(NODE_ROLE), false));
        let authority = format!("proxy.example:{}", proxy.address().port());
        let authority = HttpsProxy::parse(&authority).unwrap();
        builder.https_proxy(Some(authority)).timeout_seconds(timeout);
        plan(builder, &[Want::new("text", "kms://shop/text")]).unwrap()
    };
    let container = Container::new(&cloud).unwrap();
    let ended = container.init(&through(60)).await.unwrap();
    assert_eq!(ended.code(), Some(0), "{}", ended.said());
    let heads = proxy.heads();
    assert!(heads.iter().all(|head| head.starts_with("CONNECT kms-vpc.")), "{heads:?}");
    // What is wrong with it is no fault of the proxy's.
    cloud.set_metadata_fault(Some(MetadataFault::Hang));
    let ended = container.init(&through(3)).await.unwrap();
    assert_eq!(ended.code(), Some(15), "{}", ended.said());
    assert!(!ended.said().contains("httpsProxy"), "{}", ended.said());
}
