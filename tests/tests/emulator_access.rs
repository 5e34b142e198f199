//! Which callers the emulated cloud lets in: signatures, dates, nonces, credentials, permissions,
//! limits.
#![allow(clippy::unwrap_used, reason = "test code outside of test functions")]

use std::time::Duration;

use lab::cloud::{Cloud, CloudConfig, Permission, SecretSeed, Seed, StoredPlace, VersionSeed};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::support::{
    ACCOUNT, Call, GATEWAY, KMS, Key, OOS, PARTNER, STS, ask, assumed, cloud, connect, parameter,
    reader, secret, seed, with_oidc,
};

#[tokio::test]
async fn a_signed_call_is_answered() {
    let cloud = cloud().await;
    let reply = secret("app/text").send(&cloud).await.unwrap();
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["VersionId"], "v3");
    assert_eq!(reply.json()["VersionStages"]["VersionStage"][0], "ACSCurrent");
    assert!(reply.header("content-type").unwrap().starts_with("application/json"));
    assert!(reply.header("date").unwrap().ends_with("GMT"));
    let reply = parameter("/prod/db/password").send(&cloud).await.unwrap();
    assert_eq!(reply.json()["Parameter"]["Value"], "two");
}

#[tokio::test]
async fn the_demo_seed_has_what_the_examples_name() {
    let cloud = Cloud::start(CloudConfig::new(Seed::demo().unwrap())).await.unwrap();
    let token = cloud.mint("shop", "checkout").unwrap();
    let call = with_oidc(&token)
        .form("RoleArn", Some("acs:ram::1234567890123456:role/demo-app"))
        .form("OIDCProviderArn", Some("acs:ram::1234567890123456:oidc-provider/ack-rrsa-demo"));
    let key = call.send(&cloud).await.unwrap().credential();
    for name in ["shop/db", "shop/tls-key"] {
        assert_eq!(secret(name).by(&key).send(&cloud).await.unwrap().status, 200, "{name}");
    }
    secret("billing/db").by(&key).refused(&cloud, 403, "Forbidden.NoPermission").await;
    let reply = parameter("shop-api-token").by(&key).send(&cloud).await.unwrap();
    assert_eq!(reply.json()["Parameter"]["Value"], "demo-api-token");
    let flags = Call::new(OOS, "GetParameter", "2019-06-01", Some(key.clone()))
        .with("Name", "shop-feature-flags");
    assert_eq!(flags.send(&cloud).await.unwrap().status, 200);
    let chain = Call::new(STS, "AssumeRole", "2015-04-01", Some(key))
        .with("RoleArn", "acs:ram::9876543210987654:role/partner-secrets")
        .with("RoleSessionName", "chain")
        .with("ExternalId", "shop-and-partner");
    let partner = chain.send(&cloud).await.unwrap().credential();
    assert_eq!(secret("partner/api-key").by(&partner).send(&cloud).await.unwrap().status, 200);
}

#[tokio::test]
async fn unsigned_and_forged_calls_are_refused() {
    let cloud = cloud().await;
    let call = secret("app/text");
    Call { key: None, ..call.clone() }.refused(&cloud, 400, "MissingAccessKeyId").await;
    let forged = Key { secret: "another".to_owned(), ..reader() };
    call.clone().by(&forged).refused(&cloud, 400, "SignatureDoesNotMatch").await;
    let unknown = Key { id: "LTAIunknown".to_owned(), ..reader() };
    call.clone().by(&unknown).refused(&cloud, 404, "InvalidAccessKeyId.NotFound").await;
    let without_token = Key { token: None, ..assumed(&cloud).await };
    call.clone().by(&without_token).refused(&cloud, 400, "MissingSecurityToken").await;
    let other_token = Key { token: Some("CAIS".to_owned()), ..assumed(&cloud).await };
    call.by(&other_token).refused(&cloud, 400, "InvalidSecurityToken.MismatchWithAccessKey").await;
}

