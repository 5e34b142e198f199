//! A fetcher that is killed at any step of writing files and variables leaves in each of the two
//! volumes what was there or what was to come, whole, and the program with which applications start.
//! The next one goes on from it.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]
#![allow(clippy::print_stderr, reason = "a story that cannot be told here says so")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use lab::cloud::{Cloud, CloudConfig, SecretSeed, Seed, StoredPlace, VersionSeed};
use lab::fetcher::{ACCOUNT, Container, Strike, SystemCall, Want, builder, plan};
use plan::contract::ENVIRONMENT_PROGRAM;
use plan::{
    ContainerName, Environment, FileMode, Plan, Reference, Selection, Variable, VariableName,
};

/// A volume as its readers see it, by name, mode and content; and of whom `..data` lets in.
type Shown = (BTreeMap<String, (u32, Vec<u8>)>, u32);

const FILES: [&str; 2] = ["a", "whole"];
const VARIABLES: [&str; 3] = ["app.ONE", "app.WHOLE", "side.ONE"];
/// Says both of its variables; nothing where it has none.
const APPLICATION: [&str; 3] = ["/bin/sh", "-c", "printf '%s' \"$ONE$WHOLE\""];

async fn cloud() -> Option<Cloud> {
    if !Container::can_trace().await {
        let why = "no process can be traced here: strace is missing, or ptrace is not allowed";
        assert!(std::env::var_os("CI").is_none(), "{why}");
        eprintln!("skipped: {why}");
        return None;
    }
    let cloud = Cloud::start(CloudConfig::new(Seed::demo().unwrap())).await.unwrap();
    cloud.put_secret(ACCOUNT, SecretSeed::text("shop/a", &whole(1))).unwrap();
    Some(cloud)
}

/// More than one page, so that half of it would be noticed.
fn one(version: u32) -> String {
    format!("CANARY-{version}-{}", version.to_string().repeat(9000))
}

fn whole(version: u32) -> String {
    format!(r#"{{"v":"{}"}}"#, one(version))
}

fn rotate(cloud: &Cloud, version: u32) {
    let place = StoredPlace::new(ACCOUNT, "shop/a");
    cloud.rotate_secret(&place, VersionSeed::text(&whole(version))).unwrap();
}

/// A plan of one secret, so that all variables change together.
fn wanted() -> Plan {
    let mut builder = builder().unwrap();
    let from = builder.lookup(Want::new("v", "kms://shop/a").lookup().unwrap());
    let containers = |names: &[&str]| {
        names.iter().map(|name| ContainerName::parse(name).unwrap()).collect::<Vec<_>>()
    };
    let variable = |name, source, read: &[&str]| {
        let name = VariableName::parse(name).unwrap();
        let value = Selection { from, select: Reference::parse(source).unwrap().selector };
        let variable = Variable::of_value(name, value, containers(&["app"]));
        Variable { file_key_ref: containers(read), ..variable }
    };
    let variables =
        vec![variable("ONE", "kms://shop/a#v", &["side"]), variable("WHOLE", "kms://shop/a", &[])];
    builder.env(Some(Environment { mode: FileMode::ALL, variables }));
    let wants = [Want::new("a", "kms://shop/a#v"), Want::new("whole", "kms://shop/a")];
    plan(builder, &wants).unwrap()
}

/// What is in a volume beside the program.
fn names(volume: &Path) -> Vec<String> {
    let all = fs::read_dir(volume).unwrap();
    let mut names: Vec<_> =
        all.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| !name.starts_with(ENVIRONMENT_PROGRAM));
    names.sort();
    names
}

fn shown(volume: &Path) -> Shown {
    let mut files = BTreeMap::new();
    for name in names(volume).into_iter().filter(|name| !name.starts_with("..")) {
        let path = volume.join(&name);
        // A name whose time has not come leads nowhere.
        let Ok(content) = fs::read(&path) else { continue };
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        files.insert(name, (mode, content));
    }
    let current = volume.join("..data");
    let mode = fs::metadata(&current).map_or(0, |stat| stat.permissions().mode() & 0o777);
    // By the directory a reader sees the same.
    let listed = if mode == 0 { Vec::new() } else { names(&current) };
    assert_eq!(listed, files.keys().cloned().collect::<Vec<_>>(), "{:?}", names(volume));
    (files, mode)
}

