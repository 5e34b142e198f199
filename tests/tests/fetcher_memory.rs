//! The memory of a fetcher that stays: no value is in it any more that was replaced, and it does
//! not leave for a disk where the container may keep it from that. Only root may look into it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a helper that fails is a test that fails"
)]

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::process::Command;
use std::time::Duration;

use lab::agent::{self, Served};
use lab::cloud::{Cloud, CloudConfig, SecretSeed, Seed, StoredPlace, VersionSeed};
use lab::fetcher::{ACCOUNT, Container, Running, Want, builder, plan};
use memchr::memmem;
use plan::{CacheTtl, FileMode, FileName, FileOptions, Mode, OnMissing, OnRevoked, Plan, Refresh};

const INTERVAL: u32 = 10;
/// How often everything changes.
const ROUNDS: usize = 4;
/// What values are made into: written as they are, picked from JSON, put into a template.
const USES: [&str; 3] = ["plain", "picked", "templated"];

fn skipped(why: &str) {
    assert!(std::env::var_os("CI").is_none(), "{why}");
    eprintln!("skipped: {why}");
}

fn value(name: &str, round: usize) -> String {
    format!("CANARY-{name}-of-round-{round}-{name}")
}

fn text(name: &str, round: usize) -> String {
    let value = value(name, round);
    if name == "plain" { value } else { format!(r#"{{"user":"app","v":"{value}"}}"#) }
}

async fn cloud() -> Cloud {
    let cloud = Cloud::start(CloudConfig::new(Seed::demo().unwrap())).await.unwrap();
    for name in USES {
        let secret = SecretSeed::text(&format!("shop/{name}"), &text(name, 0));
        cloud.put_secret(ACCOUNT, secret).unwrap();
    }
    cloud
}

fn wanted() -> Plan {
    let mut builder = builder().unwrap();
    builder.mode(Mode::Refresh(Refresh::new(INTERVAL, None, OnRevoked::Keep).unwrap()));
    let source = "kms://shop/templated";
    let asked = (source.to_owned(), Want::new("templated", source).lookup().unwrap(), None);
    let shown = format!("{{{{ json(secret(\"{source}\")).v }}}}");
    let (name, mode) = (FileName::parse("templated").unwrap(), FileMode::parse("0400").unwrap());
    builder.template(name, shown, vec![asked], FileOptions::new(mode, OnMissing::Fail));
    let wants =
        [Want::new("plain", "kms://shop/plain"), Want::new("picked", "kms://shop/picked#v")];
    plan(builder, &wants).unwrap()
}

async fn running(container: &Container, under: &[&str]) -> Running {
    let running = container.start_under(under, &wanted(), &["refresh"]).unwrap();
    running.says("\"done\"", 1).await.unwrap();
    running
}

/// Which of these are in the memory of a process, and in which part of it.
fn found(pid: u32, wanted: &[String]) -> Vec<String> {
    let memory = File::open(format!("/proc/{pid}/mem")).unwrap();
    let mut found = Vec::new();
    for line in fs::read_to_string(format!("/proc/{pid}/maps")).unwrap().lines() {
        let (range, rest) = line.split_once(' ').unwrap();
        let (from, to) = range.split_once('-').unwrap();
        let [from, to] = [from, to].map(|end| u64::from_str_radix(end, 16).unwrap());
        // What the kernel keeps for itself cannot be read.
        if !rest.starts_with('r') || line.ends_with("[vvar]") {
            continue;
        }
        let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
        if memory.read_exact_at(&mut bytes, from).is_ok() {
            let is_there = |value: &&String| memmem::find(&bytes, value.as_bytes()).is_some();
            found.extend(wanted.iter().filter(is_there).map(|value| format!("{value} in {line}")));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_was_replaced_is_nowhere_in_memory() {
    if !rustix::process::geteuid().is_root() {
        return skipped("only root may read the memory of a fetcher");
    }
    let cloud = cloud().await;
    let container = Container::in_memory(&cloud).unwrap();
    let running = running(&container, &[]).await;
    for round in 1..=ROUNDS {
        rotate(&cloud, round);
        for name in USES {
            container.shows(name, Some(value(name, round).as_bytes())).await.unwrap();
        }
    }
    has_none_but_the_last(running.pid().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_agent_served_is_nowhere_in_memory_once_it_was_replaced() {
    if !rustix::process::geteuid().is_root() {
        return skipped("only root may read the memory of a fetcher");
    }
    let cloud = cloud().await;
    let mut agent = agent::wanted(&["shop/*"]).unwrap();
    agent.cache_ttl = CacheTtl::new(1).unwrap();
    let served = Served::start(&cloud, agent, &[], &[]).await.unwrap();
    for round in 0..=ROUNDS {
        if round > 0 {
            rotate(&cloud, round);
        }
        for name in USES {
            let target = format!("/secretsmanager/get?secretId=shop/{name}");
            // An answer is kept for a second.
            while served.get(&target).await.unwrap().value().unwrap() != text(name, round) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    has_none_but_the_last(served.running.pid().unwrap());
}

fn rotate(cloud: &Cloud, round: usize) {
    for name in USES {
        let place = StoredPlace::new(ACCOUNT, &format!("shop/{name}"));
        cloud.rotate_secret(&place, VersionSeed::text(&text(name, round))).unwrap();
    }
}

fn has_none_but_the_last(pid: u32) {
    // That something is found shows that it is looked for in the right place.
    let now: Vec<String> = USES.iter().map(|name| value(name, ROUNDS)).collect();
    assert!(!found(pid, &now).is_empty(), "the values that are shown");
    let all = (0..ROUNDS).flat_map(|round| USES.map(|name| value(name, round)));
    assert_eq!(found(pid, &all.collect::<Vec<_>>()), Vec::<String>::new());
}

fn locked_kilobytes(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmLck:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_is_locked_where_the_limit_leaves_room_for_all_of_it() {
    let cloud = cloud().await;
    // Where it is small, allocations would fail: nothing is locked, and all goes on.
    for limit in ["--memlock=0:0", "--memlock=65536:65536"] {
        let container = Container::in_memory(&cloud).unwrap();
        let bound = running(&container, &["prlimit", limit]).await;
        assert_eq!(locked_kilobytes(bound.pid().unwrap()), 0, "{limit}");
    }
    // Not even root may raise it everywhere, so that CI may leave this out.
    let unlimited = "--memlock=unlimited:unlimited";
    if !Command::new("prlimit").args([unlimited, "true"]).status().is_ok_and(|ran| ran.success()) {
        eprintln!("skipped: the limit of locked memory cannot be raised here");
        return;
    }
    let container = Container::in_memory(&cloud).unwrap();
    let free = running(&container, &["prlimit", unlimited]).await;
    let pid = free.pid().unwrap();
    assert!(locked_kilobytes(pid) > 1024, "{} kB", locked_kilobytes(pid));
}
