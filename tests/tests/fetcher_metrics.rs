//! What the fetcher says of itself while it works: its metrics, whether it is ready, and why a Pod
//! waits.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper that fails is a test that fails"
)]

use std::net::TcpListener;
use std::time::Duration;

use lab::cloud::{Cloud, CloudConfig, Effect, Fault, SecretSeed, Seed, StoredPlace, VersionSeed};
use lab::fetcher::{ACCOUNT, Container, Running, Want, builder, plan};
use plan::{
    FetcherOptions, FileMode, FileName, FileOptions, Mode, OnMissing, OnRevoked, Plan, Refresh,
};
use rustix::process::Signal;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

async fn cloud() -> Cloud {
    let cloud = Cloud::start(CloudConfig::new(Seed::demo().unwrap())).await.unwrap();
    for name in ["shop/a", "shop/b"] {
        cloud.put_secret(ACCOUNT, SecretSeed::text(name, "CANARY-1")).unwrap();
    }
    cloud
}

fn wanted(port: u16) -> Plan {
    let mut builder = builder().unwrap();
    builder.mode(Mode::Refresh(Refresh::new(10, None, OnRevoked::Keep).unwrap()));
    builder.options(FetcherOptions { metrics_port: Some(port), ..FetcherOptions::default() });
    let wants = [Want::new("a", "kms://shop/a"), Want::new("b", "kms://shop/b")];
    plan(builder, &wants).unwrap()
}

/// Nobody's, a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("[::]:0").unwrap().local_addr().unwrap().port()
}

