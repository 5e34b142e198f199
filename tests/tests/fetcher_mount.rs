//! What the fetcher does when the mount is missing, read-only, full, or somebody else's.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]
#![allow(clippy::print_stderr, reason = "a story that cannot be told here says so")]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::time::Duration;

use lab::cloud::{Cloud, CloudConfig, SecretSeed, Seed, StoredPlace, VersionSeed};
use lab::fetcher::{ACCOUNT, Container, Ended, Running, Want, builder, eventually, plan};
use plan::{FileMode, FileName, FileOptions, Mode, OnMissing, OnRevoked, Plan, Refresh};
use rustix::process::Signal;

async fn cloud() -> Cloud {
    let cloud = Cloud::start(CloudConfig::new(Seed::demo().unwrap())).await.unwrap();
    let large = "CANARY x".repeat(8 * 1024);
    cloud.put_secret(ACCOUNT, SecretSeed::text("shop/large", &large)).unwrap();
    cloud
}

fn wanted() -> Plan {
    let wants = [Want::new("db", "kms://shop/db"), Want::new("large", "kms://shop/large")];
    plan(builder().unwrap(), &wants).unwrap()
}

fn ended_locally(ended: &Ended, words: &str) {
    assert_eq!(ended.code(), Some(16), "{}", ended.said());
    assert!(ended.headline().contains(words), "no {words:?} in: {}", ended.said());
    assert!(ended.message.as_deref().unwrap().contains("\n  check: "), "{}", ended.said());
    for secret in ["CANARY", "demo-second"] {
        assert!(!ended.said().contains(secret), "{}", ended.said());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mount_that_is_missing_or_no_directory_is_named() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    fs::remove_dir(container.mount()).unwrap();
    let ended = container.init(&wanted()).await.unwrap();
    ended_locally(&ended, "mnt/secrets-store does not exist");
    fs::write(container.mount(), "").unwrap();
    let ended = container.init(&wanted()).await.unwrap();
    ended_locally(&ended, "mnt/secrets-store is not a directory");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_somebody_else_wrote_is_kept() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    fs::write(container.mount().join("large"), "theirs").unwrap();
    let ended = container.init(&wanted()).await.unwrap();
    ended_locally(&ended, "\"large\" is in the mount already");
    assert_eq!(container.entries().unwrap(), ["large"]);
    assert_eq!(fs::read(container.mount().join("large")).unwrap(), b"theirs");
}

fn skipped(why: &str) {
    assert!(std::env::var_os("CI").is_none(), "{why}");
    eprintln!("skipped: {why}");
}

/// Namespaces for an ordinary user can be turned off.
async fn on_a_volume(container: &Container, mount: &str) -> Option<Ended> {
    let ended = container.init_on_a_volume(&wanted(), mount, "ls -A").await.unwrap();
    let possible = !ended.log.starts_with("unshare:") && !ended.log.starts_with("mount:");
    if !possible {
        skipped(&format!("no volume can be mounted here: {}", ended.log));
    }
    possible.then_some(ended)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_mount_is_left_as_it_was() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let Some(ended) = on_a_volume(&container, "mount -t tmpfs -o size=16k lab \"$MOUNT\"").await
    else {
        return;
    };
    ended_locally(&ended, "could not write \"large\": the mount is full");
    assert_eq!(ended.stdout, "", "something was left behind");
}

/// A fetcher on a volume of 72 KiB of its own, as far as one can be mounted here.
async fn on_a_small_volume(container: &Container, plan: &Plan) -> Option<Running> {
    let mount = container.mount().display().to_string();
    let script = format!("/usr/bin/mount -t tmpfs -o size=72k lab '{mount}'; exec \"$@\"");
    let under = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-ec", &script, "sh"];
    let running = container.start_under(&under, plan, &["refresh"]).unwrap();
    let says = |words: &str| running.log().contains(words);
    while !says("\"done\"") {
        if says("unshare:") || says("mount:") {
            skipped(&format!("no volume can be mounted here: {}", running.log()));
            return None;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Some(running)
}

/// Waits for what an application would see.
async fn shows(container: &Container, running: &Running, name: &str, content: Option<&[u8]>) {
    let (pid, mount) = (running.pid().unwrap(), container.mount());
    let path = format!("/proc/{pid}/root{}/{name}", mount.display());
    let is = || async { Ok(fs::read(&path).ok().as_deref() == content) };
    eventually(is).await.unwrap_or_else(|_| panic!("{name}: {}", running.log()));
}

fn large(cloud: &Cloud, letter: &str, pages: usize) -> Vec<u8> {
    let text = format!("CANARY {letter}").repeat(pages * 512);
    let place = StoredPlace::new(ACCOUNT, "shop/large");
    cloud.rotate_secret(&place, VersionSeed::text(&text)).unwrap();
    text.into_bytes()
}

async fn ends_well(mut running: Running) {
    running.signal(Signal::TERM).unwrap();
    assert_eq!(running.ended().await.unwrap().code(), Some(0), "{}", running.log());
    assert!(!running.log().contains("CANARY"), "{}", running.log());
}

/// Where there is no room for a third generation the one before goes, and where there is none for a second
/// one, what is to go is gone all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_mount_that_is_filled_keeps_nothing_old() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let mut builder = builder().unwrap();
    builder.mode(Mode::Refresh(Refresh::new(10, None, OnRevoked::Remove).unwrap()));
    let wants = [Want::new("db", "kms://shop/db"), Want::new("large", "kms://shop/large")];
    let plan = plan(builder, &wants).unwrap();
    large(&cloud, "0", 4);
    let Some(running) = on_a_small_volume(&container, &plan).await else { return };
    for (letter, pages) in [("1", 4), ("2", 4), ("3", 8)] {
        let text = large(&cloud, letter, pages);
        shows(&container, &running, "large", Some(&text)).await;
    }
    // Now one generation takes more than half of the volume.
    cloud.delete_secret(&StoredPlace::new(ACCOUNT, "shop/db")).unwrap();
    shows(&container, &running, "db", None).await;
    let text = large(&cloud, "4", 1);
    shows(&container, &running, "large", Some(&text)).await;
    ends_well(running).await;
}

/// What a template was made of is older than the Pod allows, and nothing else goes that would take it along.
#[tokio::test(flavor = "multi_thread")]
async fn a_template_that_is_too_old_goes_from_a_full_mount_too() {
    let cloud = cloud().await;
    let put = |text: &str| cloud.put_secret(ACCOUNT, SecretSeed::text("shop/key", text)).unwrap();
    put(r#"{"key": "CANARY-1"}"#);
    let container = Container::new(&cloud).unwrap();
    let mut builder = builder().unwrap();
    builder.mode(Mode::Refresh(Refresh::new(10, Some(30), OnRevoked::Keep).unwrap()));
    let (name, source) = (FileName::parse("t").unwrap(), "kms://shop/key");
    let text = format!("{{{{ json(secret(\"{source}\")).key }}}}");
    let secret = (source.to_owned(), Want::new("t", source).lookup().unwrap(), None);
    let options = FileOptions::new(FileMode::OWNER, OnMissing::Fail);
    builder.template(name, text, vec![secret], options);
    let plan = plan(builder, &[Want::new("large", "kms://shop/large")]).unwrap();
    large(&cloud, "0", 4);
    let Some(running) = on_a_small_volume(&container, &plan).await else { return };
    let text = large(&cloud, "1", 8);
    shows(&container, &running, "large", Some(&text)).await;
    shows(&container, &running, "t", Some(b"CANARY-1")).await;
    // There is no room for it, now and later.
    large(&cloud, "2", 8);
    put("{}");
    shows(&container, &running, "t", None).await;
    shows(&container, &running, "large", Some(&text)).await;
    ends_well(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_mount_is_named() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let Some(ended) = on_a_volume(&container, "mount -t tmpfs -o ro lab \"$MOUNT\"").await else {
        return;
    };
    ended_locally(&ended, "the mount is read-only");
    assert_eq!(ended.stdout, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_volume_with_room_shows_that_the_stories_above_can_go_well() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let Some(ended) = on_a_volume(&container, "mount -t tmpfs -o size=1m lab \"$MOUNT\"").await
    else {
        return;
    };
    assert_eq!(ended.code(), Some(0), "{}", ended.said());
    assert_eq!(ended.stdout.lines().filter(|line| !line.starts_with("..")).count(), 2);
}

/// As the kubelet prepares a volume for `fsGroup`: the group's, setgid and sticky.
#[tokio::test(flavor = "multi_thread")]
async fn the_group_of_the_pod_reads_what_another_user_wrote() {
    const GROUP: u32 = 2000;
    const READER: [&str; 3] = ["--reuid=1234", "--regid=1234", "--groups=2000"];
    const STRANGER: [&str; 3] = ["--reuid=1234", "--regid=1234", "--clear-groups"];
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let mount = container.mount();
    if std::os::unix::fs::chown(&mount, None, Some(GROUP)).is_err() {
        return skipped("only root can hand a volume to another group");
    }
    fs::set_permissions(&mount, fs::Permissions::from_mode(0o3777)).unwrap();
    let mut builder = builder().unwrap();
    builder.group(Some(GROUP));
    let plan = plan(builder, &[Want::new("db", "kms://shop/db#port").mode("0440")]).unwrap();
    let fetcher = ["--reuid=65532", "--regid=65532", "--groups=2000"];
    for changed in [true, false] {
        let ended = container.init_as(&plan, &fetcher).await.unwrap();
        assert_eq!(ended.code(), Some(0), "{}", ended.said());
        assert!(ended.log.contains(&format!(r#""changed":{changed}"#)), "{}", ended.log);
    }
    for (path, mode) in [("..data", 0o750), ("db", 0o440)] {
        let stat = fs::metadata(mount.join(path)).unwrap();
        assert_eq!((stat.uid(), stat.gid(), stat.mode() & 0o777), (65_532, GROUP, mode), "{path}");
    }
    for (who, reads) in [(READER, true), (STRANGER, false)] {
        let mut cat = std::process::Command::new("setpriv");
        let output = cat.args(who).arg("cat").arg(mount.join("db")).output().unwrap();
        assert_eq!(output.stdout == b"5432", reads, "{output:?}");
    }
}
