//! Steering the emulator from outside: the admin API, the request log, the counters, the process.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code outside of test functions"
)]

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use lab::cloud::{Cloud, Issuer, SecretSeed, SecretState, StoredPlace, VersionSeed};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::support::{
    ACCOUNT, KMS, OOS, STS, Stream, ask, assumed, cloud, connect, parameter, secret, with_oidc,
};

const CANARY: &str = "canary-7f3a91";
const PATIENCE: Duration = Duration::from_secs(30);

async fn admin(address: SocketAddr, method: &str, path: &str, body: &str) -> (u16, Value) {
    let mut stream: Box<dyn Stream> = Box::new(TcpStream::connect(address).await.unwrap());
    let length = body.len();
    let wire = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    let reply = ask(&mut stream, &wire).await.unwrap();
    (reply.status, reply.json())
}

async fn post(cloud: &Cloud, path: &str, body: Value) -> Value {
    let (status, answer) = admin(cloud.admin(), "POST", path, &body.to_string()).await;
    assert_eq!(status, 200, "{path}: {answer}");
    answer
}

#[tokio::test]
async fn secrets_are_put_rotated_and_deleted_over_the_admin_api() {
    let cloud = cloud().await;
    let place = json!({ "account": ACCOUNT, "name": "app/new" });
    let with = |more: Value| {
        let mut body = place.clone();
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    post(&cloud, "/secrets", json!({ "account": ACCOUNT, "secret": { "name": "app/new", "versions": [{ "text": "one" }] } })).await;
    assert_eq!(secret("app/new").send(&cloud).await.unwrap().json()["SecretData"], "one");
    let rotated =
        post(&cloud, "/secrets/rotate", with(json!({ "version": { "id": "r2", "text": "two" } })))
            .await;
    assert_eq!(rotated["versionId"], "r2");
    assert_eq!(secret("app/new").send(&cloud).await.unwrap().json()["SecretData"], "two");
    let previous = secret("app/new").with("VersionStage", "ACSPrevious");
    assert_eq!(previous.send(&cloud).await.unwrap().json()["SecretData"], "one");
    post(&cloud, "/secrets/state", with(json!({ "state": "delete_window" }))).await;
    secret("app/new").refused(&cloud, 409, "Rejected.ResourceInDeleteWindow").await;
    post(&cloud, "/secrets/delete", place).await;
    secret("app/new").refused(&cloud, 404, "Forbidden.ResourceNotFound").await;
}

#[tokio::test]
async fn parameters_are_put_updated_and_deleted_over_the_admin_api() {
    let cloud = cloud().await;
    post(
        &cloud,
        "/parameters",
        json!({ "account": ACCOUNT, "parameter": { "name": "p", "values": ["a"] } }),
    )
    .await;
    post(&cloud, "/parameters/update", json!({ "account": ACCOUNT, "name": "p", "value": "b" }))
        .await;
    let reply = parameter("p").send(&cloud).await.unwrap().json();
    assert_eq!(
        (&reply["Parameter"]["Value"], &reply["Parameter"]["ParameterVersion"]),
        (&json!("b"), &json!(2))
    );
    post(&cloud, "/parameters/delete", json!({ "account": ACCOUNT, "name": "p" })).await;
    parameter("p").refused(&cloud, 404, "EntityNotExists.Parameter").await;
}

#[tokio::test]
async fn faults_clock_sessions_and_tokens_are_steered_over_the_admin_api() {
    let cloud = cloud().await;
    let faults = json!([{ "count": 1, "effect": { "kind": "unavailable" } }, { "count": 1, "effect": { "kind": "html" } }]);
    post(&cloud, "/faults", faults).await;
    assert_eq!(secret("app/text").send(&cloud).await.unwrap().status, 503);
    assert_eq!(admin(cloud.admin(), "DELETE", "/faults", "").await.0, 200);
    assert_eq!(secret("app/text").send(&cloud).await.unwrap().status, 200);
    let token =
        post(&cloud, "/tokens", json!({ "namespace": "shop", "serviceAccount": "checkout" })).await;
    let token = token["token"].as_str().unwrap().to_owned();
    let key = with_oidc(&token).send(&cloud).await.unwrap().credential();
    post(&cloud, "/sessions/expire", json!({})).await;
    secret("app/text").by(&key).refused(&cloud, 400, "InvalidSecurityToken.Expired").await;
    post(&cloud, "/clock", json!({ "offsetSeconds": 7200 })).await;
    with_oidc(&token).refused(&cloud, 401, "AuthenticationFail.OIDCToken.Expired").await;
    let keys =
        serde_json::from_str::<Value>(&Issuer::generate().unwrap().key_set().to_json()).unwrap();
    post(
        &cloud,
        "/providers/keys",
        json!({ "account": ACCOUNT, "provider": "ack-rrsa-sdk", "keys": keys }),
    )
    .await;
    let fresh = cloud.mint("shop", "checkout").unwrap();
    with_oidc(&fresh).refused(&cloud, 401, "AuthenticationFail.OIDCToken.InvalidSignature").await;
}

#[tokio::test]
async fn bad_admin_requests_are_named_by_place_and_never_quoted() {
    let cloud = cloud().await;
    for (path, body) in [
        (
            "/secrets",
            format!(r#"{{"account":"{ACCOUNT}","secret":{{"name":"a","versions":"{CANARY}"}}}}"#),
        ),
        (
            "/secrets/rotate",
            format!(r#"{{"account":"{ACCOUNT}","name":"app/text","version":"{CANARY}"}}"#),
        ),
        (
            "/parameters/update",
            format!(r#"{{"account":"{ACCOUNT}","name":"none","value":"{CANARY}"}}"#),
        ),
        ("/faults", CANARY.to_owned()),
    ] {
        let (status, answer) = admin(cloud.admin(), "POST", path, &body).await;
        assert_eq!(status, 400);
        assert!(answer["error"].is_string() && !answer.to_string().contains(CANARY), "{answer}");
    }
}

#[tokio::test]
async fn the_request_log_says_who_asked_what_and_never_a_value() {
    let cloud = cloud().await;
    cloud.put_secret(ACCOUNT, SecretSeed::text("app/canary", CANARY)).unwrap();
    let key = assumed(&cloud).await;
    let reply = secret("app/canary").by(&key).send(&cloud).await.unwrap();
    assert!(reply.text().contains(CANARY));
    secret("app/gone").by(&key).refused(&cloud, 404, "Forbidden.ResourceNotFound").await;
    let entries = cloud.requests();
    assert_eq!(entries.len(), 3);
    let entry = &entries[1];
    assert_eq!(
        (entry.action.as_str(), entry.subject.as_deref()),
        ("GetSecretValue", Some("app/canary"))
    );
    assert_eq!(entry.principal.as_deref(), Some("acs:ram::1234567890123456:role/app/sess"));
    assert_eq!(entry.access_key_id.as_deref(), Some(key.id.as_str()));
    assert_eq!((entry.status, entry.code.as_deref()), (Some(200), None));
    assert_eq!(entry.request_id, reply.json()["RequestId"]);
    assert_eq!(entries[2].code.as_deref(), Some("Forbidden.ResourceNotFound"));
    assert_ne!(entries[1].connection, entries[2].connection);
    let log =
        json!([admin(cloud.admin(), "GET", "/requests", "").await.1, cloud.counters()]).to_string();
    let token = key.token.unwrap();
    for hidden in [CANARY, &key.secret, &token] {
        assert!(log.contains("app/canary") && !log.contains(hidden));
    }
    cloud.clear_requests();
    assert!(cloud.requests().is_empty());
}

#[tokio::test]
async fn connections_and_requests_are_counted() {
    let cloud = cloud().await;
    let mut first = connect(&cloud, KMS, true).await.unwrap();
    for _ in 0..3 {
        assert_eq!(ask(&mut first, &secret("app/text").wire()).await.unwrap().status, 200);
    }
    let mut second = connect(&cloud, KMS, true).await.unwrap();
    assert_eq!(ask(&mut second, &secret("app/text").wire()).await.unwrap().status, 200);
    drop(first);
    let closed = async {
        while cloud.counters().hosts[KMS].open != 1 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, closed).await.unwrap();
    let mut third = connect(&cloud, OOS, true).await.unwrap();
    assert_eq!(ask(&mut third, &parameter("/prod/db/password").wire()).await.unwrap().status, 200);
    let counters = cloud.counters();
    let kms = counters.hosts[KMS];
    assert_eq!((kms.accepted, kms.most_open, kms.requests), (2, 2, 4));
    assert_eq!(counters.hosts[OOS].accepted, 1);
    assert_eq!(counters.requests["kms.GetSecretValue"], 4);
    assert_eq!(counters.requests["oos.GetSecretParameter"], 1);
    let (_, shown) = admin(cloud.admin(), "GET", "/counters", "").await;
    assert_eq!(shown["hosts"][KMS]["mostOpen"], 2);
}

#[tokio::test]
async fn the_same_is_steered_from_rust() {
    let cloud = cloud().await;
    let place = StoredPlace::new(ACCOUNT, "app/text");
    cloud.rotate_secret(&place, VersionSeed::binary(&[1, 2])).unwrap();
    assert_eq!(secret("app/text").send(&cloud).await.unwrap().json()["SecretData"], "AQI=");
    cloud.set_secret_state(&place, SecretState::KeyDisabled).unwrap();
    secret("app/text").refused(&cloud, 409, "Rejected.Disabled").await;
    cloud.delete_secret(&place).unwrap();
    assert!(cloud.delete_secret(&place).is_err());
    assert!(cloud.rotate_secret(&StoredPlace::new("0", "x"), VersionSeed::text("x")).is_err());
}

#[tokio::test]
async fn a_cloud_that_is_dropped_is_gone() {
    let cloud = cloud().await;
    let (https, mut open) = (cloud.https(), connect(&cloud, STS, true).await.unwrap());
    drop(cloud);
    let gone = async {
        while TcpStream::connect(https).await.is_ok() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, gone).await.unwrap();
    assert!(ask(&mut open, &secret("app/text").wire()).await.is_err());
}

async fn process(out: &Path) -> (Child, Value) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_secrets-lab"))
        .args(["cloud", "--stop-with-stdin", "--out"])
        .arg(out)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let ready = out.join("ready.json");
    let written = async {
        while !ready.exists() {
            assert!(child.try_wait().unwrap().is_none(), "it ended before it was ready");
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, written).await.unwrap();
    let ready = serde_json::from_slice(&fs::read(ready).unwrap()).unwrap();
    (child, ready)
}

#[tokio::test]
async fn the_process_says_when_it_is_ready_and_ends_on_sigterm() {
    let out = tempfile::tempdir().unwrap();
    let (mut child, ready) = process(out.path()).await;
    let address = ready["admin"].as_str().unwrap().parse().unwrap();
    assert_eq!(admin(address, "GET", "/requests", "").await, (200, json!([])));
    assert!(
        fs::read_to_string(ready["ca"].as_str().unwrap()).unwrap().contains("BEGIN CERTIFICATE")
    );
    assert!(
        fs::read_to_string(ready["privateCa"].as_str().unwrap())
            .unwrap()
            .contains("BEGIN CERTIFICATE")
    );
    let pid = child.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
    assert!(timeout(PATIENCE, child.wait()).await.unwrap().unwrap().success());
}

#[tokio::test]
async fn the_process_ends_when_its_parent_closes_standard_input() {
    let out = tempfile::tempdir().unwrap();
    let (mut child, _) = process(out.path()).await;
    drop(child.stdin.take());
    assert!(timeout(PATIENCE, child.wait()).await.unwrap().unwrap().success());
}

#[tokio::test]
async fn tokens_of_the_command_line_are_believed() {
    let cloud = cloud().await;
    let out = tempfile::tempdir().unwrap();
    let (key, file) = (out.path().join("issuer.pem"), out.path().join("token"));
    fs::write(&key, cloud.issuer().key_pem()).unwrap();
    let mut token = Command::new(env!("CARGO_BIN_EXE_secrets-lab"));
    token.args([
        "token",
        "--issuer",
        "https://issuer.example/sdk",
        "--namespace",
        "shop",
        "--service-account",
        "checkout",
    ]);
    let output = token.arg("--key").arg(&key).output().await.unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(with_oidc(printed.trim()).send(&cloud).await.unwrap().status, 200);
    assert!(token.arg("--out").arg(&file).status().await.unwrap().success());
    assert_eq!(
        with_oidc(&fs::read_to_string(&file).unwrap()).send(&cloud).await.unwrap().status,
        200
    );
}

#[tokio::test]
async fn a_bad_seed_is_named_by_place_and_never_quoted() {
    let out = tempfile::tempdir().unwrap();
    let seed = out.path().join("seed.json");
    fs::write(
        &seed,
        format!(r#"{{"region":"cn-hangzhou","accounts":[{{"id":"1","secrets":"{CANARY}"}}]}}"#),
    )
    .unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_secrets-lab"));
    let output = command
        .args(["cloud", "--out"])
        .arg(out.path())
        .arg("--seed")
        .arg(&seed)
        .output()
        .await
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && error.contains("line 1, column"), "{error}");
    assert!(!error.contains(CANARY));
}