/// Status and body; waits until somebody listens.
async fn ask(port: u16, request: &str) -> (u16, String) {
    let mut stream = loop {
        match TcpStream::connect(("127.0.0.1", port)).await {
            Ok(stream) => break stream,
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    let request = format!("{request} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

async fn metrics(port: u16) -> String {
    let (status, text) = ask(port, "GET /metrics").await;
    assert!(status == 200 && text.ends_with("# EOF\n"), "{text}");
    for secret in ["CANARY", "shop/", "kms://", "role/"] {
        assert!(!text.contains(secret), "{text}");
    }
    text
}

/// The value of one sample; `None` where there is none.
fn value(text: &str, sample: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| {
        line.strip_prefix("secrets_injector_")?.strip_prefix(sample)?.strip_prefix(' ')
    });
    line.map(|value| value.parse().unwrap())
}

/// Waits until this page says so.
async fn becomes(port: u16, expected: (u16, &str)) {
    while ask(port, "GET /readyz").await != (expected.0, expected.1.to_owned()) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn ends_well(mut running: Running) {
    running.signal(Signal::TERM).unwrap();
    assert_eq!(running.ended().await.unwrap().code(), Some(0), "{}", running.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_and_readiness_follow_the_sources() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let port = free_port();
    let running = container.start(&wanted(port), &["refresh"]).unwrap();
    becomes(port, (200, "ok\n")).await;
    let text = metrics(port).await;
    let kms = r#"requests_total{operation="KMS GetSecretValue",outcome="ok"}"#;
    let sts = r#"requests_total{operation="STS AssumeRoleWithOIDC",outcome="ok"}"#;
    assert_eq!((value(&text, "sources"), value(&text, "changes_total")), (Some(2), Some(0)));
    assert_eq!((value(&text, sts), value(&text, kms)), (Some(1), Some(2)));
    assert!(value(&text, "oldest_value_age_seconds").unwrap() < 60, "{text}");
    let since = value(&text, "last_success_timestamp_seconds").unwrap();

    let place = StoredPlace::new(ACCOUNT, "shop/b");
    cloud.add_fault(Fault::new(Effect::Unavailable).subject("shop/a"));
    cloud.rotate_secret(&place, VersionSeed::text("CANARY-2")).unwrap();
    becomes(port, (503, "unreachable: 1 of 2 sources\n")).await;
    let text = metrics(port).await;
    assert_eq!(value(&text, r#"failing_sources{class="unreachable"}"#), Some(1), "{text}");
    assert!(value(&text, r#"failures_total{class="unreachable"}"#) >= Some(1), "{text}");
    let failed = r#"requests_total{operation="KMS GetSecretValue",outcome="unreachable"}"#;
    assert!(value(&text, failed) >= Some(1) && value(&text, kms) >= Some(3), "{text}");
    assert_eq!(value(&text, "changes_total"), Some(1), "{text}");
    assert!(value(&text, "last_success_timestamp_seconds").unwrap() >= since, "{text}");
    cloud.clear_faults();
    becomes(port, (200, "ok\n")).await;
    ends_well(running).await;
}

/// A template that wants a key of a value, beside an ordinary file.
fn with_template(port: u16) -> Plan {
    let mut builder = builder().unwrap();
    builder.mode(Mode::Refresh(Refresh::new(10, Some(10), OnRevoked::Keep).unwrap()));
    builder.options(FetcherOptions { metrics_port: Some(port), ..FetcherOptions::default() });
    let text = "A={{ json(secret(\"kms://shop/b\")).a }}";
    let secret = ("kms://shop/b".to_owned(), Want::new("", "kms://shop/b").lookup().unwrap(), None);
    let name = FileName::parse("t").unwrap();
    builder.template(
        name,
        text.to_owned(),
        vec![secret],
        FileOptions::new(FileMode::OWNER, OnMissing::Fail),
    );
    plan(builder, &[Want::new("a", "kms://shop/a")]).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_that_fails_is_seen_by_whoever_looks() {
    let cloud = cloud().await;
    let place = StoredPlace::new(ACCOUNT, "shop/b");
    cloud.rotate_secret(&place, VersionSeed::text(r#"{"a":"CANARY-1"}"#)).unwrap();
    let container = Container::new(&cloud).unwrap();
    let port = free_port();
    let plan = with_template(port);
    let running = container.start(&plan, &["refresh"]).unwrap();
    becomes(port, (200, "ok\n")).await;
    let probe = container.run(&plan, &["probe"]).await.unwrap();
    assert_eq!(probe.stdout, "2 files of the plan are there\n");

    cloud.rotate_secret(&place, VersionSeed::text(r#"{"b":"CANARY-2"}"#)).unwrap();
    let reasons =
        "templates that cannot be rendered: 1\nfiles and variables that were removed: 1\n";
    becomes(port, (503, reasons)).await;
    container.shows("t", None).await.unwrap();
    let text = metrics(port).await;
    let known = ["failing_templates", "removed_files"].map(|name| value(&text, name));
    assert_eq!(known, [Some(1), Some(1)], "{text}");
    assert_eq!(value(&text, r#"failing_sources{class="unusable"}"#), Some(0), "{text}");
    // Older than any source: it was removed for its age.
    assert!(value(&text, "oldest_value_age_seconds").unwrap() >= 10, "{text}");
    let probe = container.run(&plan, &["probe"]).await.unwrap();
    let expected = "1 of 2 files of the plan are there; removed: file \"t\"\n";
    assert_eq!((probe.code(), probe.stdout.as_str()), (Some(0), expected));

    cloud.rotate_secret(&place, VersionSeed::text(r#"{"a":"CANARY-3"}"#)).unwrap();
    becomes(port, (200, "ok\n")).await;
    assert_eq!(value(&metrics(port).await, "removed_files"), Some(0));
    ends_well(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_that_waits_says_what_for() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let port = free_port();
    let plan = wanted(port);
    let before = container.run(&plan, &["probe"]).await.unwrap();
    assert_eq!(before.stdout, "not ready: no files were written yet\n");
    cloud.add_fault(Fault::new(Effect::Unavailable).subject("shop/a"));
    let running = container.start(&plan, &["refresh"]).unwrap();
    let waits = "the files are not there yet\nunreachable: 1 of 2 sources\n";
    becomes(port, (503, waits)).await;
    // What the kubelet makes an event of.
    let expected =
        "not ready: no files were written yet; not fetched: kms://shop/a: unreachable (15)\n";
    loop {
        let probe = container.run(&plan, &["probe"]).await.unwrap();
        assert_eq!(probe.code(), Some(1));
        if probe.stdout == expected {
            break;
        }
    }
    cloud.clear_faults();
    becomes(port, (200, "ok\n")).await;
    let probe = container.run(&plan, &["probe"]).await.unwrap();
    assert_eq!(probe.stdout, "2 files of the plan are there\n");
    ends_well(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_pages_and_methods_are_refused() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let port = free_port();
    let running = container.start(&wanted(port), &["refresh"]).unwrap();
    running.says("\"done\"", 1).await.unwrap();
    for (request, status) in [
        ("GET /", 404),
        ("GET /metrics/", 404),
        ("GET /secretsmanager/get", 404),
        ("POST /metrics", 405),
        ("DELETE /readyz", 405),
        ("HEAD /metrics", 200),
        ("GET /metrics?x=y", 200),
    ] {
        assert_eq!(ask(port, request).await.0, status, "{request}");
    }
    ends_well(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_keeps_no_secret_away() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let taken = TcpListener::bind("[::]:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let running = container.start(&wanted(port), &["refresh"]).unwrap();
    container.shows("a", Some(b"CANARY-1")).await.unwrap();
    running.says("the port cannot be had (metrics-port)", 1).await.unwrap();
    ends_well(running).await;
}
