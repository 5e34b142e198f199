//! The local agent as its clients see it: by the KMS Agent's own examples, in every shape, from
//! the cache and beside it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper that fails is a test that fails"
)]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;
use std::sync::Arc;

use lab::agent::{Served, wanted};
use lab::cloud::{
    CalledService, Cloud, CloudConfig, Effect, Fault, SecretSeed, Seed, StoredPlace, VersionSeed,
};
use lab::fetcher::{ACCOUNT, Want};
use plan::{Agent, CacheTtl, OnRevoked, Refresh, ResponseType};
use rustix::process::Signal;
use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use tokio::task::JoinSet;

const GO_CLIENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/agent/client.go");
/// As the KMS Agent's documentation names it.
const SECRET: &str = "app/dev/secret-1";

/// A cloud whose role may read every secret, as the ones of the documentation.
async fn cloud() -> Cloud {
    let seed = include_str!("../../examples/cloud.json").replace("secret/shop*", "secret/*");
    let cloud = Cloud::start(CloudConfig::new(Seed::from_json(seed.as_bytes()).unwrap()));
    let cloud = cloud.await.unwrap();
    put(&cloud, SECRET, "CANARY-1");
    cloud
}

fn put(cloud: &Cloud, name: &str, value: &str) {
    cloud.put_secret(ACCOUNT, SecretSeed::text(name, value)).unwrap();
}

fn rotate(cloud: &Cloud, name: &str, value: &str) {
    cloud.rotate_secret(&StoredPlace::new(ACCOUNT, name), VersionSeed::text(value)).unwrap();
}

async fn served(cloud: &Cloud, change: impl FnOnce(&mut Agent)) -> Served {
    let mut agent = wanted(&["app/*"]).unwrap();
    change(&mut agent);
    Served::start(cloud, agent, &[], &[]).await.unwrap()
}

fn by_query(name: &str) -> String {
    format!("/secretsmanager/get?secretId={name}")
}

/// Questions that KMS was asked.
fn asked(cloud: &Cloud) -> u64 {
    cloud.counters().requests.get("kms.GetSecretValue").copied().unwrap_or_default()
}

fn refuse(cloud: &Cloud, effect: Effect) {
    cloud.add_fault(Fault::new(effect).service(CalledService::Kms));
}

