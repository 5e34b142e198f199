//! A fetcher that is killed at any step of its writing leaves what was there or what was to come,
//! whole; one to which the kernel says no leaves what was there. The next one goes on from it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper that fails is a test that fails"
)]
#![allow(clippy::print_stderr, reason = "a story that cannot be told here says so")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use lab::cloud::{Cloud, CloudConfig, SecretSeed, Seed, StoredPlace, VersionSeed};
use lab::fetcher::{ACCOUNT, Container, Strike, SystemCall, Want, builder, plan};
use plan::{Mode, OnRevoked, Plan, Refresh};
use rustix::process::Signal;
use tokio::task::JoinSet;

/// What an application can read: by name, mode and content, and the mode of the directory.
type Shown = (BTreeMap<String, (u32, Vec<u8>)>, u32);

async fn cloud() -> Option<Cloud> {
    if !Container::can_trace().await {
        let why = "no process can be traced here: strace is missing, or ptrace is not allowed";
        assert!(std::env::var_os("CI").is_none(), "{why}");
        eprintln!("skipped: {why}");
        return None;
    }
    let cloud = Cloud::start(CloudConfig::new(Seed::demo().unwrap())).await.unwrap();
    cloud.put_secret(ACCOUNT, SecretSeed::text("shop/a", &value(1))).unwrap();
    Some(cloud)
}

/// More than one page, so that half of it would be noticed.
fn value(version: u32) -> String {
    format!(r#"{{"v":"CANARY-{version}-{}"}}"#, version.to_string().repeat(9000))
}

fn rotate(cloud: &Cloud, version: u32) {
    let place = StoredPlace::new(ACCOUNT, "shop/a");
    cloud.rotate_secret(&place, VersionSeed::text(&value(version))).unwrap();
}

/// A plan of one secret, so that all files change together.
fn wanted(names: &[&str]) -> Plan {
    let want = |name: &&str| {
        let selector = if *name == "whole" { "" } else { "#v" };
        let mode = if *name == "b" { "0440" } else { "0400" };
        Want::new(name, &format!("kms://shop/a{selector}")).mode(mode)
    };
    let mut builder = builder().unwrap();
    // One more step; root may give files to any group, others to their own.
    let own = rustix::process::getegid().as_raw();
    builder.group(Some(if own == 0 { 2000 } else { own }));
    plan(builder, &names.iter().map(want).collect::<Vec<_>>()).unwrap()
}

fn shown(container: &Container) -> Shown {
    let mut files = BTreeMap::new();
    for name in container.entries().unwrap().into_iter().filter(|name| !name.starts_with('.')) {
        let path = container.mount().join(&name);
        // A name whose time has not come leads nowhere.
        let Ok(content) = fs::read(&path) else { continue };
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        files.insert(name, (mode, content));
    }
    let current = container.mount().join("..data");
    let mode = fs::metadata(&current).map_or(0, |stat| stat.permissions().mode() & 0o777);
    // By the directory an application sees the same.
    let is_file = |entry: &fs::DirEntry| !entry.file_name().to_string_lossy().starts_with('.');
    let listed = fs::read_dir(current).map_or(0, |all| all.flatten().filter(is_file).count());
    assert_eq!(listed, files.len(), "{:?}", container.entries());
    (files, mode)
}

/// Everything below a directory, with what would show that it was touched.
fn everything(directory: &Path) -> Vec<(String, u64, u32, i64)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let stat = fs::symlink_metadata(&path).unwrap();
        found.push((path.display().to_string(), stat.ino(), stat.mode(), stat.mtime_nsec()));
        if stat.is_dir() {
            found.extend(everything(&path));
        }
    }
    found.sort();
    found
}

/// Nothing but the files, the generation that is shown and at most the one before it, and in both
/// nothing that is not wanted.
fn is_tidy(container: &Container, names: &[&str]) {
    let (mut visible, mut generations) = (Vec::new(), 0);
    for name in container.entries().unwrap() {
        if name.starts_with("..2") {
            generations += 1;
            for held in fs::read_dir(container.mount().join(name)).unwrap() {
                let held = held.unwrap().file_name().into_string().unwrap();
                assert!(names.contains(&held.as_str()), "{held}");
            }
        } else if name != "..data" {
            visible.push(name);
        }
    }
    assert_eq!(visible, names, "{:?}", container.entries());
    assert!((1..=2).contains(&generations), "{:?}", container.entries());
}

