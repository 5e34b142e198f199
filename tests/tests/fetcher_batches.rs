//! Several secrets of one host and role go out in one call, and what comes of it is told for each: the
//! real fetcher against the emulated cloud, with each way in which the real one may differ.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper that fails is a test that fails"
)]

use std::collections::BTreeMap;

use lab::cloud::{
    Cloud, CloudConfig, Effect, Fault, ParameterKind, ParameterSeed, PartsChange, SecretSeed, Seed,
};
use lab::fetcher::{ACCOUNT, Container, Ended, Want, builder, plan};
use plan::{Batches, KmsBatches, Plan};

const SEVERAL: &str = "BatchGetSecretValue";
const ONE: &str = "GetSecretValue";
const GATEWAY: &str = "kst-hzz65f176a0ogplgq0001.cryptoservice.kms.aliyuncs.com";

/// With twenty secrets and ten parameters whose values say which they are.
async fn cloud() -> Cloud {
    let cloud = Cloud::start(CloudConfig::new(Seed::demo().unwrap())).await.unwrap();
    for number in 0..20 {
        let (name, value) = (format!("shop/s{number}"), format!("CANARY of {number}"));
        cloud.put_secret(ACCOUNT, SecretSeed::text(&name, &value)).unwrap();
        let name = format!("shop-p{number}");
        let seed = ParameterSeed::new(ParameterKind::Secret, &name, &value);
        cloud.put_parameter(ACCOUNT, seed).unwrap();
    }
    cloud
}

fn secrets(count: usize) -> Vec<Want> {
    (0..count)
        .map(|number| Want::new(&format!("f{number}"), &format!("kms://shop/s{number}")))
        .collect()
}

fn of(batches: Batches, wants: &[Want]) -> Plan {
    let mut builder = builder().unwrap();
    builder.batches(batches).gateway_ca(plan::GatewayCa::Mounted);
    plan(builder, wants).unwrap()
}

fn usual(wants: &[Want]) -> Plan {
    of(Batches::default(), wants)
}

/// Requests by action, without those to STS.
fn requests(cloud: &Cloud) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for request in cloud.requests() {
        if !request.host.starts_with("sts") {
            *counts.entry(request.action).or_default() += 1;
        }
    }
    counts
}

fn counts<const N: usize>(expected: [(&str, usize); N]) -> BTreeMap<String, usize> {
    expected.into_iter().map(|(action, count)| (action.to_owned(), count)).collect()
}

fn all_are_right(container: &Container, count: usize) {
    let files = container.files().unwrap();
    assert_eq!(files.len(), count);
    for number in 0..count {
        let expected = format!("CANARY of {number}");
        assert_eq!(files[&format!("f{number}")].content, expected.as_bytes(), "{number}");
    }
}