/// What ends well says no value and no token, however much it says.
async fn ends_well(mut served: Served) {
    let token = served.token().unwrap();
    served.running.signal(Signal::TERM).unwrap();
    let log = served.running.log();
    assert_eq!(served.running.ended().await.unwrap().code(), Some(0), "{log}");
    assert!(!log.contains("CANARY") && !log.contains(&token), "{log}");
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// The call stands in the documentation as it stands here, but for port and directory.
#[tokio::test(flavor = "multi_thread")]
async fn the_documents_own_curl_call_is_answered() {
    let cloud = cloud().await;
    let served = served(&cloud, |_| {}).await;
    let call = r#"curl -v -H "X-Vault-Token:$(</var/run/kmstoken/token)" 'http://localhost:2025/secretsmanager/get?secretId=app/dev/secret-1'"#;
    let token = served.container.path("var/run/kmstoken/token");
    let call = call
        .replace("/var/run/kmstoken/token", token.to_str().unwrap())
        .replace(":2025", &format!(":{}", served.port));
    for call in [call.clone(), call.replace("X-Vault-Token:", "X-KMS-Token: ")] {
        let output = Command::new("bash").args(["-c", &call]).output().await.unwrap();
        assert!(output.status.success(), "{}", said(&output));
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(answer["SecretName"], SECRET);
        assert_eq!(
            (&answer["SecretData"], &answer["SecretDataType"]),
            (&json!("CANARY-1"), &json!("text"))
        );
        assert_eq!(answer["VersionStages"]["VersionStage"], json!(["ACSCurrent"]));
    }
    ends_well(served).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documents_go_client_reads_token_and_secret() {
    let home = tempfile::tempdir().unwrap();
    let program = home.path().join("client");
    let built = Command::new("go")
        .args(["build", "-o"])
        .arg(&program)
        .arg(GO_CLIENT)
        .envs([("CGO_ENABLED", "0"), ("GOFLAGS", "-mod=mod"), ("GOTOOLCHAIN", "local")])
        .output()
        .await;
    let built = match built {
        Ok(built) => built,
        Err(error) => {
            let ci = std::env::var("CI").is_ok_and(|value| value == "true");
            assert!(!ci, "the Go client must be run: {error}");
            eprintln!("skipped: the Go client cannot be built: {error}");
            return;
        }
    };
    assert!(built.status.success(), "{}", said(&built));
    let cloud = cloud().await;
    let served = served(&cloud, |_| {}).await;
    let output = Command::new(program)
        .arg(format!("http://localhost:{}", served.port))
        .arg(served.container.path("var/run/kmstoken/token"))
        .output()
        .await
        .unwrap();
    let said = said(&output);
    assert!(said.starts_with("status code 200 - {") && said.contains("CANARY-1"), "{said}");
    ends_well(served).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_found_by_query_and_by_path_and_so_is_each_of_its_versions() {
    let cloud = cloud().await;
    rotate(&cloud, SECRET, "CANARY-2");
    let served = served(&cloud, |_| {}).await;
    for target in [by_query(SECRET), format!("/v1/{SECRET}"), by_query("app%2Fdev%2fsecret-1")] {
        assert_eq!(served.get(&target).await.unwrap().value().unwrap(), "CANARY-2", "{target}");
    }
    // The same version of the same secret, asked for once.
    assert_eq!(asked(&cloud), 1);
    let previous = format!("{}&versionStage=ACSPrevious", by_query(SECRET));
    let previous = served.get(&previous).await.unwrap().json()["VersionId"].clone();
    for (version, value) in [
        ("versionStage=ACSPrevious", "CANARY-1"),
        ("versionStage=ACSCurrent", "CANARY-2"),
        (&format!("versionId={}", previous.as_str().unwrap()), "CANARY-1"),
    ] {
        let reply = served.get(&format!("{}&{version}", by_query(SECRET))).await.unwrap();
        assert_eq!(reply.value().unwrap(), value, "{version}");
        assert!(reply.head.contains("application/json"), "{}", reply.head);
    }
    ends_well(served).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_response_type_has_its_shape_also_for_bytes() {
    let cloud = cloud().await;
    cloud.put_secret(ACCOUNT, SecretSeed::binary("app/bytes", b"\xff\x00")).unwrap();
    put(&cloud, "app/object", r#"{"user":"CANARY-u"}"#);
    for (response_type, text, bytes) in [
        (ResponseType::Kms, "/SecretData", "/SecretData"),
        (ResponseType::Aws, "/SecretString", "/SecretBinary"),
        (ResponseType::Vault, "/data/data/value", "/data/data/value"),
    ] {
        let served = served(&cloud, |agent| agent.response_type = response_type).await;
        let answer = served.get(&by_query(SECRET)).await.unwrap().json();
        assert_eq!(answer.pointer(text), Some(&json!("CANARY-1")), "{answer}");
        let answer = served.get("/v1/app/bytes").await.unwrap().json();
        assert_eq!(answer.pointer(bytes), Some(&json!("/wA=")), "{answer}");
        if response_type == ResponseType::Vault {
            let answer = served.get("/v1/app/object").await.unwrap().json();
            assert_eq!(answer["data"]["data"], json!({"user": "CANARY-u"}));
        }
        ends_well(served).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_clients_at_once_are_one_question() {
    let cloud = cloud().await;
    let served = Arc::new(served(&cloud, |_| {}).await);
    refuse(&cloud, Effect::Latency { millis: 300 });
    let mut clients = JoinSet::new();
    for _ in 0..50 {
        let served = Arc::clone(&served);
        clients.spawn(async move { served.get(&by_query(SECRET)).await.unwrap().value().unwrap() });
    }
    for value in clients.join_all().await {
        assert_eq!(value, "CANARY-1");
    }
    assert_eq!(asked(&cloud), 1);
    ends_well(Arc::into_inner(served).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_to_refresh_gets_what_kms_has_now() {
    let cloud = cloud().await;
    let served = served(&cloud, |_| {}).await;
    let target = by_query(SECRET);
    assert_eq!(served.get(&target).await.unwrap().value().unwrap(), "CANARY-1");
    rotate(&cloud, SECRET, "CANARY-2");
    assert_eq!(served.get(&target).await.unwrap().value().unwrap(), "CANARY-1");
    let now = format!("{target}&refreshNow=true");
    assert_eq!(served.get(&now).await.unwrap().value().unwrap(), "CANARY-2");
    assert_eq!(served.get(&target).await.unwrap().value().unwrap(), "CANARY-2");
    assert_eq!(asked(&cloud), 2);
    // In an outage it is not told what KMS had before.
    refuse(&cloud, Effect::Unavailable);
    assert_eq!(served.get(&now).await.unwrap().status, 503);
    assert_eq!(served.get(&target).await.unwrap().value().unwrap(), "CANARY-2");
    ends_well(served).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_time_to_live_every_request_is_a_question() {
    let cloud = cloud().await;
    let served = served(&cloud, |agent| agent.cache_ttl = CacheTtl::new(0).unwrap()).await;
    for value in ["CANARY-1", "CANARY-2", "CANARY-3"] {
        if value != "CANARY-1" {
            rotate(&cloud, SECRET, value);
        }
        assert_eq!(served.get(&by_query(SECRET)).await.unwrap().value().unwrap(), value);
    }
    assert_eq!(asked(&cloud), 3);
    ends_well(served).await;
}

/// The time to live is far away: it is the round of the files that brings the news.
#[tokio::test(flavor = "multi_thread")]
async fn the_agent_never_answers_less_than_the_files_show() {
    let cloud = cloud().await;
    put(&cloud, "app/listed", "CANARY-1");
    let mut agent = wanted(&["app/*"]).unwrap();
    agent.refresh = Refresh::new(10, None, OnRevoked::Remove).unwrap();
    let wants = [Want::new("listed", "kms://app/listed")];
    let served = Served::start(&cloud, agent, &wants, &[]).await.unwrap();
    let target = by_query("app/listed");
    assert_eq!(served.get(&target).await.unwrap().value().unwrap(), "CANARY-1");
    // What the files came from was not asked for again.
    assert_eq!(asked(&cloud), 1);
    rotate(&cloud, "app/listed", "CANARY-2");
    served.container.shows("listed", Some(b"CANARY-2")).await.unwrap();
    assert_eq!(served.get(&target).await.unwrap().value().unwrap(), "CANARY-2");
    // And what the Pod may not have any more, nobody gets from the cache.
    cloud.delete_secret(&StoredPlace::new(ACCOUNT, "app/listed")).unwrap();
    served.container.shows("listed", None).await.unwrap();
    let reply = served.get(&target).await.unwrap();
    assert_eq!(
        (reply.status, &reply.json()["__type"]),
        (404, &json!("Forbidden.ResourceNotFound"))
    );
    ends_well(served).await;
}

/// The keeper asks in vain, then a client asks, then the value changes, and the keeper asks again
/// within the same round: the client's question is the later one, and its answer the older.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_asks_between_two_attempts_of_a_round_hides_no_rotation() {
    let cloud = cloud().await;
    put(&cloud, "app/listed", "CANARY-1");
    let mut agent = wanted(&["app/*"]).unwrap();
    agent.refresh = Refresh::new(10, None, OnRevoked::Keep).unwrap();
    let wants = [Want::new("listed", "kms://app/listed")];
    let served = Served::start(&cloud, agent, &wants, &[]).await.unwrap();
    let target = by_query("app/listed");
    cloud.add_fault(Fault::new(Effect::Unavailable).service(CalledService::Kms).times(1));
    let before = asked(&cloud);
    while asked(&cloud) == before {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let now = format!("{target}&refreshNow=true");
    assert_eq!(served.get(&now).await.unwrap().value().unwrap(), "CANARY-1");
    let current = format!("{target}&versionStage=ACSCurrent");
    assert_eq!(served.get(&current).await.unwrap().value().unwrap(), "CANARY-1");
    rotate(&cloud, "app/listed", "CANARY-2");
    served.container.shows("listed", Some(b"CANARY-2")).await.unwrap();
    for target in [&target, &current] {
        assert_eq!(served.get(target).await.unwrap().value().unwrap(), "CANARY-2", "{target}");
    }
    ends_well(served).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_asks_again_and_again_for_nothing_asks_kms_once_in_a_while() {
    let cloud = cloud().await;
    let served = served(&cloud, |_| {}).await;
    for _ in 0..50 {
        assert_eq!(served.get(&by_query("app/none")).await.unwrap().status, 404);
    }
    assert!(asked(&cloud) < 50, "{}", asked(&cloud));
    let log = served.running.log();
    assert_eq!(log.matches("not fetched").count(), 1, "{log}");
    ends_well(served).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_bridged_and_a_refusal_is_not() {
    let cloud = cloud().await;
    let served = served(&cloud, |agent| agent.cache_ttl = CacheTtl::new(1).unwrap()).await;
    let target = by_query(SECRET);
    assert_eq!(served.get(&target).await.unwrap().value().unwrap(), "CANARY-1");
    refuse(&cloud, Effect::Unavailable);
    // Until the time to live is over and KMS was asked in vain.
    while asked(&cloud) < 2 {
        assert_eq!(served.get(&target).await.unwrap().value().unwrap(), "CANARY-1");
    }
    let vain = asked(&cloud);
    for _ in 0..20 {
        assert_eq!(served.get(&target).await.unwrap().value().unwrap(), "CANARY-1");
    }
    assert_eq!(asked(&cloud), vain, "a service in trouble was asked for each request");
    // One that nobody has asked for yet cannot be had.
    put(&cloud, "app/other", "CANARY-o");
    let reply = served.get(&by_query("app/other")).await.unwrap();
    assert_eq!(
        (reply.status, &reply.json()["__type"]),
        (503, &json!("ServiceUnavailableTemporary")),
        "{reply:?}"
    );
    cloud.clear_faults();
    rotate(&cloud, SECRET, "CANARY-2");
    while served.get(&target).await.unwrap().value().unwrap() != "CANARY-2" {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    refuse(&cloud, Effect::AccessDenied);
    // The old value is good for its time, and then never again.
    let denied = loop {
        let reply = served.get(&target).await.unwrap();
        if reply.status != 200 {
            break reply;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    assert_eq!((denied.status, &denied.json()["__type"]), (403, &json!("Forbidden.NoPermission")));
    refuse(&cloud, Effect::Unavailable);
    assert_ne!(served.get(&target).await.unwrap().status, 200);
    ends_well(served).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_that_is_gone_is_no_secret_that_is_gone() {
    let cloud = cloud().await;
    let served = served(&cloud, |_| {}).await;
    refuse(&cloud, Effect::Reset);
    let reply = served.get(&by_query(SECRET)).await.unwrap();
    assert_eq!((reply.status, &reply.json()["__type"]), (502, &json!("ConnectionError")));
    ends_well(served).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn started_again_it_knows_the_token_that_clients_have_read() {
    let cloud = cloud().await;
    let mut served = served(&cloud, |_| {}).await;
    let token = served.token().unwrap();
    assert!(token.len() == 64 && token.bytes().all(|b| b.is_ascii_hexdigit()), "{token}");
    served.running.signal(Signal::KILL).unwrap();
    served.running.ended().await.unwrap();
    let probe = served.container.run(&served.plan, &["probe"]).await.unwrap();
    assert!(
        probe.code() == Some(1) && probe.said().contains("does not answer"),
        "{}",
        probe.said()
    );
    let path = served.token_file();
    let mode = fs::metadata(&path).unwrap().permissions();
    fs::set_permissions(&path, Permissions::from_mode(0o604)).unwrap();
    served.running = served.container.start(&served.plan, &["refresh"]).unwrap();
    served.running.says("the agent listens", 1).await.unwrap();
    assert_eq!(served.get(&by_query(SECRET)).await.unwrap().value().unwrap(), "CANARY-1");
    assert_eq!(served.token().unwrap(), token);
    assert_eq!(fs::metadata(&path).unwrap().permissions(), mode, "nobody else may read it");
    let probe = served.container.run(&served.plan, &["probe"]).await.unwrap();
    assert_eq!(probe.code(), Some(0), "{}", probe.said());
    ends_well(served).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_init_container_leaves_files_and_token_and_is_not_ready_alone() {
    let cloud = cloud().await;
    let agent = wanted(&["app/*"]).unwrap();
    let plan = lab::agent::planned(agent, &[Want::new("one", &format!("kms://{SECRET}"))]).unwrap();
    let container = lab::fetcher::Container::in_memory(&cloud).unwrap();
    std::fs::create_dir_all(container.path("var/run/kmstoken")).unwrap();
    let ended = container.init(&plan).await.unwrap();
    assert_eq!(ended.code(), Some(0), "{}", ended.said());
    let token = std::fs::read_to_string(container.path("var/run/kmstoken/token")).unwrap();
    assert_eq!(token.len(), 64);
    let probe = container.run(&plan, &["probe"]).await.unwrap();
    assert_eq!(probe.code(), Some(1), "{}", probe.said());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_is_told() {
    let cloud = cloud().await;
    let agent = wanted(&["app/*"]).unwrap();
    let _taken = std::net::TcpListener::bind(("127.0.0.1", agent.port.get())).unwrap();
    let plan = lab::agent::planned(agent, &[]).unwrap();
    let container = lab::fetcher::Container::in_memory(&cloud).unwrap();
    std::fs::create_dir_all(container.path("var/run/kmstoken")).unwrap();
    let ended = container.run(&plan, &["refresh"]).await.unwrap();
    assert_eq!(ended.code(), Some(16), "{}", ended.said());
    assert!(ended.headline().contains("cannot listen on port"), "{}", ended.headline());
    let token = container.path("var/run/kmstoken/token");
    assert!(!token.exists(), "clients would show it to whoever listens there");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_of_a_neighbour_leave_descriptors_to_the_files() {
    let cloud = cloud().await;
    put(&cloud, "app/listed", "CANARY-1");
    let names: Vec<_> = (0..80).map(|number| format!("listed-{number}")).collect();
    let wants: Vec<_> = names.iter().map(|name| Want::new(name, "kms://app/listed")).collect();
    let mut agent = wanted(&["app/*"]).unwrap();
    agent.refresh = Refresh::new(10, None, OnRevoked::Keep).unwrap();
    let few = ["prlimit", "--nofile=300:300"];
    let served = Served::start(&cloud, agent, &wants, &few).await.unwrap();
    let address = (std::net::Ipv4Addr::LOCALHOST, served.port);
    let mut idle = JoinSet::new();
    for _ in 0..400 {
        idle.spawn(async move {
            loop {
                // One that is ended comes again.
                if let Ok(mut stream) = tokio::net::TcpStream::connect(address).await {
                    let _ = stream.read(&mut [0; 64]).await;
                }
            }
        });
    }
    for value in ["CANARY-2", "CANARY-3"] {
        rotate(&cloud, "app/listed", value);
        served.container.shows("listed-79", Some(value.as_bytes())).await.unwrap();
    }
    idle.shutdown().await;
    let log = served.running.log();
    assert!(!log.contains("No file descriptors available"), "{log}");
    ends_well(served).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_are_never_answered_leave_connections_to_the_files() {
    let cloud = cloud().await;
    put(&cloud, "app/listed", "CANARY-1");
    let wants = [Want::new("listed", "kms://app/listed")];
    let mut agent = wanted(&["app/*"]).unwrap();
    agent.refresh = Refresh::new(10, None, OnRevoked::Keep).unwrap();
    // Fewer open files than an agent and its files take together, where nobody asks for more.
    let few = ["prlimit", "--nofile=256:4096"];
    let served = Arc::new(Served::start(&cloud, agent, &wants, &few).await.unwrap());
    let limits = format!("/proc/{}/limits", served.running.pid().unwrap());
    let limits = fs::read_to_string(limits).unwrap();
    let files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    assert_eq!(files.split_whitespace().nth(3), Some("4096"), "{files}");
    let mut clients = JoinSet::new();
    for number in 0..40 {
        let name = format!("app/silent-{number}");
        put(&cloud, &name, "CANARY-1");
        cloud.add_fault(
            Fault::new(Effect::Latency { millis: 600_000 })
                .service(CalledService::Kms)
                .subject(&name),
        );
        let served = Arc::clone(&served);
        clients.spawn(async move {
            loop {
                let _ = served.get(&by_query(&name)).await;
            }
        });
    }
    // By the second of them clients have long taken what they can get.
    for value in ["CANARY-2", "CANARY-3"] {
        rotate(&cloud, "app/listed", value);
        served.container.shows("listed", Some(value.as_bytes())).await.unwrap();
    }
    clients.shutdown().await;
    ends_well(Arc::into_inner(served).unwrap()).await;
}