/// A mount that shows `old`, while the cloud has what `new` is to show.
struct Scene {
    cloud: Cloud,
    old: Option<Plan>,
    new: Plan,
    names: &'static [&'static str],
}

impl Scene {
    async fn set(&self) -> Container {
        let container = Container::in_memory(&self.cloud).unwrap();
        if let Some(old) = &self.old {
            for version in [1, 2] {
                rotate(&self.cloud, version);
                assert_eq!(container.init(old).await.unwrap().code(), Some(0));
            }
        }
        rotate(&self.cloud, 3);
        container
    }

    /// The calls of a run that nobody disturbs, and what it makes of the mount.
    async fn undisturbed(&self) -> (Vec<SystemCall>, Shown, Shown) {
        let container = self.set().await;
        let before = shown(&container);
        let ended = container.run_traced(&self.new, &["init"], None).await.unwrap();
        assert_eq!(ended.code(), Some(0), "{}", ended.said());
        is_tidy(&container, self.names);
        let calls = container.calls().unwrap();
        assert!(calls.iter().filter(|call| call.changes()).count() > 12, "{calls:#?}");
        (calls, before, shown(&container))
    }

    /// Whatever was left: it becomes what is wanted, and nothing else stays.
    async fn goes_on(&self, container: &Container, after: &Shown, call: &SystemCall) {
        let ended = container.init(&self.new).await.unwrap();
        assert_eq!(ended.code(), Some(0), "{call:?}: {}", ended.said());
        assert!(shown(container) == *after, "{call:?}: {:?}", container.entries());
        is_tidy(container, self.names);
    }

    async fn survives(&self) {
        let (calls, before, after) = self.undisturbed().await;
        let mut seen = [0, 0];
        for call in calls.iter().filter(|call| call.changes()) {
            let container = self.set().await;
            let ended = container.run_traced(&self.new, &["init"], Some(Strike::Kill(call)));
            assert_eq!(ended.await.unwrap().code(), None, "{call:?} was not the end");
            let now = shown(&container);
            assert!(now == before || now == after, "{call:?}: {:?}", container.entries());
            seen[usize::from(now == after)] += 1;
            self.goes_on(&container, &after, call).await;
        }
        assert!(seen[0] > 6 && (seen[1] > 0 || self.old.is_none()), "{seen:?}");
    }

    async fn takes_a_no(&self) {
        let (calls, before, after) = self.undisturbed().await;
        let mut failed = 0;
        let errors = ["ENOSPC", "EIO", "EACCES"];
        for (call, errno) in calls.iter().flat_map(|call| errors.map(|errno| (call, errno))) {
            let container = self.set().await;
            let untouched = everything(&container.mount());
            let strike = Some(Strike::Error(call, errno));
            let ended = container.run_traced(&self.new, &["init"], strike).await.unwrap();
            assert!(container.was_struck().unwrap(), "{call:?} was not reached");
            let code = ended.code();
            assert!(matches!(code, Some(0 | 16)), "{call:?} {errno}: {}", ended.said());
            assert!(!ended.said().contains("CANARY"), "{}", ended.said());
            if code == Some(16) {
                // What it cannot do without.
                assert_eq!(everything(&container.mount()), untouched, "{call:?} {errno}");
                assert!(shown(&container) == before, "{call:?}");
                failed += 1;
            } else {
                assert!(shown(&container) == after, "{call:?} {errno}");
            }
            self.goes_on(&container, &after, call).await;
        }
        assert!(failed > 12, "{failed}");
    }
}

