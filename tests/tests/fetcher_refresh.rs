//! Files that stay current while the application runs: rotated, revoked, out of reach, started
//! again. The shortest interval that there is lies between two looks.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper that fails is a test that fails"
)]

use std::collections::HashSet;
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lab::cloud::{
    CalledService, Cloud, CloudConfig, Effect, Fault, SecretSeed, Seed, StoredPlace, VersionSeed,
};
use lab::fetcher::{ACCOUNT, Container, NAMESPACE, Running, SERVICE_ACCOUNT, Want, builder, plan};
use plan::{Mode, OnRevoked, Plan, Refresh};
use rustix::process::Signal;
use serde_json::Value;

const INTERVAL: u32 = 10;

async fn cloud() -> Cloud {
    let cloud = Cloud::start(CloudConfig::new(Seed::demo().unwrap())).await.unwrap();
    for name in ["shop/a", "shop/b"] {
        cloud.put_secret(ACCOUNT, SecretSeed::text(name, r#"{"v":"CANARY-1"}"#)).unwrap();
    }
    cloud
}

fn wanted(max_staleness: Option<u32>, on_revoked: OnRevoked) -> Plan {
    let mut builder = builder().unwrap();
    builder.mode(Mode::Refresh(Refresh::new(INTERVAL, max_staleness, on_revoked).unwrap()));
    let wants = [Want::new("a", "kms://shop/a#v"), Want::new("b", "kms://shop/b#v")];
    plan(builder, &wants).unwrap()
}

/// A process whose files are there.
async fn running(container: &Container, plan: &Plan) -> Running {
    let running = container.start(plan, &["refresh"]).unwrap();
    running.says("\"done\"", 1).await.unwrap();
    running
}

fn rotate(cloud: &Cloud, name: &str, value: &str) {
    let version = VersionSeed::text(&format!(r#"{{"v":"{value}"}}"#));
    cloud.rotate_secret(&StoredPlace::new(ACCOUNT, name), version).unwrap();
}

/// The service refuses the secret `a`, and no other.
fn refuse(cloud: &Cloud, effect: Effect) {
    cloud.add_fault(Fault::new(effect).service(CalledService::Kms).subject("shop/a"));
}

fn status(container: &Container) -> Value {
    let text = std::fs::read_to_string(container.mount().join(".kms-status.json")).unwrap();
    assert!(!text.contains("CANARY"), "{text}");
    serde_json::from_str(&text).unwrap()
}

/// Waits until an ask is over in which the first source failed so.
async fn fails(container: &Container, how: &str) {
    while status(container)["sources"][0]["failing"] != how {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Whether a file of this name is anywhere below the mount, in whatever generation.
fn is_anywhere(container: &Container, name: &str) -> bool {
    let below = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        path.file_name().is_some_and(|found| found == name) || path.join(name).exists()
    };
    std::fs::read_dir(container.mount()).unwrap().any(below)
}

/// The file and the generation that it is in.
fn inode(container: &Container, name: &str) -> u64 {
    std::fs::metadata(container.mount().join(name)).unwrap().ino()
}

async fn ends_well(mut running: Running) -> String {
    running.signal(Signal::TERM).unwrap();
    assert_eq!(running.ended().await.unwrap().code(), Some(0), "{}", running.log());
    let log = running.log();
    assert!(!log.contains("CANARY"), "{log}");
    log
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_secret_reaches_its_file_and_leaves_no_other_behind() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let running = running(&container, &wanted(None, OnRevoked::Keep)).await;
    container.shows("a", Some(b"CANARY-1")).await.unwrap();
    let first = inode(&container, "a");
    rotate(&cloud, "shop/a", "CANARY-2");
    container.shows("a", Some(b"CANARY-2")).await.unwrap();
    assert_eq!(std::fs::read(container.mount().join("b")).unwrap(), b"CANARY-1");
    assert_ne!(inode(&container, "a"), first);
    // Both are of one generation, whichever changed.
    let generation = std::fs::read_link(container.mount().join("..data")).unwrap();
    let held = std::fs::read_dir(container.mount().join(generation)).unwrap().count();
    // Two files and their sentinel.
    assert_eq!(held, 3);
    let log = ends_well(running).await;
    assert!(log.contains(r#""message":"a new version""#) && log.contains("kms://shop/a"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_did_not_change_is_not_touched() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let running = running(&container, &wanted(None, OnRevoked::Keep)).await;
    // But for the status, which is replaced all the time.
    let entries = || {
        let mut entries = container.entries().unwrap();
        entries.retain(|name| !name.starts_with(".kms-status"));
        entries
    };
    let before = (inode(&container, "a"), entries());
    // Two rounds of two sources after the first fetch.
    while cloud.counters().requests["kms.GetSecretValue"] < 6 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!((inode(&container, "a"), entries()), before);
    assert_eq!(cloud.counters().requests["sts.AssumeRoleWithOIDC"], 1);
    ends_well(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_takes_nothing_away_and_what_is_well_goes_on() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let running = running(&container, &wanted(None, OnRevoked::Fail)).await;
    refuse(&cloud, Effect::Unavailable);
    rotate(&cloud, "shop/a", "CANARY-2");
    rotate(&cloud, "shop/b", "CANARY-2");
    container.shows("b", Some(b"CANARY-2")).await.unwrap();
    assert_eq!(std::fs::read(container.mount().join("a")).unwrap(), b"CANARY-1");
    running.says("not fetched", 1).await.unwrap();
    cloud.clear_faults();
    container.shows("a", Some(b"CANARY-2")).await.unwrap();
    ends_well(running).await;
}

/// Two hours without a cloud: neither credentials nor token of before are worth anything when it is
/// back, and that they are not is no revocation.
#[tokio::test(flavor = "multi_thread")]
async fn an_outage_longer_than_the_life_of_a_token_ends_well() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let running = running(&container, &wanted(None, OnRevoked::Fail)).await;
    cloud.add_fault(Fault::new(Effect::Unavailable));
    fails(&container, "unreachable").await;
    cloud.set_clock_offset(7200);
    cloud.expire_sessions();
    for name in ["shop/a", "shop/b"] {
        rotate(&cloud, name, "CANARY-2");
    }
    cloud.clear_faults();
    fails(&container, "identity").await;
    for name in ["a", "b"] {
        assert_eq!(std::fs::read(container.mount().join(name)).unwrap(), b"CANARY-1");
    }
    // As the kubelet renews it.
    container.put_token(&cloud.mint(NAMESPACE, SERVICE_ACCOUNT).unwrap()).unwrap();
    for name in ["a", "b"] {
        container.shows(name, Some(b"CANARY-2")).await.unwrap();
    }
    ends_well(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_its_file_cannot_use_does_not_replace_it() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let running = running(&container, &wanted(None, OnRevoked::Keep)).await;
    let place = StoredPlace::new(ACCOUNT, "shop/a");
    cloud.rotate_secret(&place, VersionSeed::text(r#"{"other":"CANARY-2"}"#)).unwrap();
    fails(&container, "unusable").await;
    assert_eq!(std::fs::read(container.mount().join("a")).unwrap(), b"CANARY-1");
    rotate(&cloud, "shop/a", "CANARY-3");
    container.shows("a", Some(b"CANARY-3")).await.unwrap();
    ends_well(running).await;
}

/// One secret in two files, of which one cannot use the new value, while another secret changes.
#[tokio::test(flavor = "multi_thread")]
async fn all_files_of_one_secret_are_of_one_value() {
    let cloud = cloud().await;
    let put = |text| cloud.put_secret(ACCOUNT, SecretSeed::text("shop/two", text)).unwrap();
    put(r#"{"v":"CANARY-1","w":"CANARY-1"}"#);
    let container = Container::new(&cloud).unwrap();
    let mut builder = builder().unwrap();
    builder.mode(Mode::Refresh(Refresh::new(INTERVAL, None, OnRevoked::Keep).unwrap()));
    let sources = [("x", "kms://shop/two#v"), ("y", "kms://shop/two#w"), ("z", "kms://shop/b#v")];
    let wants = sources.map(|(name, source)| Want::new(name, source));
    let running = running(&container, &plan(builder, &wants).unwrap()).await;
    let place = StoredPlace::new(ACCOUNT, "shop/two");
    cloud.rotate_secret(&place, VersionSeed::text(r#"{"v":"CANARY-2"}"#)).unwrap();
    rotate(&cloud, "shop/b", "CANARY-2");
    container.shows("z", Some(b"CANARY-2")).await.unwrap();
    fails(&container, "unusable").await;
    for name in ["x", "y"] {
        assert_eq!(std::fs::read(container.mount().join(name)).unwrap(), b"CANARY-1", "{name}");
    }
    let whole = VersionSeed::text(r#"{"v":"CANARY-3","w":"CANARY-3"}"#);
    cloud.rotate_secret(&place, whole).unwrap();
    for name in ["x", "y"] {
        container.shows(name, Some(b"CANARY-3")).await.unwrap();
    }
    ends_well(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_secret_stays_goes_or_ends_the_fetcher_as_the_pod_says() {
    let (mut keeping, mut removing, mut ending) = (None, None, None);
    let cases = [
        (OnRevoked::Keep, &mut keeping),
        (OnRevoked::Remove, &mut removing),
        (OnRevoked::Fail, &mut ending),
    ];
    for (on_revoked, slot) in cases {
        let cloud = cloud().await;
        let container = Container::new(&cloud).unwrap();
        let plan = wanted(None, on_revoked);
        let running = running(&container, &plan).await;
        cloud.delete_secret(&StoredPlace::new(ACCOUNT, "shop/a")).unwrap();
        *slot = Some((cloud, container, plan, running));
    }
    let (cloud, container, _, running) = keeping.unwrap();
    fails(&container, "not-found").await;
    assert_eq!(std::fs::read(container.mount().join("a")).unwrap(), b"CANARY-1");
    let log = ends_well(running).await;
    let line = log.lines().find(|line| line.contains("the last good files of a source stay"));
    let line: Value = serde_json::from_str(line.unwrap()).unwrap();
    assert_eq!(line["source"], "kms://shop/a");
    assert_eq!(line["code"], "Forbidden.ResourceNotFound");
    let id = line["request_id"].as_str().unwrap();
    assert!(cloud.requests().iter().any(|entry| entry.request_id == id), "{line}");

    let (cloud, container, plan, mut running) = removing.unwrap();
    container.shows("a", None).await.unwrap();
    fails(&container, "not-found").await;
    // What goes is announced before it does.
    while is_anywhere(&container, "a") {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(is_anywhere(&container, "b"));
    // Started again, it goes on without the one that is gone.
    running.signal(Signal::KILL).unwrap();
    running.ended().await.unwrap();
    let probe = container.run(&plan, &["probe"]).await.unwrap();
    assert_eq!(probe.code(), Some(0), "{}", probe.said());
    let running = container.start(&plan, &["refresh"]).unwrap();
    rotate(&cloud, "shop/b", "CANARY-2");
    container.shows("b", Some(b"CANARY-2")).await.unwrap();
    assert!(!is_anywhere(&container, "a"));
    cloud.put_secret(ACCOUNT, SecretSeed::text("shop/a", r#"{"v":"CANARY-4"}"#)).unwrap();
    container.shows("a", Some(b"CANARY-4")).await.unwrap();
    ends_well(running).await;

    let (_cloud, container, plan, mut running) = ending.unwrap();
    assert_eq!(running.ended().await.unwrap().code(), Some(13), "{}", running.log());
    container.shows("a", None).await.unwrap();
    assert!(!is_anywhere(&container, "a"));
    assert_eq!(status(&container)["sources"][0]["failing"], "not-found");
    let message = std::fs::read_to_string(container.path("dev/termination-log")).unwrap();
    assert!(message.starts_with("kms://shop/a: ") && message.contains("check:"), "{message}");
    // Started again by the kubelet it says the same: the Pod does not recover silently.
    let mut again = container.start(&plan, &["refresh"]).unwrap();
    assert_eq!(again.ended().await.unwrap().code(), Some(13), "{}", again.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_confirms_for_too_long_goes() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let running = running(&container, &wanted(Some(INTERVAL), OnRevoked::Keep)).await;
    refuse(&cloud, Effect::Unavailable);
    container.shows("a", None).await.unwrap();
    assert_eq!(std::fs::read(container.mount().join("b")).unwrap(), b"CANARY-1");
    assert!(running.log().contains("longer than max-staleness"), "{}", running.log());
    cloud.clear_faults();
    container.shows("a", Some(b"CANARY-1")).await.unwrap();
    ends_well(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn started_again_it_continues_from_what_is_there() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let plan = wanted(None, OnRevoked::Keep);
    assert_eq!(container.init(&plan).await.unwrap().code(), Some(0));
    let first = inode(&container, "a");
    // A start that asked for something would have to wait for it.
    refuse(&cloud, Effect::Unavailable);
    let mut running = container.start(&plan, &["refresh"]).unwrap();
    running.says("the files are there already", 1).await.unwrap();
    assert_eq!(inode(&container, "a"), first);
    running.signal(Signal::KILL).unwrap();
    running.ended().await.unwrap();
    cloud.clear_faults();
    let running = container.start(&plan, &["refresh"]).unwrap();
    rotate(&cloud, "shop/b", "CANARY-2");
    container.shows("b", Some(b"CANARY-2")).await.unwrap();
    assert_ne!(inode(&container, "a"), first);
    ends_well(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_file_tells_how_current_each_source_is_and_no_value() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let running = running(&container, &wanted(None, OnRevoked::Keep)).await;
    let told = status(&container);
    assert_eq!(told["sources"][0]["source"], "kms://shop/a");
    assert!(told["sources"][0].get("failing").is_none());
    refuse(&cloud, Effect::Unavailable);
    fails(&container, "unreachable").await;
    let told = status(&container);
    assert!(told["sources"][1].get("failing").is_none(), "{told}");
    ends_well(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_may_be_missing_and_never_was_there_is_no_failure() {
    for on_revoked in [OnRevoked::Keep, OnRevoked::Remove, OnRevoked::Fail] {
        let cloud = cloud().await;
        let container = Container::new(&cloud).unwrap();
        let mut builder = builder().unwrap();
        builder.mode(Mode::Refresh(Refresh::new(INTERVAL, None, on_revoked).unwrap()));
        let wants = [Want::new("a", "kms://shop/later").skipped_if_missing()];
        let plan = plan(builder, &[&wants[..], &[Want::new("b", "kms://shop/b#v")]].concat());
        let running = running(&container, &plan.unwrap()).await;
        rotate(&cloud, "shop/b", "CANARY-2");
        container.shows("b", Some(b"CANARY-2")).await.unwrap();
        assert!(status(&container)["sources"][0].get("failing").is_none());
        cloud.put_secret(ACCOUNT, SecretSeed::text("shop/later", "CANARY-3")).unwrap();
        container.shows("a", Some(b"CANARY-3")).await.unwrap();
        ends_well(running).await;
    }
}

/// One secret in two files, rotated all the time: whoever looks sees two of the same version.
#[tokio::test(flavor = "multi_thread")]
async fn a_reader_sees_one_generation_however_often_it_looks() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let mut builder = builder().unwrap();
    builder.mode(Mode::Refresh(Refresh::new(INTERVAL, None, OnRevoked::Keep).unwrap()));
    let wants = [Want::new("x", "kms://shop/a#v"), Want::new("y", "kms://shop/a#v")];
    let plan = plan(builder, &wants).unwrap();
    let running = running(&container, &plan).await;
    let mount = container.mount();
    let done = Arc::new(AtomicBool::new(false));
    let reader = std::thread::spawn({
        let done = Arc::clone(&done);
        move || {
            let (mut looks, mut seen) = (0_u64, HashSet::new());
            loop {
                let last = done.load(Ordering::Relaxed);
                // The generations follow each other slowly: one that is shown stays long enough.
                let generation = mount.join(std::fs::read_link(mount.join("..data")).unwrap());
                let [x, y] = ["x", "y"].map(|name| std::fs::read(generation.join(name)).unwrap());
                assert!(x == y && x.starts_with(b"CANARY-"), "torn");
                // As applications do: name by name, never missing.
                let [x, y] = ["x", "y"].map(|name| std::fs::read(mount.join(name)).unwrap());
                assert!(x.starts_with(b"CANARY-") && y >= x, "older than before");
                seen.insert(x);
                looks += 1;
                if last {
                    break;
                }
            }
            (looks, seen.len())
        }
    });
    for version in ["CANARY-2", "CANARY-3"] {
        rotate(&cloud, "shop/a", version);
        container.shows("x", Some(version.as_bytes())).await.unwrap();
    }
    done.store(true, Ordering::Relaxed);
    let (looks, versions) = reader.join().unwrap();
    assert!(looks > 1000 && versions == 3, "{looks} looks, {versions} versions");
    ends_well(running).await;
}