fn nothing_is_told(ended: &Ended) {
    assert!(!ended.said().contains("CANARY"), "{}", ended.said());
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_secrets_are_two_requests_on_two_connections() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let ended = container.init(&usual(&secrets(20))).await.unwrap();
    assert_eq!(ended.code(), Some(0), "{}", ended.said());
    all_are_right(&container, 20);
    assert_eq!(requests(&cloud), counts([(SEVERAL, 1)]));
    let counters = cloud.counters();
    assert_eq!(counters.hosts.values().map(|host| host.accepted).sum::<u64>(), 2);
    assert_eq!(cloud.requests().len(), 2);
    // The log has a line for each, as it had before.
    let lines = ended.log.lines().filter(|line| line.contains("\"fetched\""));
    assert_eq!(lines.count(), 20, "{}", ended.log);
    nothing_is_told(&ended);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sources_a_gateway_and_versions_of_one_name_go_out_by_themselves() {
    let cloud = cloud().await;
    let run = async |wants: &[Want], batches: Batches| {
        cloud.clear_requests();
        let container = Container::new(&cloud).unwrap();
        let ended = container.init(&of(batches, wants)).await.unwrap();
        assert_eq!(ended.code(), Some(0), "{}", ended.said());
        requests(&cloud)
    };
    let shared = Batches::default();
    let all = Batches { kms: KmsBatches::All, oos: false };
    let never = Batches { kms: KmsBatches::Never, oos: false };
    assert_eq!(run(&secrets(2), shared).await, counts([(ONE, 2)]));
    assert_eq!(run(&secrets(3), never).await, counts([(ONE, 3)]));
    let gateway: Vec<Want> = secrets(3).into_iter().map(|want| want.at(GATEWAY)).collect();
    assert_eq!(run(&gateway, shared).await, counts([(ONE, 3)]));
    assert_eq!(run(&gateway, all).await, counts([(SEVERAL, 1)]));
    let mut versions = secrets(3);
    versions.push(Want::new("before", "kms://shop/db?version=v1#password"));
    versions.push(Want::new("current", "kms://shop/db#password"));
    assert_eq!(run(&versions, shared).await, counts([(SEVERAL, 1), (ONE, 1)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_documents_leave_open_are_all_understood() {
    for change in [
        PartsChange::Reversed,
        PartsChange::AsAsked,
        PartsChange::ByName,
        PartsChange::WithoutErrors,
    ] {
        let cloud = cloud().await;
        cloud.add_fault(Fault::new(Effect::Parts { change }).action(SEVERAL));
        let arn = |number| format!("kms://acs:kms:cn-hangzhou:{ACCOUNT}:secret/shop/s{number}");
        let wants: Vec<Want> =
            (0..5).map(|number| Want::new(&format!("f{number}"), &arn(number))).collect();
        let container = Container::new(&cloud).unwrap();
        let ended = container.init(&usual(&wants)).await.unwrap();
        assert_eq!(ended.code(), Some(0), "{change:?} {}", ended.said());
        all_are_right(&container, 5);
        assert_eq!(requests(&cloud), counts([(SEVERAL, 1)]), "{change:?}");
    }
}

/// Nothing of such an answer is used, and each secret is asked for once more, by itself.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_not_clean_falls_back_to_calls_for_one() {
    let parts = [
        PartsChange::OneMissing,
        PartsChange::OneTwice,
        PartsChange::OneMore,
        PartsChange::OtherName,
        PartsChange::OtherVersion,
        PartsChange::ByArn,
    ];
    let parts = parts.map(|change| Effect::Parts { change });
    let refuse = |status, code: &str| Effect::Refuse {
        status,
        code: code.to_owned(),
        message: "No.".to_owned(),
    };
    let whole = [
        refuse(404, "InvalidApi.NotFound"),
        refuse(400, "InvalidApiName"),
        refuse(403, "Forbidden.NoPermission"),
        refuse(400, "InvalidParameter"),
        refuse(400, "UnsupportedOperation"),
        Effect::Garbage,
        Effect::CutJson,
        Effect::Oversized { bytes: 2 << 20 },
        Effect::Redirect { location: "https://example.org/".to_owned() },
        Effect::Html,
        Effect::Xml,
        Effect::InternalFailure,
        Effect::Reset,
        Effect::TruncatedBody,
    ];
    for effect in parts.into_iter().chain(whole) {
        let cloud = cloud().await;
        cloud.add_fault(Fault::new(effect.clone()).action(SEVERAL));
        let container = Container::new(&cloud).unwrap();
        let ended = container.init(&usual(&secrets(5))).await.unwrap();
        assert_eq!(ended.code(), Some(0), "{effect:?} {}", ended.said());
        all_are_right(&container, 5);
        assert_eq!(requests(&cloud), counts([(SEVERAL, 1), (ONE, 5)]), "{effect:?}");
        nothing_is_told(&ended);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_batch_stays_one_request() {
    for effect in [
        Effect::RejectedThrottling { retry_after_millis: Some(10) },
        Effect::ThrottlingUser { retry_after_millis: Some(10) },
    ] {
        let cloud = cloud().await;
        cloud.add_fault(Fault::new(effect).action(SEVERAL).times(2));
        let container = Container::new(&cloud).unwrap();
        let ended = container.init(&usual(&secrets(5))).await.unwrap();
        assert_eq!(ended.code(), Some(0), "{}", ended.said());
        all_are_right(&container, 5);
        assert_eq!(requests(&cloud), counts([(SEVERAL, 3)]));
    }
}

/// How a service counts several secrets in one call is not written anywhere.
#[tokio::test(flavor = "multi_thread")]
async fn where_a_batch_alone_is_throttled_each_secret_is_asked_for_by_itself() {
    for effect in [
        Effect::ThrottlingUser { retry_after_millis: None },
        Effect::Refuse { status: 400, code: "SignatureNonceUsed".into(), message: "No.".into() },
    ] {
        let cloud = cloud().await;
        cloud.add_fault(Fault::new(effect).action(SEVERAL));
        let container = Container::new(&cloud).unwrap();
        let mut builder = builder().unwrap();
        builder.timeout_seconds(6);
        let ended = container.init(&plan(builder, &secrets(5)).unwrap()).await.unwrap();
        assert_eq!(ended.code(), Some(0), "{}", ended.said());
        all_are_right(&container, 5);
        assert_eq!(requests(&cloud)[ONE], 5);
        nothing_is_told(&ended);
    }
}

/// What a person reads does not depend on how the secret was asked for.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_part_is_told_like_a_refused_call() {
    for (code, status, exit) in [
        ("Forbidden.ResourceNotFound", 404, 13),
        ("Forbidden.KeyNotFound", 404, 13),
        ("Forbidden.NoPermission", 403, 12),
        ("Forbidden.RAM", 400, 12),
        ("Forbidden.InDebt", 403, 12),
        ("Forbidden.ProhibitedByRiskControl", 403, 12),
        ("Rejected.Disabled", 409, 18),
        ("Rejected.PendingDeletion", 409, 18),
        ("Rejected.ResourceInDeleteWindow", 409, 18),
        ("Rejected.LimitExceeded", 400, 18),
        ("InvalidParameter", 400, 18),
        ("MissingParameter", 400, 18),
        ("UnsupportedOperation", 400, 18),
        ("IncompleteSignature", 400, 11),
        ("SignatureDoesNotMatch", 400, 11),
        ("InvalidAccessKeyId.Inactive", 400, 11),
        ("Something.New", 400, 18),
    ] {
        let (code, message) = (code.to_owned(), "Not this one.".to_owned());
        let name = "shop/s3".to_owned();
        let part = Effect::PartRefused {
            name: name.clone(),
            status,
            code: code.clone(),
            message: message.clone(),
        };
        let one = Fault::new(Effect::Refuse { status, code: code.clone(), message }).action(ONE);
        let cloud = cloud().await;
        cloud.add_fault(Fault::new(part).action(SEVERAL));
        cloud.add_fault(one.subject(&name));
        let run = async |wants: &[Want], batches| {
            let ended = Container::new(&cloud).unwrap().init(&of(batches, wants)).await.unwrap();
            nothing_is_told(&ended);
            let said = ended.message.clone().unwrap_or_default();
            // Only the id of the request differs.
            let (before, after) = said.split_once("request id ").unwrap_or((&said, ""));
            let after = after.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '-');
            (ended.code(), format!("{before}{after}"))
        };
        let together = run(&secrets(5), Batches::default()).await;
        let never = Batches { kms: KmsBatches::Never, oos: false };
        let alone = run(&secrets(5), never).await;
        assert_eq!(together, alone, "{code}");
        assert_eq!(together.0, Some(exit), "{code}");
        assert!(together.1.contains("kms://shop/s3") && together.1.contains(&code), "{together:?}");
    }
}

/// Nobody knows whether one refusal is one of the whole.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_batch_tells_which_secret_it_is() {
    let cloud = cloud().await;
    let whole = Effect::Parts { change: PartsChange::RefusedWhole };
    cloud.add_fault(Fault::new(whole).action(SEVERAL));
    let mut wants = secrets(4);
    wants.push(Want::new("theirs", "kms://billing/db"));
    let container = Container::new(&cloud).unwrap();
    let ended = container.init(&usual(&wants)).await.unwrap();
    assert_eq!(ended.code(), Some(12), "{}", ended.said());
    assert!(ended.headline().contains("billing/db"), "{}", ended.headline());
    assert!(!ended.headline().contains("shop/s"), "{}", ended.headline());
    assert_eq!(requests(&cloud), counts([(SEVERAL, 1), (ONE, 5)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_part_is_skipped_where_it_may_be() {
    let cloud = cloud().await;
    let mut wants = secrets(3);
    wants.push(Want::new("gone", "kms://shop/gone").skipped_if_missing());
    let container = Container::new(&cloud).unwrap();
    let ended = container.init(&usual(&wants)).await.unwrap();
    assert_eq!(ended.code(), Some(0), "{}", ended.said());
    all_are_right(&container, 3);
    assert_eq!(requests(&cloud), counts([(SEVERAL, 1)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_credentials_are_exchanged_once_for_a_whole_batch() {
    let cloud = cloud().await;
    cloud.add_fault(Fault::new(Effect::ExpiredCredential).action(SEVERAL).times(1));
    let container = Container::new(&cloud).unwrap();
    let ended = container.init(&usual(&secrets(5))).await.unwrap();
    assert_eq!(ended.code(), Some(0), "{}", ended.said());
    all_are_right(&container, 5);
    assert_eq!(requests(&cloud), counts([(SEVERAL, 2)]));
    let exchanges = cloud.requests().iter().filter(|seen| seen.host.starts_with("sts")).count();
    assert_eq!(exchanges, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_looks_sees_each_secret_by_itself() {
    let cloud = cloud().await;
    let mut wants = secrets(3);
    wants.push(Want::new("theirs", "kms://billing/db"));
    let names: Vec<String> = (0..3).map(|number| format!("kms://shop/s{number}")).collect();
    let mut words = vec!["get", "kms://billing/db"];
    words.extend(names.iter().map(String::as_str));
    let ended = Container::new(&cloud).unwrap().run(&usual(&wants), &words).await.unwrap();
    assert_eq!(ended.code(), Some(12), "{}", ended.said());
    for name in &names {
        let (_, about) = ended.stdout.split_once(name.as_str()).unwrap();
        let facts: Vec<&str> = about.lines().skip(1).take(4).collect();
        assert!(facts[0].contains("role/demo-app"), "{facts:?}");
        assert!(facts[1].contains("version     ") && facts[2].contains("11 bytes"), "{facts:?}");
        assert!(facts[3].contains("request id  "), "{facts:?}");
    }
    let denied = "not fetched KMS GetSecretValue of billing/db";
    assert!(ended.stdout.contains(denied), "{}", ended.stdout);
    // A role may be allowed to ask for one secret and not for several.
    assert_eq!(requests(&cloud), counts([(SEVERAL, 1), (ONE, 1)]));
    nothing_is_told(&ended);
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_go_out_together_where_the_operator_says_that_roles_may() {
    let wants: Vec<Want> = (0..5)
        .map(|number| Want::new(&format!("f{number}"), &format!("oos://shop-p{number}")))
        .collect();
    let allowed = Batches { kms: KmsBatches::Shared, oos: true };
    let (several, one) = ("GetSecretParameters", "GetSecretParameter");

    let mut seed: serde_json::Value =
        serde_json::from_str(include_str!("../../examples/cloud.json")).unwrap();
    let permissions = &mut seed["accounts"][0]["roles"][0]["permissions"];
    let permission = serde_json::json!({
        "actions": ["oos:GetSecretParameters"], "resources": ["*"],
    });
    permissions.as_array_mut().unwrap().push(permission);
    for (seed, expected) in [
        (seed.to_string(), counts([(several, 1)])),
        // The policy that is documented everywhere is for one.
        (include_str!("../../examples/cloud.json").to_owned(), counts([(several, 1), (one, 5)])),
    ] {
        let seed = Seed::from_json(seed.as_bytes()).unwrap();
        let cloud = Cloud::start(CloudConfig::new(seed)).await.unwrap();
        for number in 0..5 {
            let (name, value) = (format!("shop-p{number}"), format!("CANARY of {number}"));
            let seed = ParameterSeed::new(ParameterKind::Secret, &name, &value);
            cloud.put_parameter(ACCOUNT, seed).unwrap();
        }
        let container = Container::new(&cloud).unwrap();
        let ended = container.init(&of(allowed, &wants)).await.unwrap();
        assert_eq!(ended.code(), Some(0), "{}", ended.said());
        all_are_right(&container, 5);
        assert_eq!(requests(&cloud), expected);

        let mut missing = wants.clone();
        missing.push(Want::new("gone", "oos://shop-gone"));
        let ended = Container::new(&cloud).unwrap().init(&of(allowed, &missing)).await.unwrap();
        assert_eq!(ended.code(), Some(13), "{}", ended.said());
        assert!(ended.headline().contains("oos://shop-gone"), "{}", ended.headline());
        assert!(ended.headline().contains("EntityNotExists.Parameter"), "{}", ended.headline());
        nothing_is_told(&ended);
    }
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let ended = container.init(&usual(&wants)).await.unwrap();
    assert_eq!(ended.code(), Some(0), "{}", ended.said());
    assert_eq!(requests(&cloud), counts([(one, 5)]));
}
