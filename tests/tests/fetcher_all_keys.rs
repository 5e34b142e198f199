//! All keys of several secrets side by side: whoever writes one of them gets at nothing of another.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use lab::cloud::{Cloud, CloudConfig, SecretSeed, Seed, StoredPlace, VersionSeed};
use lab::fetcher::{ACCOUNT, Container, Want, builder, eventually};
use plan::{
    AllKeys, ContainerName, Encoding, Environment, FileMode, KeysTarget, Mode, OnMissing,
    OnRevoked, Plan, Refresh, Selection, VariableRules,
};
use rustix::process::Signal;

async fn cloud() -> Cloud {
    let cloud = Cloud::start(CloudConfig::new(Seed::demo().unwrap())).await.unwrap();
    for (name, text) in [("shop/a", r#"{"one":"CANARY-a"}"#), ("shop/b", r#"{"two":"CANARY-b"}"#)] {
        cloud.put_secret(ACCOUNT, SecretSeed::text(name, text)).unwrap();
    }
    cloud
}

/// All keys of `shop/a`, then of `shop/b`, as files and as variables.
fn wanted(mode: Mode) -> Plan {
    let mut builder = builder().unwrap();
    builder.mode(mode);
    builder.env(Some(Environment { mode: FileMode::ALL, variables: Vec::new() }));
    let mut groups = Vec::new();
    for source in ["kms://shop/a", "kms://shop/b"] {
        let from = builder.lookup(Want::new("", source).lookup().unwrap());
        let app = ContainerName::parse("app").unwrap();
        for become_what in [
            KeysTarget::Files { mode: FileMode::ALL, slash: None },
            KeysTarget::Variables { exec: vec![app] },
        ] {
            groups.push(AllKeys {
                value: Selection { from, select: None },
                prefix: String::new(),
                on_missing: OnMissing::default(),
                encoding: Encoding::default(),
                become_what,
            });
        }
    }
    builder.all_keys(groups, Some(VariableRules::default()));
    builder.build().unwrap()
}

fn rotate(cloud: &Cloud, name: &str, text: &str) {
    cloud.rotate_secret(&StoredPlace::new(ACCOUNT, name), VersionSeed::text(text)).unwrap();
}

/// Waits until applications see this, as a file and as a variable.
async fn shows_two(container: &Container, content: Option<&[u8]>) {
    container.shows("two", content).await.unwrap();
    let variable = container.environment().join("app.two");
    eventually(|| async { Ok(std::fs::read(&variable).ok().as_deref() == content) }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_another_secret_has_is_refused_to_its_author_and_to_nobody_else() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let plan = wanted(Mode::Refresh(Refresh::new(10, None, OnRevoked::Remove).unwrap()));
    let mut running = container.start(&plan, &["refresh"]).unwrap();
    running.says("\"done\"", 1).await.unwrap();
    rotate(&cloud, "shop/a", r#"{"one":"CANARY-a","two":"CANARY-evil"}"#);
    rotate(&cloud, "shop/b", r#"{"two":"CANARY-b-2"}"#);
    shows_two(&container, Some(b"CANARY-b-2")).await;
    // While its files are gone the name is nobody else's, for a process that starts anew neither.
    cloud.delete_secret(&StoredPlace::new(ACCOUNT, "shop/b")).unwrap();
    shows_two(&container, None).await;
    running.signal(Signal::TERM).unwrap();
    assert_eq!(running.ended().await.unwrap().code(), Some(0), "{}", running.log());
    assert!(!running.log().contains("CANARY"), "{}", running.log());
    cloud.put_secret(ACCOUNT, SecretSeed::text("shop/b", r#"{"two":"CANARY-b-3"}"#)).unwrap();
    let running = container.start(&plan, &["refresh"]).unwrap();
    shows_two(&container, Some(b"CANARY-b-3")).await;
    assert!(!running.log().contains("CANARY"), "{}", running.log());
    assert_eq!(std::fs::read(container.mount().join("one")).unwrap(), b"CANARY-a");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_over_what_is_shown_names_the_secret_that_came_later() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let plan = wanted(Mode::Init);
    assert_eq!(container.init(&plan).await.unwrap().code(), Some(0));
    rotate(&cloud, "shop/a", r#"{"one":"CANARY-a","two":"CANARY-evil"}"#);
    let ended = container.init(&plan).await.unwrap();
    assert_eq!(ended.code(), Some(17), "{}", ended.said());
    assert!(ended.headline().contains("kms://shop/a"), "{}", ended.said());
    shows_two(&container, Some(b"CANARY-b")).await;
}
