//! From the annotations of a Pod to the bytes in its files, with the real programs on the way.

use std::collections::BTreeMap;

use lab::cloud::{ParameterKind, ParameterSeed, SecretKind, SecretSeed, StoredPlace};
use lab::fetcher::{ACCOUNT, Seen};
use lab::stage::{Stage, pod};
use serde_json::json;

const TEXT: &str = "CANARY ä\r\n$(HOME) $$ \"'\0\t ";

/// A cloud with more kinds of values than the demo has.
async fn stage() -> Stage {
    let stage = Stage::start().await.unwrap();
    let binary: Vec<u8> = (0..=255).collect();
    for secret in [
        SecretSeed::binary("shop/binary", &binary),
        SecretSeed::text("shop/text", TEXT),
        SecretSeed::text("shop/empty", ""),
        SecretSeed::text("shop/rds", r#"{"AccountName":"a"}"#).of_kind(SecretKind::Rds),
        SecretSeed::text("shop/abroad", "far away").in_region("cn-shanghai"),
    ] {
        stage.cloud.put_secret(ACCOUNT, secret).unwrap();
    }
    let token = ParameterSeed::new(ParameterKind::Secret, "shop-token", "one");
    stage.cloud.put_parameter(ACCOUNT, token).unwrap();
    stage.cloud.update_parameter(&StoredPlace::new(ACCOUNT, "shop-token"), true, "two").unwrap();
    stage
}

/// The files that a Pod with these annotations gets: name, mode and content.
async fn files(annotations: &[(&str, &str)]) -> BTreeMap<String, Seen> {
    let (sandbox, ended) = stage().await.run(&pod(annotations)).await.unwrap();
    assert_eq!(ended.code(), Some(0), "{}", ended.said());
    sandbox.files("app").unwrap()
}

fn expected(files: &[(&str, u32, &[u8])]) -> BTreeMap<String, Seen> {
    let seen = |(name, mode, content): &(&str, u32, &[u8])| {
        ((*name).to_owned(), Seen { mode: *mode, content: content.to_vec() })
    };
    files.iter().map(seen).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_gives_each_source_a_file_with_its_exact_bytes() {
    let secrets = r#"
text: kms://shop/text
binary: {source: kms://shop/binary, fileMode: "0444"}
empty: kms://shop/empty
bare: shop/rds
user: kms://shop/db#username
port: kms://shop/db#port
both: "kms://shop/db#{u: username, p: [port]}"
before: kms://shop/db?stage=ACSPrevious#password
first: kms://shop/db?version=v1#password
arn: kms://acs:kms:cn-hangzhou:1234567890123456:secret/shop/text
abroad: {source: kms://shop/abroad, region: cn-shanghai}
abroad-by-arn: kms://acs:kms:cn-shanghai:1234567890123456:secret/shop/abroad
token: oos://shop-token
token-1: oos://shop-token?version=1
flags: oos-parameter://shop-feature-flags
partner:
  source: kms://acs:kms:cn-hangzhou:9876543210987654:secret/partner/api-key
  crossAccountRoleArn: acs:ram::9876543210987654:role/partner-secrets
  externalId: shop-and-partner
"#;
    let binary: Vec<u8> = (0..=255).collect();
    let files = files(&[("secrets", secrets), ("run-as-user", "1000")]).await;
    let wanted = expected(&[
        ("abroad", 0o444, b"far away"),
        ("abroad-by-arn", 0o444, b"far away"),
        ("arn", 0o444, TEXT.as_bytes()),
        ("bare", 0o444, br#"{"AccountName":"a"}"#),
        ("before", 0o444, b"demo-first-password"),
        ("binary", 0o444, &binary),
        ("both", 0o444, br#"{"p":[5432],"u":"shop"}"#),
        ("empty", 0o444, b""),
        ("first", 0o444, b"demo-first-password"),
        ("flags", 0o444, br#"{"newCheckout":true}"#),
        ("partner", 0o444, b"demo-partner-key"),
        ("port", 0o444, b"5432"),
        ("text", 0o444, TEXT.as_bytes()),
        ("token", 0o444, b"two"),
        ("token-1", 0o444, b"one"),
        ("user", 0o444, b"shop"),
    ]);
    assert_eq!(files, wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_the_csi_provider_gives_whole_secrets_and_their_extracts() {
    let secrets = r#"
- objectName: "shop/db"
  objectAlias: db.json
  objectVersionLabel: ACSPrevious
  jmesPath:
  - path: password
    objectAlias: password
  - path: "join('@', [username, 'db'])"
    objectAlias: login
- objectName: shop-token
  objectType: oos
  objectVersion: "1"
- objectName: acs:kms:cn-hangzhou:1234567890123456:secret/shop/tls-key
  objectAlias: tls.key
  fileMode: "0644"
- kms://shop/text
"#;
    let files = files(&[("secrets", secrets)]).await;
    let names: Vec<_> = files.keys().map(String::as_str).collect();
    assert_eq!(names, ["db.json", "login", "password", "shop-token", "shop_text", "tls.key"]);
    assert_eq!(files["password"].content, b"demo-first-password");
    assert_eq!(files["login"].content, b"shop@db");
    let whole = br#"{"username":"shop","password":"demo-first-password","port":5432}"#;
    assert_eq!(files["db.json"].content, whole);
    assert_eq!(files["shop-token"].content, b"one");
    assert_eq!(files["shop_text"].content, TEXT.as_bytes());
    assert_eq!(files["tls.key"].mode, 0o644);
    assert!(files["tls.key"].content.starts_with(&[0, 1, 2, 3]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_of_names_gives_files_at_the_mount_path_that_was_asked_for() {
    let mut pod =
        pod(&[("secrets", "shop/text, oos://shop-token"), ("mount-path", "/app/secrets")]);
    pod["spec"]["containers"] = json!([
        { "name": "app", "image": "a", "securityContext": { "runAsUser": 1000 } },
        { "name": "worker", "image": "b", "securityContext": { "runAsUser": 1000 } },
    ]);
    let (sandbox, ended) = stage().await.run(&pod).await.unwrap();
    assert_eq!(ended.code(), Some(0), "{}", ended.said());
    // One uid everywhere: nobody else needs to read.
    let wanted = expected(&[("shop-token", 0o400, b"two"), ("shop_text", 0o400, TEXT.as_bytes())]);
    for consumer in ["app", "worker"] {
        assert_eq!(sandbox.mount(consumer).unwrap(), sandbox.path("/app/secrets"));
        assert_eq!(sandbox.files(consumer).unwrap(), wanted);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_role_belongs_to_the_service_account_of_the_pod_and_to_no_other() {
    let stage = stage().await;
    let mut stranger = pod(&[("secrets", "shop/text")]);
    stranger["spec"]["serviceAccountName"] = json!("stranger");
    let (sandbox, ended) = stage.run(&stranger).await.unwrap();
    assert_eq!(ended.code(), Some(11), "{}", ended.said());
    assert!(ended.said().contains("system:serviceaccount:shop:stranger"), "{}", ended.said());
    assert!(sandbox.files("app").unwrap().is_empty());
}
