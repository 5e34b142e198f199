//! What a newcomer runs first: the demo, and the examples.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use lab::binary::beside;
use lab::cloud::{Cloud, CloudConfig, Seed};
use lab::fetcher::NAMESPACE;
use lab::kubelet::Sandbox;
use lab::stage::Stage;
use lab::{manifest, webhook_process};
use tokio::process::Command;

const EXAMPLES: [&str; 2] = ["pod.yaml", "deployment.yaml"];

/// Every value of the demo, and the one it rotates to; parts, where a value is JSON.
const VALUES: [&str; 8] = [
    "demo-first-password",
    "demo-second-password",
    "demo-third-password",
    "this stands for a key",
    "the demo role may not read this",
    "demo-api-token",
    "newCheckout",
    "demo-partner-key",
];

async fn output(mut command: Command) -> Output {
    command.env_clear().stdin(Stdio::null()).kill_on_drop(true);
    tokio::time::timeout(Duration::from_secs(60), command.output()).await.unwrap().unwrap()
}

async fn webhook(words: &[&str], example: &str) -> Output {
    webhook_on(words, &manifest::example(example)).await
}

async fn webhook_on(words: &[&str], manifest: &Path) -> Output {
    let mut command = webhook_process::command().unwrap();
    command.args(words).arg(manifest).args(["--setting", "clusterId=demo"]);
    output(command).await
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_succeeds_and_shows_no_value_and_no_color_to_a_pipe() {
    let mut command = Command::new(beside("secrets-lab").unwrap());
    command.arg("demo");
    let ended = output(command).await;
    let (said, errors) = (text(&ended.stdout), text(&ended.stderr));
    assert!(ended.status.success(), "{said}{errors}");
    assert_eq!(errors, "");
    assert!(said.contains("All as promised"), "{said}");
    for step in 1..=10 {
        let heading = format!("{step:>2}  ");
        assert!(said.lines().any(|line| line.starts_with(&heading)), "no step {step}: {said}");
    }
    assert!(!said.contains('\x1b'), "{said}");
    for value in VALUES {
        assert!(!said.contains(value), "{value} was shown");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_fails_and_says_where_when_a_step_is_not_as_told() {
    let (lab, webhook) = (beside("secrets-lab").unwrap(), beside("secrets-webhook").unwrap());
    // Links and no copies: a program that is being written cannot be started.
    let directory = tempfile::tempdir_in(lab.parent().unwrap()).unwrap();
    let bin = directory.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let place = |program: &Path, name: &str| {
        std::fs::hard_link(program, bin.join(name)).unwrap();
    };
    let demo = async || {
        let mut command = Command::new(bin.join("secrets-lab"));
        command.arg("demo");
        output(command).await
    };
    place(&lab, "secrets-lab");
    let ended = demo().await;
    assert_eq!(ended.status.code(), Some(1));
    assert!(text(&ended.stderr).contains("starting: no secrets-webhook beside"), "{ended:?}");

    place(&webhook, "secrets-webhook");
    // The wrong program in the place of the fetcher.
    place(&webhook, "secrets-injector");
    let ended = demo().await;
    assert_eq!(ended.status.code(), Some(1));
    let errors = text(&ended.stderr);
    assert!(errors.contains("fetching: the fetcher ended with Some(64)"), "{errors}");
    assert!(!text(&ended.stdout).contains("All as promised"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_pass_the_check_without_a_warning() {
    for example in EXAMPLES {
        let ended = webhook(&["check", "-f"], example).await;
        let said = text(&ended.stdout);
        assert!(ended.status.success(), "{example}: {said}{}", text(&ended.stderr));
        assert_eq!(said, "1 Pod template checked, 1 annotated\n", "{example}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_offline_command_and_the_server_make_the_same_pod() {
    let stage = Stage::start().await.unwrap();
    let ended = webhook(&["inject", "-f"], "pod.yaml").await;
    assert!(ended.status.success(), "{}", text(&ended.stderr));
    let offline = manifest::parse(&text(&ended.stdout)).unwrap();
    let pod = manifest::read(&manifest::example("pod.yaml")).unwrap();
    let served = stage.webhook.admit(&pod[0], NAMESPACE).await.unwrap();
    assert_eq!(offline, [served]);
}

/// The files of a manifest's first container, by name.
async fn files_of(cloud: &Cloud, manifest: &Path) -> BTreeMap<String, Vec<u8>> {
    let ended = webhook_on(&["inject", "-f"], manifest).await;
    assert!(ended.status.success(), "{}", text(&ended.stderr));
    let documents = manifest::parse(&text(&ended.stdout)).unwrap();
    let pod = documents.iter().find_map(manifest::pod_of).unwrap();
    let sandbox = Sandbox::new(cloud, &pod, NAMESPACE).unwrap();
    let ended = sandbox.run().await.unwrap();
    assert_eq!(ended.code(), Some(0), "{}", ended.said());
    let files = sandbox.files("app").unwrap();
    files.into_iter().map(|(name, seen)| (name, seen.content)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_lead_to_the_files_that_they_name() {
    let cloud = Cloud::start(CloudConfig::new(Seed::demo().unwrap())).await.unwrap();
    let deployment = files_of(&cloud, &manifest::example("deployment.yaml")).await;
    let names: Vec<_> = deployment.keys().map(String::as_str).collect();
    assert_eq!(names, ["db-password", "db-user", "db.json", "shop-api-token", "shop_tls-key"]);
    assert_eq!(deployment["db-password"], b"demo-second-password");
    assert!(deployment["shop_tls-key"].starts_with(&[0, 1, 2, 3]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workload_that_moved_from_the_csi_provider_finds_the_bytes_of_its_secrets() {
    let cloud = Cloud::start(CloudConfig::new(Seed::demo().unwrap())).await.unwrap();
    let read = |name: &str| {
        let path = manifest::example("migrating").join(name);
        std::fs::read_to_string(path).unwrap()
    };
    let old = read("csi-files-old.yaml");
    let (account, _) = old.split_once("---\n").unwrap();
    // Once is enough here: nothing is rotated.
    let new = read("csi-files-new.yaml");
    let once: Vec<_> = new.lines().filter(|it| !it.contains("refresh")).collect();
    let directory = tempfile::tempdir().unwrap();
    let both = directory.path().join("both.yaml");
    std::fs::write(&both, format!("{account}---\n{}\n", once.join("\n"))).unwrap();

    let files = files_of(&cloud, &both).await;
    let bytes = |name: &str| files[name].as_slice();
    assert_eq!(files.len(), 6, "{:?}", files.keys());
    let whole = |password: &str| {
        format!(r#"{{"username":"shop","password":"demo-{password}-password","port":5432}}"#)
    };
    assert_eq!(bytes("shop-db"), whole("second").as_bytes());
    assert_eq!(bytes("db-previous.json"), whole("first").as_bytes());
    assert_eq!(bytes("db-user"), b"shop");
    assert_eq!(bytes("db-password"), b"demo-second-password");
    assert!(bytes("tls.key").starts_with(&[0, 1, 2, 3]));
    assert_eq!(bytes("shop-api-token"), b"demo-api-token");
}