#[tokio::test]
async fn a_call_that_was_changed_on_the_way_is_refused() {
    let cloud = cloud().await;
    let sent = async |wire: &str| {
        let mut stream = connect(&cloud, KMS, true).await.unwrap();
        ask(&mut stream, wire).await.unwrap()
    };
    let wire = secret("app/text").wire();
    let changed = wire.replace("app%2Ftext", "app%2Fbinary");
    assert_eq!(sent(&changed).await.code(), "SignatureDoesNotMatch");
    assert_eq!(sent(&wire).await.status, 200);
}

#[tokio::test]
async fn a_signature_counts_once() {
    let cloud = cloud().await;
    let call = secret("app/text");
    assert_eq!(call.send(&cloud).await.unwrap().status, 200);
    call.refused(&cloud, 400, "SignatureNonceUsed").await;
    let again = Call { nonce: "another".to_owned(), ..call };
    assert_eq!(again.send(&cloud).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_forged_call_does_not_use_up_a_nonce() {
    let cloud = cloud().await;
    let call = secret("app/text");
    let forged = Key { secret: "another".to_owned(), ..reader() };
    call.clone().by(&forged).refused(&cloud, 400, "SignatureDoesNotMatch").await;
    assert_eq!(call.send(&cloud).await.unwrap().status, 200);
}

#[tokio::test]
async fn dates_more_than_a_quarter_of_an_hour_off_are_refused() {
    let cloud = cloud().await;
    for seconds in [-16 * 60, 16 * 60] {
        secret("app/text").later(seconds).refused(&cloud, 400, "InvalidTimeStamp.Expired").await;
    }
    for seconds in [-14 * 60, 14 * 60] {
        assert_eq!(secret("app/text").later(seconds).send(&cloud).await.unwrap().status, 200);
    }
    cloud.set_clock_offset(3600);
    let reply = secret("app/text").refused(&cloud, 400, "InvalidTimeStamp.Expired").await;
    assert!(reply.header("date").is_some());
    assert_eq!(secret("app/text").later(3600).send(&cloud).await.unwrap().status, 200);
}

#[tokio::test]
async fn credentials_expire_and_the_code_for_it_can_be_chosen() {
    for (code, status) in [
        ("InvalidSecurityToken.Expired", 400),
        ("InvalidAccessKeyId.NotFound", 404),
        ("InvalidParameter", 400),
    ] {
        let mut config = CloudConfig::new(seed());
        config.rules.expired_code = code.to_owned();
        let cloud = Cloud::start(config).await.unwrap();
        let key = assumed(&cloud).await;
        assert_eq!(secret("app/text").by(&key).send(&cloud).await.unwrap().status, 200);
        cloud.set_clock_offset(3601);
        secret("app/text").by(&key).later(3601).refused(&cloud, status, code).await;
    }
}

#[tokio::test]
async fn the_status_of_a_mismatch_can_be_chosen() {
    let mut config = CloudConfig::new(seed());
    config.rules.mismatch_status = 403;
    let cloud = Cloud::start(config).await.unwrap();
    let forged = Key { secret: "another".to_owned(), ..reader() };
    secret("app/text").by(&forged).refused(&cloud, 403, "SignatureDoesNotMatch").await;
}

#[tokio::test]
async fn kms_is_there_over_tls_only() {
    let cloud = cloud().await;
    secret("app/text").in_plain().refused(&cloud, 404, "InvalidProtocol.NeedSsl").await;
    let identity = Call::new(STS, "GetCallerIdentity", "2015-04-01", Some(reader())).in_plain();
    assert_eq!(identity.send(&cloud).await.unwrap().json()["AccountId"], ACCOUNT);
}

#[tokio::test]
async fn unknown_apis_and_products_have_their_codes() {
    let cloud = cloud().await;
    Call::new(KMS, "DeleteSecret", "2016-01-20", Some(reader()))
        .refused(&cloud, 404, "InvalidApi.NotFound")
        .await;
    let ecs =
        Call::new("ecs.cn-hangzhou.aliyuncs.com", "RunInstances", "2014-05-26", Some(reader()));
    ecs.refused(&cloud, 404, "InvalidProduct.NotFound").await;
}

#[tokio::test]
async fn permissions_are_those_of_the_role() {
    let cloud = cloud().await;
    let key = assumed(&cloud).await;
    secret("other/text").by(&key).refused(&cloud, 403, "Forbidden.NoPermission").await;
    secret("none").by(&key).refused(&cloud, 403, "Forbidden.NoPermission").await;
    parameter("/prod/db/password").by(&key).refused(&cloud, 403, "Forbidden.RAM").await;
    let theirs = format!("acs:kms:cn-hangzhou:{PARTNER}:secret/theirs");
    secret(&theirs).refused(&cloud, 403, "Forbidden.NoPermission").await;
    let ours = format!("acs:kms:cn-hangzhou:{ACCOUNT}:secret/app/text");
    assert_eq!(secret(&ours).by(&key).send(&cloud).await.unwrap().status, 200);
}

/// Whatever its policy says: the other account's role is the way there.
#[tokio::test]
async fn a_policy_does_not_reach_into_another_account() {
    let mut seed = seed();
    let everything = Permission { actions: vec!["*".to_owned()], resources: vec!["*".to_owned()] };
    seed.accounts[0].users[0].permissions.push(everything);
    let cloud = Cloud::start(CloudConfig::new(seed)).await.unwrap();
    let theirs = format!("acs:kms:cn-hangzhou:{PARTNER}:secret/theirs");
    secret(&theirs).refused(&cloud, 403, "Forbidden.NoPermission").await;
    assert_eq!(secret("other/text").send(&cloud).await.unwrap().status, 200);
}

#[tokio::test]
async fn the_dedicated_gateway_wants_permission_for_the_key_too() {
    let cloud = cloud().await;
    let key = assumed(&cloud).await;
    secret("app/text").at(GATEWAY).by(&key).refused(&cloud, 403, "Forbidden.NoPermission").await;
    assert_eq!(secret("app/text").at(GATEWAY).send(&cloud).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_secret_lies_in_one_region() {
    let cloud = cloud().await;
    cloud.put_secret(ACCOUNT, SecretSeed::text("app/far", "far").in_region("cn-beijing")).unwrap();
    secret("app/far").refused(&cloud, 404, "Forbidden.ResourceNotFound").await;
    let there = secret("app/far").at("kms-vpc.cn-beijing.aliyuncs.com");
    assert_eq!(there.send(&cloud).await.unwrap().json()["SecretData"], "far");
    let place = StoredPlace::new(ACCOUNT, "app/far").in_region("cn-beijing");
    cloud.rotate_secret(&place, VersionSeed::text("further")).unwrap();
    let there = secret("app/far").at("kms-vpc.cn-beijing.aliyuncs.com");
    assert_eq!(there.send(&cloud).await.unwrap().json()["SecretData"], "further");
}

/// A request as the KMS SDK sent it, with its date, nonce and signature: accepted when the clock
/// says so. The name in it is one that KMS refuses, after the signature was found good.
#[tokio::test]
async fn a_captured_sdk_request_passes_at_its_time() {
    let wire = "POST /?SecretName=app%2Fdb%20secret%2A~%2B%E5%AF%86&VersionStage=ACSCurrent&FetchExtendedConfig=True HTTP/1.1\r\n\
        host: kms-vpc.cn-hangzhou.aliyuncs.com\r\n\
        accept: application/json\r\n\
        content-type: application/x-www-form-urlencoded\r\n\
        user-agent: test-agent\r\n\
        x-acs-action: GetSecretValue\r\n\
        x-acs-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\r\n\
        x-acs-credentials-provider: static_ak\r\n\
        x-acs-date: 2025-01-02T03:04:05Z\r\n\
        x-acs-signature-nonce: d410180a5abf7fe235dd9b74aca91fc0\r\n\
        x-acs-version: 2016-01-20\r\n\
        authorization: ACS3-HMAC-SHA256 Credential=LTAI5tEXAMPLEKEYID0001,SignedHeaders=accept;content-type;host;user-agent;x-acs-action;x-acs-content-sha256;x-acs-credentials-provider;x-acs-date;x-acs-signature-nonce;x-acs-version,Signature=25f53e87458d15f47456c36f237cbcc63647a74c66362e59e19c1fb310dcd9ab\r\n\
        content-length: 0\r\n\r\n";
    let cloud = cloud().await;
    let code = async |wire: &str| {
        let mut stream = connect(&cloud, "kms-vpc.cn-hangzhou.aliyuncs.com", true).await.unwrap();
        ask(&mut stream, wire).await.unwrap().code()
    };
    assert_eq!(code(wire).await, "InvalidTimeStamp.Expired");
    cloud.set_clock_offset(1_735_787_045 - time::OffsetDateTime::now_utc().unix_timestamp());
    assert_eq!(code(&wire.replace("test-agent", "another")).await, "SignatureDoesNotMatch");
    assert_eq!(code(wire).await, "InvalidParameter");
    assert_eq!(code(wire).await, "SignatureNonceUsed");
}

#[tokio::test]
async fn xml_is_answered_when_asked_for() {
    let cloud = cloud().await;
    let reply = secret("app/none").with("Format", "XML").send(&cloud).await.unwrap();
    assert_eq!(reply.header("content-type").unwrap(), "text/xml;charset=utf-8");
    let text = reply.text();
    assert!(
        text.contains("<Error>") && text.contains("<Code>Forbidden.ResourceNotFound</Code>"),
        "{text}"
    );
}

#[tokio::test]
async fn large_bodies_are_refused() {
    let cloud = cloud().await;
    let call = secret("app/text").form("Recipient", Some(&"x".repeat(100_000)));
    let reply = call.send(&cloud).await.unwrap();
    assert_eq!((reply.status, reply.code().as_str()), (413, "RequestEntityTooLarge"));
}

#[tokio::test]
async fn connections_over_the_limit_are_closed_and_others_go_on() {
    let mut config = CloudConfig::new(seed());
    config.rules.most_connections = 2;
    let cloud = Cloud::start(config).await.unwrap();
    let mut first = connect(&cloud, KMS, true).await.unwrap();
    let _second = connect(&cloud, KMS, true).await.unwrap();
    assert!(connect(&cloud, KMS, true).await.is_err());
    assert_eq!(cloud.counters().refused_connections, 1);
    assert_eq!(ask(&mut first, &secret("app/text").wire()).await.unwrap().status, 200);
}

#[tokio::test]
async fn who_never_finishes_a_request_is_cut_off() {
    let mut config = CloudConfig::new(seed());
    config.rules.patience = Duration::from_millis(50);
    let cloud = Cloud::start(config).await.unwrap();
    for unfinished in
        ["POST / HTTP/1.1\r\nhost: ", "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc"]
    {
        let mut stream = connect(&cloud, STS, false).await.unwrap();
        stream.write_all(unfinished.as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        // Closed or reset, with or without a word: the end comes.
        let _ = timeout(Duration::from_secs(20), stream.read_to_end(&mut rest)).await.unwrap();
    }
    let mut silent = tokio::net::TcpStream::connect(cloud.https()).await.unwrap();
    let mut rest = Vec::new();
    let _ = timeout(Duration::from_secs(20), silent.read_to_end(&mut rest)).await.unwrap();
}

#[tokio::test]
async fn names_outside_the_cloud_get_no_certificate() {
    let cloud = cloud().await;
    assert!(connect(&cloud, "secrets.example.com", true).await.is_err());
    assert!(connect(&cloud, "localhost", true).await.is_ok());
}
