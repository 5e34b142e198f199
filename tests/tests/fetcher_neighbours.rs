//! What another process of the fetcher's user, in another container of the Pod, does to it.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::path::PathBuf;
use std::process::Command;

use lab::cloud::{Cloud, CloudConfig, SecretSeed, Seed, StoredPlace, VersionSeed};
use lab::fetcher::{ACCOUNT, Container, Running, Want, builder, plan};
use lab::lease::can_be_leased;
use plan::{Mode, OnRevoked, Plan, Refresh};
use rustix::process::Signal;

async fn cloud() -> Cloud {
    let cloud = Cloud::start(CloudConfig::new(Seed::demo().unwrap())).await.unwrap();
    for name in ["shop/a", "shop/b"] {
        cloud.put_secret(ACCOUNT, SecretSeed::text(name, "CANARY-1")).unwrap();
    }
    cloud
}

fn wanted() -> Plan {
    let mut builder = builder().unwrap();
    builder.mode(Mode::Refresh(Refresh::new(10, None, OnRevoked::Keep).unwrap()));
    plan(builder, &[Want::new("a", "kms://shop/a"), Want::new("b", "kms://shop/b")]).unwrap()
}

/// A process whose files are there.
async fn running(container: &Container) -> Running {
    let running = container.start(&wanted(), &["refresh"]).unwrap();
    running.says("\"done\"", 1).await.unwrap();
    running
}

#[tokio::test(flavor = "multi_thread")]
async fn who_lowers_its_limits_ends_it_and_does_not_keep_it_standing_still() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let mut running = running(&container).await;
    let pid = running.pid().unwrap().to_string();
    let lowered = Command::new("prlimit").args(["--nofile=1:1", "--pid", &pid]).status();
    assert!(lowered.unwrap().success());
    assert_eq!(running.ended().await.unwrap().code(), Some(16), "{}", running.log());
    assert!(running.log().contains("RLIMIT_NOFILE"), "{}", running.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_a_lease_on_files_that_are_shown() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let mut first = running(&container).await;
    let [a, b] = ["a", "b"].map(|name| container.mount().join(name));
    let leased = |path: &PathBuf| can_be_leased(path).unwrap();
    assert!(!leased(&a) && !leased(&b));
    let place = StoredPlace::new(ACCOUNT, "shop/a");
    cloud.rotate_secret(&place, VersionSeed::text("CANARY-2")).unwrap();
    container.shows("a", Some(b"CANARY-2")).await.unwrap();
    first.says("replaced", 1).await.unwrap();
    assert!(!leased(&a) && !leased(&b));
    first.signal(Signal::TERM).unwrap();
    first.ended().await.unwrap();
    assert!(leased(&a) && leased(&b), "the file system knows no leases");
    let again = container.start(&wanted(), &["refresh"]).unwrap();
    again.says("the files are there already", 1).await.unwrap();
    assert!(!leased(&a) && !leased(&b));
}
