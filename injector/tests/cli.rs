//! The command line, the plan, and what is wrong with the container: stories without a cloud.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod common;

use std::fs;
use std::os::unix::fs::symlink;

use ::plan::VERSION;
use common::{Container, MOUNT, TOKEN, plan};

#[test]
fn help_and_version_need_no_plan() {
    let container = Container::new();
    let help = container.run(None, &["--help"]);
    assert_eq!(help.code, Some(0));
    for word in ["init", "get SOURCE", "probe", "--connect-to", "--private-ca", "Exit codes"] {
        assert!(help.stdout.contains(word), "{word}");
    }
    let version = container.run(None, &["--version"]);
    let expected = concat!("secrets-injector ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!((version.code, version.stdout.as_str()), (Some(0), expected));
}

#[test]
fn a_command_line_that_is_not_valid_ends_with_64() {
    let container = Container::new();
    let plan = plan(&["kms://db"]);
    for words in [
        &[][..],
        &["exec", "true"],
        &["init", "--nope"],
        &["init", "more"],
        &["get"],
        &["init", "--connect-to", "nowhere"],
    ] {
        let ended = container.run(Some(&plan), words);
        assert_eq!(ended.code, Some(64), "{words:?}: {}", ended.stderr);
        assert!(ended.stderr.contains("--help") && ended.message.is_none(), "{}", ended.stderr);
    }
}

#[test]
fn a_plan_that_cannot_be_used_ends_with_10_and_is_not_repeated() {
    let good = plan(&["kms://db"]);
    let later = VERSION + 1;
    let version = |version: u64| format!("\"version\":{version}");
    let newer = good.replacen(&version(VERSION), &version(later), 1);
    let broken = good.replacen("kms://db", "kms://CANARY CANARY", 1);
    for (plan, words) in [
        (None, "SECRETS_INJECTOR_PLAN is not set"),
        (Some(""), "not a JSON object"),
        (Some("CANARY"), "not a JSON object"),
        (Some("{\"version\": \"CANARY\"}"), "not a JSON object"),
        (
            Some(newer.as_str()),
            &format!("version {later}, and this fetcher reads version {VERSION}"),
        ),
        (Some(broken.as_str()), "not valid (line 1, column"),
    ] {
        let container = Container::new();
        let ended = container.run(plan, &["init"]);
        assert_eq!(ended.code, Some(10), "{}", ended.stderr);
        let message = ended.message.unwrap();
        assert!(message.contains(words) && message.contains("\n  check: "), "{message}");
        assert!(!format!("{message}{}", ended.stderr).contains("CANARY"), "{message}");
        for command in [&["probe"][..], &["get", "kms://db"]] {
            let ended = Container::new().run(plan, command);
            assert_eq!((ended.code, ended.message), (Some(10), None), "{command:?}");
        }
    }
}

#[test]
fn a_token_file_that_cannot_be_used_ends_with_11_and_each_has_its_words() {
    type Change = fn(&Container);
    let cases: [(Change, &str); 5] = [
        (|c| fs::remove_file(c.path(TOKEN)).unwrap(), "does not exist"),
        (|c| fs::write(c.path(TOKEN), "").unwrap(), "is empty"),
        (|c| fs::write(c.path(TOKEN), " \n").unwrap(), "is empty"),
        (|c| fs::write(c.path(TOKEN), "x".repeat(40_000)).unwrap(), "more than 32768 bytes"),
        (
            |c| {
                fs::remove_file(c.path(TOKEN)).unwrap();
                symlink("/", c.path(TOKEN)).unwrap();
            },
            "is not a regular file",
        ),
    ];
    for (change, words) in cases {
        let container = Container::new();
        change(&container);
        let ended = container.run(Some(&plan(&["kms://db"])), &["init"]);
        assert_eq!(ended.code, Some(11), "{}", ended.stderr);
        let message = ended.message.unwrap();
        let first = message.lines().next().unwrap();
        assert!(first.starts_with("the token file") && first.ends_with(words), "{message}");
        // An empty file shows that the volume is there.
        let volume = message.contains("token volume is mounted");
        assert_eq!(volume, words != "is empty", "{message}");
        assert_eq!(fs::read_dir(container.path(MOUNT)).unwrap().count(), 0);
    }
}

#[test]
fn a_ca_that_cannot_be_used_ends_with_16() {
    let container = Container::new();
    let plan = plan(&["kms://db"]);
    fs::write(container.path("bad.pem"), "CANARY").unwrap();
    for (file, words) in [("no.pem", "does not exist"), ("bad.pem", "no certificate")] {
        let path = container.path(file);
        let ended = container.run(Some(&plan), &["--ca", path.to_str().unwrap(), "init"]);
        assert_eq!(ended.code, Some(16), "{}", ended.stderr);
        assert!(ended.message.unwrap().contains(words), "{}", ended.stderr);
        assert!(!ended.stderr.contains("CANARY"));
    }
    let private = plan.replacen("\"timeout\"", "\"gatewayCa\":\"mounted\",\"timeout\"", 1);
    let ended = container.run(Some(&private), &["init"]);
    assert_eq!(ended.code, Some(16));
    assert!(ended.message.unwrap().contains("etc/kms-ca/ca.crt does not exist"));
}

#[test]
fn the_last_line_of_the_log_says_why() {
    let container = Container::new();
    fs::remove_file(container.path(TOKEN)).unwrap();
    let ended = container.run(Some(&plan(&["kms://db"])), &["init"]);
    let last: serde_json::Value =
        serde_json::from_str(ended.stderr.lines().last().unwrap()).unwrap();
    assert_eq!(last["level"], "ERROR");
    assert_eq!(last["message"].as_str(), ended.message.as_deref());
    assert_eq!(last["exit_code"], 11);
}

#[test]
fn probe_waits_for_every_file_of_the_current_generation() {
    let container = Container::new();
    let plan = plan(&["kms://db", "kms://token", "oos://flags"]);
    let probe = || container.run(Some(&plan), &["probe"]);
    let not_ready = |words: &str| {
        let ended = probe();
        assert_eq!(ended.code, Some(1), "{}", ended.stdout);
        assert!(ended.stdout.contains(words), "{}", ended.stdout);
        assert_eq!((ended.stdout.lines().count(), ended.message), (1, None));
    };
    not_ready("no files were written yet");
    let generation = container.path(MOUNT).join("..2026_01_01_00_00_00.000000000");
    fs::create_dir(&generation).unwrap();
    symlink(generation.file_name().unwrap(), container.path(MOUNT).join("..data")).unwrap();
    not_ready("not ready: not there: file \"db\", file \"token\", file \"flags\"\n");
    for name in ["db", "token", "flags"] {
        fs::write(generation.join(name), "").unwrap();
        // Held, but not under the name that applications open.
        not_ready(&format!("file {name:?}"));
        symlink(format!("..data/{name}"), container.path(MOUNT).join(name)).unwrap();
    }
    let ready = probe();
    assert_eq!((ready.code, ready.stdout.as_str()), (Some(0), "3 files of the plan are there\n"));
    fs::remove_file(generation.join("flags")).unwrap();
    not_ready("not there: file \"flags\"\n");
    fs::remove_dir_all(container.path(MOUNT)).unwrap();
    not_ready("does not exist");
}

#[test]
fn get_knows_the_sources_of_the_plan_only() {
    let container = Container::new();
    let plan = plan(&["kms://db", "oos://flags?version=2"]);
    for asked in ["kms://other", "oos://flags", "db2", "../db", "kms://db?stage=ACSPrevious"] {
        let ended = container.run(Some(&plan), &["get", asked]);
        assert_eq!(ended.code, Some(64), "{asked}: {}", ended.stderr);
        assert!(ended.stderr.contains("kms://db, oos://flags?version=2"), "{}", ended.stderr);
    }
}