/// All at the same time: the first look of each comes within the shortest interval that there is.
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_step_of_taking_a_revoked_secret_away_it_is_taken_away_later() {
    const STATUS: &str = ".kms-status.json";
    let Some(cloud) = cloud().await else { return };
    let put = |name, text| cloud.put_secret(ACCOUNT, SecretSeed::text(name, text)).unwrap();
    let place = StoredPlace::new(ACCOUNT, "shop/a");
    put("shop/b", "CANARY-1");
    let mut builder = builder().unwrap();
    builder.mode(Mode::Refresh(Refresh::new(10, None, OnRevoked::Remove).unwrap()));
    let wants = [Want::new("a", "kms://shop/a#v"), Want::new("b", "kms://shop/b")];
    let plan = plan(builder, &wants).unwrap();

    let undisturbed = Container::in_memory(&cloud).unwrap();
    assert_eq!(undisturbed.init(&plan).await.unwrap().code(), Some(0));
    let before = shown(&undisturbed);
    cloud.delete_secret(&place).unwrap();
    let mut running = undisturbed.start_traced(&plan, &["refresh"], None).unwrap();
    undisturbed.shows("a", None).await.unwrap();
    let changes = async || loop {
        // The status at the start, the one that tells what goes, the files, the status again.
        let calls = undisturbed.calls().unwrap();
        if calls.iter().filter(|call| call.name == "renameat").count() >= 4 {
            break calls.into_iter().filter(SystemCall::changes).collect::<Vec<_>>();
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    let calls = changes().await;
    undisturbed.kill_traced().unwrap();
    running.ended().await.unwrap();
    let after = shown(&undisturbed);

    put("shop/a", &value(1));
    let mut containers = Vec::new();
    for call in calls {
        let container = Container::in_memory(&cloud).unwrap();
        assert_eq!(container.init(&plan).await.unwrap().code(), Some(0));
        containers.push((container, call));
    }
    cloud.delete_secret(&place).unwrap();
    let mut killed = JoinSet::new();
    for (container, call) in containers {
        let strike = Some(Strike::Kill(&call));
        let mut running = container.start_traced(&plan, &["refresh"], strike).unwrap();
        killed.spawn(async move {
            let status = running.ended().await.unwrap();
            assert_eq!(status.code(), None, "{call:?} was not the end: {}", running.log());
            (container, call)
        });
    }
    let killed = killed.join_all().await;
    for (container, call) in &killed {
        let now = shown(container);
        assert!(now == before || now == after, "{call:?}: {:?}", container.entries());
    }
    let version = VersionSeed::text("CANARY-2");
    cloud.rotate_secret(&StoredPlace::new(ACCOUNT, "shop/b"), version).unwrap();
    let mut going_on = JoinSet::new();
    for (container, call) in killed {
        let mut running = container.start(&plan, &["refresh"]).unwrap();
        going_on.spawn(async move {
            for (name, content) in [("b", Some(&b"CANARY-2"[..])), ("a", None)] {
                let shows = container.shows(name, content).await;
                assert!(shows.is_ok(), "{call:?}: {}", running.log());
            }
            running.signal(Signal::TERM).unwrap();
            assert_eq!(running.ended().await.unwrap().code(), Some(0), "{}", running.log());
            is_tidy(&container, &[".kms-generation", STATUS, "b"]);
            let status = fs::read_to_string(container.mount().join(STATUS)).unwrap();
            assert!(status.contains(r#""removed":true"#), "{call:?}: {status}");
        });
    }
    assert!(going_on.join_all().await.len() > 12);
}

async fn first_fill() -> Option<Scene> {
    let names = &["a", "b", "whole"];
    Some(Scene { cloud: cloud().await?, old: None, new: wanted(names), names })
}

async fn replacement() -> Option<Scene> {
    let names = &["a", "b", "whole"];
    Some(Scene { cloud: cloud().await?, old: Some(wanted(names)), new: wanted(names), names })
}

/// One file goes, another one comes.
async fn removal() -> Option<Scene> {
    let (old, names) = (wanted(&["a", "b", "whole"]), &["a", "c", "whole"]);
    Some(Scene { cloud: cloud().await?, old: Some(old), new: wanted(names), names })
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_step_of_the_first_fill_it_leaves_nothing_or_everything() {
    let Some(scene) = first_fill().await else { return };
    scene.survives().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_step_of_a_replacement_it_leaves_the_old_or_the_new() {
    let Some(scene) = replacement().await else { return };
    scene.survives().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_step_of_a_removal_it_leaves_the_old_or_the_new() {
    let Some(scene) = removal().await else { return };
    scene.survives().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_kernel_refuses_the_first_fill_leaves_nothing_or_everything() {
    let Some(scene) = first_fill().await else { return };
    scene.takes_a_no().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_kernel_refuses_a_replacement_leaves_the_old_or_the_new() {
    let Some(scene) = replacement().await else { return };
    scene.takes_a_no().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_kernel_refuses_a_removal_leaves_the_old_or_the_new() {
    let Some(scene) = removal().await else { return };
    scene.takes_a_no().await;
}