fn volumes(container: &Container) -> [Shown; 2] {
    [shown(&container.mount()), shown(&container.environment())]
}

/// What an application says that starts now; nothing where it does not start yet.
fn says(container: &Container) -> Option<String> {
    let output = match container.exec("app", &APPLICATION).output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        output => output.unwrap(),
    };
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!said.contains("CANARY"), "{said}");
    match output.status.code() {
        Some(0) => Some(String::from_utf8(output.stdout).unwrap()),
        code => {
            assert!(code == Some(16) && said.contains("no variables were written yet"), "{said}");
            None
        }
    }
}

/// Nothing but what is wanted, the generation that is shown and at most the one before it.
fn is_tidy(container: &Container) {
    for (volume, wanted) in
        [(container.mount(), &FILES[..]), (container.environment(), &VARIABLES[..])]
    {
        let (ours, visible): (Vec<_>, Vec<_>) =
            names(&volume).into_iter().partition(|name| name.starts_with(".."));
        assert_eq!(visible, wanted);
        // `..data` is one of them.
        assert!((2..=3).contains(&ours.len()), "{ours:?}");
    }
    let unfinished = format!("{ENVIRONMENT_PROGRAM}_tmp");
    assert!(!container.environment().join(unfinished).exists());
}

/// The cloud has version 3; the volumes have version 2, or nothing.
async fn prepared(cloud: &Cloud, filled: bool) -> Container {
    let container = Container::in_memory(cloud).unwrap();
    if filled {
        for version in [1, 2] {
            rotate(cloud, version);
            assert_eq!(container.init(&wanted()).await.unwrap().code(), Some(0));
        }
    }
    rotate(cloud, 3);
    container
}

async fn survives(cloud: &Cloud, filled: bool) {
    let plan = wanted();
    let undisturbed = prepared(cloud, filled).await;
    let (before, said_before) = (volumes(&undisturbed), says(&undisturbed));
    let ended = undisturbed.run_traced(&plan, &["init"], None).await.unwrap();
    assert_eq!(ended.code(), Some(0), "{}", ended.said());
    let (after, said_after) = (volumes(&undisturbed), says(&undisturbed));
    assert_eq!(said_before, filled.then(|| one(2) + &whole(2)));
    assert_eq!(said_after, Some(one(3) + &whole(3)));
    is_tidy(&undisturbed);
    let calls = undisturbed.calls().unwrap();
    let changes: Vec<&SystemCall> = calls.iter().filter(|call| call.changes()).collect();
    drop(undisturbed);
    // As each volume was left: how often as before, and how often as after.
    let mut left = [[0, 0], [0, 0]];
    for call in changes {
        let container = prepared(cloud, filled).await;
        let ended = container.run_traced(&plan, &["init"], Some(Strike::Kill(call)));
        assert_eq!(ended.await.unwrap().code(), None, "{call:?} was not the end");
        let now = volumes(&container);
        for (((now, before), after), left) in now.iter().zip(&before).zip(&after).zip(&mut left) {
            assert!(now == before || now == after, "{call:?}: {:?}", now.0.keys());
            let [old, new] = left;
            *if now == after { new } else { old } += 1;
        }
        let said = says(&container);
        assert!(said == said_before || said == said_after, "{call:?}");
        let ended = container.init(&plan).await.unwrap();
        assert_eq!(ended.code(), Some(0), "{call:?}: {}", ended.said());
        assert!(volumes(&container) == after && says(&container) == said_after, "{call:?}");
        is_tidy(&container);
    }
    // The first fill has nothing to tidy up behind its last step.
    let [[old_files, new_files], [old_env, new_env]] = left;
    assert!(old_files > 6 && new_files > 6 && old_env > 12, "{left:?}");
    assert!(new_env > 0 || !filled, "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_step_of_the_first_fill_each_volume_has_nothing_or_everything() {
    let Some(cloud) = cloud().await else { return };
    survives(&cloud, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_step_of_a_replacement_each_volume_has_the_old_or_the_new() {
    let Some(cloud) = cloud().await else { return };
    survives(&cloud, true).await;
}
