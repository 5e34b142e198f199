//! What the fetcher does when the cloud is down, slow, throttling, or not the cloud at all.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use lab::closed_port::ClosedPort;
use lab::cloud::{
    CalledService, Cloud, CloudConfig, Effect, Fault, SecretSeed, Seed, StoredPlace, VersionSeed,
};
use lab::fetcher::{ACCOUNT, Container, Ended, Want, builder, plan};
use plan::{CaBundle, FetcherOptions, GatewayCa, LogLevel, Mode, OnRevoked, Plan, Refresh};

async fn cloud() -> Cloud {
    let cloud = Cloud::start(CloudConfig::new(Seed::demo().unwrap())).await.unwrap();
    cloud.put_secret(ACCOUNT, SecretSeed::text("shop/canary", r#"{"a":"CANARY"}"#)).unwrap();
    cloud
}

/// One source that is struck and one that is not.
fn wanted(timeout: u32) -> Plan {
    let mut builder = builder().unwrap();
    builder.timeout_seconds(timeout);
    let wants = [Want::new("a", "kms://shop/canary"), Want::new("t", "oos://shop-api-token")];
    plan(builder, &wants).unwrap()
}

fn kms(effect: Effect) -> Fault {
    Fault::new(effect).service(CalledService::Kms)
}

/// The documented code, a reason on the first line, something to check, no value and no file.
fn ended_with(code: i32, words: &[&str], ended: &Ended, container: &Container) {
    assert_eq!(ended.code(), Some(code), "{words:?}: {}", ended.said());
    let message = ended.message.as_deref().unwrap();
    for words in words {
        assert!(ended.headline().contains(words), "no {words:?} in: {message}");
    }
    assert!(message.contains("\n  check: "), "{message}");
    for secret in ["CANARY", "demo-api-token"] {
        assert!(!ended.said().contains(secret), "{}", ended.said());
    }
    // What came is for the next start where a service is short of answers.
    let left = if code == 14 { &["..unfinished"][..] } else { &[] };
    let others = |name: &String| !left.contains(&name.as_str());
    assert!(!container.entries().unwrap().iter().any(others));
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_that_passes_is_waited_for() {
    for effect in [
        Effect::RejectedThrottling { retry_after_millis: Some(50) },
        Effect::RejectedThrottling { retry_after_millis: None },
        Effect::ThrottlingUser { retry_after_millis: Some(50) },
        Effect::ThrottlingUser { retry_after_millis: None },
        Effect::InternalFailure,
        Effect::Unavailable,
        Effect::OkWithError,
        Effect::Html,
        Effect::Reset,
        Effect::TruncatedBody,
        Effect::Latency { millis: 50 },
        Effect::SlowBody { bytes: 50, millis: 5 },
        Effect::ExpiredCredential,
        Effect::ClockSkew { seconds: 3600 },
    ] {
        let cloud = cloud().await;
        let container = Container::new(&cloud).unwrap();
        cloud.add_fault(kms(effect.clone()).times(1));
        let ended = container.init(&wanted(60)).await.unwrap();
        assert_eq!(ended.code(), Some(0), "{effect:?}: {}", ended.said());
        assert_eq!(container.files().unwrap()["a"].content, br#"{"a":"CANARY"}"#, "{effect:?}");
        assert!(!ended.said().contains("CANARY"), "{}", ended.said());
        let exchanges = cloud.counters().requests["sts.AssumeRoleWithOIDC"];
        let expected = if matches!(effect, Effect::ExpiredCredential) { 2 } else { 1 };
        assert_eq!(exchanges, expected, "{effect:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_attempt_is_a_line_of_its_own_at_debug_and_at_no_other_level() {
    for (level, lines) in [(LogLevel::Debug, 1), (LogLevel::Info, 0)] {
        let cloud = cloud().await;
        let container = Container::new(&cloud).unwrap();
        cloud.add_fault(kms(Effect::Unavailable).times(1));
        let mut builder = builder().unwrap();
        builder.options(FetcherOptions { log_level: level, ..FetcherOptions::default() });
        let wanted = plan(builder, &[Want::new("a", "kms://shop/canary")]).unwrap();
        let ended = container.init(&wanted).await.unwrap();
        assert_eq!(ended.code(), Some(0), "{}", ended.said());
        let count = |words: &[&str]| {
            let all = |line: &&str| words.iter().all(|words| line.contains(words));
            ended.log.lines().filter(all).count()
        };
        let asked = r#""operation":"KMS GetSecretValue","host":"kms-vpc.cn-hangzhou.aliyuncs.com""#;
        let (id, milliseconds) = (r#""request_id":""#, r#""duration_ms":"#);
        let failed = [asked, r#""attempt":1"#, r#""status":503"#, r#""class":"unreachable""#];
        let failed = [&failed[..], &[id, milliseconds, r#""request failed""#]].concat();
        assert_eq!(count(&failed), lines, "{}", ended.log);
        assert_eq!(count(&[asked, r#""request to be sent again""#]), lines, "{}", ended.log);
        let answered = [asked, r#""attempt":2"#, id, milliseconds, r#""request answered""#];
        assert_eq!(count(&answered), lines, "{}", ended.log);
        let exchanged = [r#""operation":"STS AssumeRoleWithOIDC""#, id, r#""request answered""#];
        assert_eq!(count(&exchanged), lines, "{}", ended.log);
        assert!(!ended.said().contains("CANARY"), "{}", ended.said());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_that_stays_is_told_with_its_last_reason_when_the_time_is_over() {
    let throttled = "check: the account's request limits";
    let (network, health) = ("network policies", "the health of the service");
    for (effect, code, words, advice) in [
        (
            Effect::RejectedThrottling { retry_after_millis: None },
            14,
            "Rejected.Throttling",
            throttled,
        ),
        (Effect::ThrottlingUser { retry_after_millis: None }, 14, "Throttling.User", throttled),
        (Effect::InternalFailure, 15, "InternalFailure", health),
        (Effect::Unavailable, 15, "ServiceUnavailableTemporary", health),
        (Effect::OkWithError, 15, "InternalFailure (status 200)", health),
        (Effect::Html, 15, "status 502", "gateway in between"),
        (Effect::Reset, 15, "connection was lost", network),
        (Effect::Latency { millis: 60_000 }, 15, "", network),
        (Effect::SlowBody { bytes: 1, millis: 5_000 }, 15, "", network),
    ] {
        let cloud = cloud().await;
        let container = Container::new(&cloud).unwrap();
        cloud.add_fault(kms(effect.clone()));
        let ended = container.init(&wanted(2)).await.unwrap();
        ended_with(code, &["kms://shop/canary: ", words], &ended, &container);
        assert!(ended.message.as_deref().unwrap().contains(advice), "{}", ended.said());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_not_the_services_is_refused_without_being_shown() {
    for (effect, code, words) in [
        (Effect::Redirect { location: "https://evil.example/CANARY".to_owned() }, 15, "redirect"),
        (Effect::Garbage, 17, "not JSON"),
        (Effect::CutJson, 17, "too early"),
        (Effect::Oversized { bytes: 2 << 20 }, 17, "larger than"),
    ] {
        let cloud = cloud().await;
        let container = Container::new(&cloud).unwrap();
        cloud.add_fault(kms(effect));
        let ended = container.init(&wanted(30)).await.unwrap();
        ended_with(code, &["kms://shop/canary: ", words], &ended, &container);
        // And asked once: waiting does not mend it.
        assert_eq!(cloud.counters().requests["kms.GetSecretValue"], 1, "{words}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_xml_error_keeps_its_status() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    cloud.add_fault(kms(Effect::Xml));
    let ended = container.init(&wanted(2)).await.unwrap();
    assert!(matches!(ended.code(), Some(12..=18)), "{}", ended.said());
    let (code, status) = (ended.code().unwrap(), cloud.requests().pop().unwrap().status.unwrap());
    ended_with(code, &["kms://shop/canary: ", &format!("status {status}")], &ended, &container);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_that_is_down_is_unreachable() {
    let cloud = cloud().await;
    let mut container = Container::new(&cloud).unwrap();
    let closed = ClosedPort::new().unwrap();
    container.dial(&closed.address().unwrap().to_string());
    let ended = container.init(&wanted(1)).await.unwrap();
    let words = ["STS AssumeRoleWithOIDC", "sts-vpc.cn-hangzhou.aliyuncs.com", "could not connect"];
    ended_with(15, &words, &ended, &container);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_that_never_answers_ends_with_the_timeout() {
    let cloud = cloud().await;
    let mut container = Container::new(&cloud).unwrap();
    // The kernel accepts and nobody ever reads.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    container.dial(&silent.local_addr().unwrap().to_string());
    let ended = container.init(&wanted(2)).await.unwrap();
    ended_with(15, &["STS AssumeRoleWithOIDC", "in time"], &ended, &container);
    assert!((2..30).contains(&ended.elapsed.as_secs()), "{:?}", ended.elapsed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_another_name_or_ca_is_not_accepted() {
    let name = "evil.example".to_owned();
    for (fault, words) in [
        (
            Fault::new(Effect::CertificateName { name }).host("kms-vpc.*"),
            ["kms://shop/canary: ", "certificate is not accepted"],
        ),
        (
            Fault::new(Effect::UntrustedCertificate).host("sts-vpc.*"),
            ["kms://shop/canary and 1 more: ", "certificate is not accepted"],
        ),
    ] {
        let cloud = cloud().await;
        let container = Container::new(&cloud).unwrap();
        cloud.add_fault(fault);
        let ended = container.init(&wanted(30)).await.unwrap();
        ended_with(15, &words, &ended, &container);
        // Waiting does not mend a certificate.
        assert!(ended.elapsed.as_secs() < 20, "{:?}", ended.elapsed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_for_good_does_not_wait_for_the_retries_of_others() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    cloud.add_fault(kms(Effect::Unavailable));
    let wants = [Want::new("a", "kms://shop/canary"), Want::new("t", "oos://shop-gone")];
    let mut builder = builder().unwrap();
    builder.timeout_seconds(60);
    let ended = container.init(&plan(builder, &wants).unwrap()).await.unwrap();
    ended_with(13, &["oos://shop-gone: "], &ended, &container);
    let given_up = "kms://shop/canary: not finished when the run was given up";
    assert!(ended.message.as_deref().unwrap().contains(given_up), "{}", ended.said());
    assert!(ended.elapsed.as_secs() < 30, "{:?}", ended.elapsed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_with_a_private_ca_is_trusted_with_that_ca_only() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let gateway = "kst-hzz65f176a0ogplgq0001.cryptoservice.kms.aliyuncs.com";
    let wants = [Want::new("a", "kms://shop/canary").at(gateway)];
    let without = plan(builder().unwrap(), &wants).unwrap();
    let ended = container.init(&without).await.unwrap();
    ended_with(15, &["kms://shop/canary: ", "no CA is configured"], &ended, &container);
    assert!(ended.said().contains("annotation ca-config-map"), "{}", ended.said());

    let trusting = |ca| {
        let mut builder = builder().unwrap();
        builder.gateway_ca(ca);
        plan(builder, &wants).unwrap()
    };
    let with = trusting(GatewayCa::Mounted);
    std::fs::write(container.path("etc/kms-ca/ca.crt"), cloud.ca_pem()).unwrap();
    let ended = container.init(&with).await.unwrap();
    ended_with(15, &["kms://shop/canary: ", "its issuer is not trusted"], &ended, &container);
    assert!(ended.said().contains("the CA in the ConfigMap"), "{}", ended.said());
    // What is built in is not that of this gateway, and so is another CA of the operator's.
    for (ca, advice) in [
        (GatewayCa::Published, "none of the CAs that Alibaba Cloud publishes signed this"),
        (
            GatewayCa::Given(CaBundle::parse(cloud.ca_pem()).unwrap()),
            "the operator's setting gatewayCa: nothing else counts for the gateway",
        ),
    ] {
        let ended = container.init(&trusting(ca)).await.unwrap();
        ended_with(15, &["kms://shop/canary: ", "its issuer is not trusted"], &ended, &container);
        assert!(ended.said().contains(advice), "{}", ended.said());
        assert!(ended.elapsed.as_secs() < 30, "{:?}", ended.elapsed);
    }
    let given = GatewayCa::Given(CaBundle::parse(cloud.private_ca_pem()).unwrap());
    assert_eq!(container.init(&trusting(given)).await.unwrap().code(), Some(0));
    std::fs::write(container.path("etc/kms-ca/ca.crt"), cloud.private_ca_pem()).unwrap();
    assert_eq!(container.init(&with).await.unwrap().code(), Some(0));
}

/// As many as there are connections to a host, and they come first.
#[tokio::test(flavor = "multi_thread")]
async fn sources_that_are_never_answered_keep_no_other_of_their_host_from_being_asked() {
    let cloud = cloud().await;
    let silent: Vec<String> = (0..4).map(|index| format!("shop/silent-{index}")).collect();
    for name in &silent {
        cloud.put_secret(ACCOUNT, SecretSeed::text(name, "CANARY-1")).unwrap();
    }
    let sources: Vec<String> = silent.iter().map(|name| format!("kms://{name}")).collect();
    let names = ["a", "b", "c", "d"];
    let mut wants: Vec<_> =
        names.iter().zip(&sources).map(|(name, source)| Want::new(name, source)).collect();
    wants.push(Want::new("well", "kms://shop/canary"));
    let mut builder = builder().unwrap();
    builder.mode(Mode::Refresh(Refresh::new(10, None, OnRevoked::Keep).unwrap()));
    let container = Container::new(&cloud).unwrap();
    let running = container.start(&plan(builder, &wants).unwrap(), &["refresh"]).unwrap();
    running.says("\"done\"", 1).await.unwrap();
    for name in &silent {
        cloud.add_fault(kms(Effect::Latency { millis: 600_000 }).subject(name));
    }
    let place = StoredPlace::new(ACCOUNT, "shop/canary");
    for value in ["CANARY-2", "CANARY-3"] {
        cloud.rotate_secret(&place, VersionSeed::text(value)).unwrap();
        container.shows("well", Some(value.as_bytes())).await.unwrap();
    }
    drop(running);
}

/// Each look has time for as many answers as there are connections to a host.
#[tokio::test(flavor = "multi_thread")]
async fn answers_that_come_late_keep_no_other_source_from_being_asked() {
    let cloud = cloud().await;
    let names: Vec<String> = (0..8).map(|index| format!("shop/slow-{index}")).collect();
    for name in &names {
        cloud.put_secret(ACCOUNT, SecretSeed::text(name, "CANARY-1")).unwrap();
    }
    let sources: Vec<String> = names.iter().map(|name| format!("kms://{name}")).collect();
    let files: Vec<String> = (0..8).map(|index| format!("f{index}")).collect();
    let wants: Vec<_> =
        files.iter().zip(&sources).map(|(name, source)| Want::new(name, source)).collect();
    let mut builder = builder().unwrap();
    builder.mode(Mode::Refresh(Refresh::new(10, None, OnRevoked::Keep).unwrap()));
    let container = Container::new(&cloud).unwrap();
    let running = container.start(&plan(builder, &wants).unwrap(), &["refresh"]).unwrap();
    running.says("\"done\"", 1).await.unwrap();
    cloud.add_fault(kms(Effect::Latency { millis: 2_000 }));
    for (name, file) in [(&names[7], &files[7]), (&names[0], &files[0])] {
        let place = StoredPlace::new(ACCOUNT, name);
        cloud.rotate_secret(&place, VersionSeed::text("CANARY-2")).unwrap();
        container.shows(file, Some(b"CANARY-2")).await.unwrap();
    }
    drop(running);
}
