//! From annotations to what is made of values beside writing them whole: parts with their numbers,
//! bytes of text, all keys, directories, and variables from templates.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper that fails is a test that fails"
)]

use std::collections::BTreeMap;
use std::fs;

use lab::cloud::{Cloud, CloudConfig, SecretSeed, Seed, StoredPlace, VersionSeed};
use lab::fetcher::{ACCOUNT, Container, Ended, NAMESPACE};
use lab::stage::pod;
use lab::webhook_process::WebhookProcess;
use plan::Plan;
use serde_json::{Value, json};

const NUMBERS: &str = r#"{"amount":1.50,"rate":1e5,"big":123456789012345678901234567890,"nested":{"b":1.0,"a":[1, 2e0]},"users":[{"name":"bob","age":31},{"name":"eve","age":19}]}"#;
const APP: &str = r#"{"user":"app","pass":"CANARY é","port":5432,"api-key":"CANARY-2","on":true,"hosts":["a","b"]}"#;

async fn cloud() -> Cloud {
    let cloud = Cloud::start(CloudConfig::new(Seed::demo().unwrap())).await.unwrap();
    for (name, value) in [
        ("shop/numbers", NUMBERS),
        ("shop/app", APP),
        ("shop/env", r#"{"USER":"app","PASS":"CANARY","N":1.50}"#),
        ("shop/keystore", "/u3+7QAAAAIAAAAB\nAAAAAQ==\n"),
        ("shop/code", r#"{"LD_PRELOAD":"/x.so"}"#),
        ("shop/null", r#"{"a":null}"#),
        ("shop/text", "CANARY text"),
        ("shop/dotted", r#"{"spring.datasource.password":"CANARY"}"#),
    ] {
        cloud.put_secret(ACCOUNT, SecretSeed::text(name, value)).unwrap();
    }
    cloud
}

/// The injected Pod, and the plan that our container has.
async fn injected(pod: &Value) -> (Value, Plan) {
    let webhook = WebhookProcess::start(&[]).await.unwrap();
    let injected = webhook.admit(pod, NAMESPACE).await.unwrap();
    let ours = ["initContainers", "containers"]
        .iter()
        .filter_map(|list| injected["spec"][list].as_array())
        .flatten()
        .find(|container| container["name"].as_str().unwrap().starts_with("kms-secrets"))
        .unwrap();
    let plan = ours["env"][0]["value"].as_str().unwrap();
    let plan = Plan::decode(plan).unwrap();
    (injected, plan)
}

fn with_command(annotations: &[(&str, &str)]) -> Value {
    let mut pod = pod(annotations);
    pod["spec"]["containers"][0]["command"] = json!(["/app"]);
    pod
}

async fn ran(cloud: &Cloud, annotations: &[(&str, &str)]) -> (Container, Ended) {
    let (_, plan) = injected(&with_command(annotations)).await;
    let container = Container::new(cloud).unwrap();
    let ended = container.init(&plan).await.unwrap();
    assert!(!ended.said().contains("CANARY"), "{}", ended.said());
    (container, ended)
}

fn texts(container: &Container) -> BTreeMap<String, String> {
    let files = container.files().unwrap().into_iter();
    let text = |content: Vec<u8>| String::from_utf8(content).unwrap();
    let shown = files.filter(|(name, _)| !name.starts_with(".kms-"));
    shown.map(|(name, seen)| (name, text(seen.content))).collect()
}

/// The start ends for what is in a secret, with these words.
async fn unusable(cloud: &Cloud, annotations: &[(&str, &str)], words: &str) {
    let (_, ended) = ran(cloud, annotations).await;
    assert_eq!(ended.code(), Some(17), "{annotations:?}: {}", ended.said());
    assert!(ended.said().contains(words), "{annotations:?}: {}", ended.said());
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_stay_as_they_are_written_and_whole_ones_whole() {
    let secrets = r#"
amount: kms://shop/numbers#amount
rate: kms://shop/numbers#rate
big: kms://shop/numbers#big
nested: kms://shop/numbers#nested
second: kms://shop/numbers#nested.a[1]
sum: "kms://shop/numbers#sum(users[].age)"
mean: "kms://shop/numbers#avg(users[].age)"
text: "kms://shop/numbers#to_string(amount)"
first: "kms://shop/numbers#users[?name=='bob'].{u: name}[0].u"
"#;
    let (container, ended) = ran(&cloud().await, &[("secrets", secrets)]).await;
    assert_eq!(ended.code(), Some(0), "{}", ended.said());
    let found = texts(&container);
    for (name, text) in [
        ("amount", "1.50"),
        ("rate", "1e5"),
        ("big", "123456789012345678901234567890"),
        ("nested", r#"{"a":[1,2e0],"b":1.0}"#),
        ("second", "2e0"),
        ("sum", "50"),
        ("mean", "25"),
        ("text", "1.50"),
        ("first", "bob"),
    ] {
        assert_eq!(found[name], text, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_would_lose_digits_and_a_key_with_dots_end_the_start_with_words() {
    let cloud = cloud().await;
    for (secrets, words) in [
        ("a: \"kms://shop/numbers#abs(big)\"", "more digits than can be kept"),
        (
            "a: kms://shop/dotted#spring.datasource.password",
            "put it into double quotes: #\"spring.datasource.password\"",
        ),
    ] {
        let (_, ended) = ran(&cloud, &[("secrets", secrets)]).await;
        assert_eq!(ended.code(), Some(17), "{}", ended.said());
        assert!(ended.said().contains(words), "{}", ended.said());
    }
    let quoted = "a: 'kms://shop/dotted#\"spring.datasource.password\"'";
    let (container, _) = ran(&cloud, &[("secrets", quoted)]).await;
    assert_eq!(texts(&container)["a"], "CANARY");
}

#[tokio::test(flavor = "multi_thread")]
async fn text_in_base64_becomes_the_bytes_that_it_stands_for() {
    let cloud = cloud().await;
    let secrets = "store.jks: {source: kms://shop/keystore, encoding: base64}";
    let (container, ended) = ran(&cloud, &[("secrets", secrets)]).await;
    assert_eq!(ended.code(), Some(0), "{}", ended.said());
    let bytes = b"\xfe\xed\xfe\xed\0\0\0\x02\0\0\0\x01\0\0\0\x01";
    assert_eq!(fs::read(container.mount().join("store.jks")).unwrap(), bytes);
    let list = "- objectName: shop/keystore\n  objectAlias: s\n  objectEncoding: base64";
    let (container, _) = ran(&cloud, &[("secrets", list)]).await;
    assert_eq!(fs::read(container.mount().join("s")).unwrap(), bytes);
    let (_, ended) =
        ran(&cloud, &[("secrets", "a: {source: kms://shop/text, encoding: base64}")]).await;
    assert_eq!(ended.code(), Some(17), "{}", ended.said());
    assert!(ended.headline().contains("not text in base64"), "{}", ended.said());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_key_of_a_secret_becomes_a_file() {
    let cloud = cloud().await;
    let secrets = "\"*\": {source: kms://shop/app, prefix: app-}\nuser: kms://shop/app#user";
    let (container, ended) = ran(&cloud, &[("secrets", secrets)]).await;
    assert_eq!(ended.code(), Some(0), "{}", ended.said());
    let found = texts(&container);
    let wanted = [
        ("app-api-key", "CANARY-2"),
        ("app-hosts", r#"["a","b"]"#),
        ("app-on", "true"),
        ("app-pass", "CANARY é"),
        ("app-port", "5432"),
        ("app-user", "app"),
        ("user", "app"),
    ];
    let wanted = wanted.map(|(name, text)| (name.to_owned(), text.to_owned()));
    assert_eq!(found, BTreeMap::from(wanted));
    for (secrets, words) in [
        ("\"*\": kms://shop/text", "is not JSON"),
        ("\"*\": kms://shop/app#hosts", "no JSON object"),
        ("\"*\": kms://shop/null", "the key \"a\" is null"),
        ("\"*\": kms://shop/app\nuser: kms://shop/text", "makes \"user\", which is there already"),
    ] {
        unusable(&cloud, &[("secrets", secrets)], words).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_key_of_a_secret_becomes_a_variable_and_none_that_runs_code() {
    let cloud = cloud().await;
    let env = "\"*\": {source: kms://shop/env, prefix: APP_}";
    let (injected, plan) = injected(&with_command(&[("env", env)])).await;
    let command = &injected["spec"]["containers"][0]["command"];
    let container = Container::new(&cloud).unwrap();
    let ended = container.init(&plan).await.unwrap();
    assert_eq!(ended.code(), Some(0), "{}", ended.said());
    let required = command[4].as_str().unwrap();
    let environ = |required: &str| {
        let mut command =
            container.exec_requiring("app", required, &["/bin/cat", "/proc/self/environ"]);
        let output = command.env_clear().output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        (output.status.code(), text.split_terminator('\0').map(str::to_owned).collect::<Vec<_>>())
    };
    let (code, found) = environ(required);
    assert_eq!(
        (code, found.join(" ")),
        (Some(0), "APP_N=1.50 APP_PASS=CANARY APP_USER=app".to_owned())
    );
    // Once they were taken away, the application does not start with fewer.
    assert_eq!(environ("*7").0, Some(16));
    for (env, words) in [
        ("\"*\": kms://shop/code", "the key \"LD_PRELOAD\" would be the variable LD_PRELOAD"),
        ("\"*\": kms://shop/app", "the key \"api-key\" makes no variable"),
        ("\"*\": kms://shop/env\nUSER: kms://shop/text", "which is there already"),
    ] {
        unusable(&cloud, &[("env", env)], words).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_keys_come_and_go_with_the_secret_and_stay_while_it_is_out_of_reach() {
    let cloud = cloud().await;
    cloud.put_secret(ACCOUNT, SecretSeed::text("shop/a", r#"{"one":"1","two":"2"}"#)).unwrap();
    let annotations = [
        ("secrets", "\"*\": kms://shop/a\ntext: kms://shop/text"),
        ("mode", "refresh"),
        ("refresh-interval", "10s"),
    ];
    let (_, plan) = injected(&with_command(&annotations)).await;
    let container = Container::new(&cloud).unwrap();
    let running = container.start(&plan, &["refresh"]).unwrap();
    running.says("\"done\"", 1).await.unwrap();
    container.shows("one", Some(b"1")).await.unwrap();
    let place = StoredPlace::new(ACCOUNT, "shop/a");
    let version = VersionSeed::text(r#"{"two":"3","three":"3"}"#);
    cloud.rotate_secret(&place, version).unwrap();
    running.says("the files were replaced", 1).await.unwrap();
    let names = || texts(&container).into_keys().collect::<Vec<_>>().join(" ");
    assert_eq!(names(), "text three two");
    // The value no longer has keys: what it had stays, while another source changes.
    cloud.rotate_secret(&place, VersionSeed::text("none")).unwrap();
    cloud.rotate_secret(&StoredPlace::new(ACCOUNT, "shop/text"), VersionSeed::text("new")).unwrap();
    running.says("the files were replaced", 2).await.unwrap();
    container.shows("text", Some(b"new")).await.unwrap();
    assert_eq!(names(), "text three two");
    assert_eq!(texts(&container)["three"], "3");
    assert_eq!(container.run(&plan, &["probe"]).await.unwrap().code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_two_secrets_that_come_to_make_one_variable_hold_nothing_else_up() {
    let cloud = cloud().await;
    for (name, value) in [("shop/one", r#"{"ONE":"1"}"#), ("shop/two", r#"{"TWO":"2"}"#)] {
        cloud.put_secret(ACCOUNT, SecretSeed::text(name, value)).unwrap();
    }
    let annotations = [
        ("secrets", "text: kms://shop/text"),
        ("env", "\"*\": kms://shop/one"),
        ("env.app", "\"*\": kms://shop/two"),
        ("mode", "refresh"),
        ("refresh-interval", "10s"),
    ];
    let (_, plan) = injected(&with_command(&annotations)).await;
    let container = Container::new(&cloud).unwrap();
    let running = container.start(&plan, &["refresh"]).unwrap();
    running.says("\"done\"", 1).await.unwrap();
    let change = |name: &str, value: &str| {
        cloud.rotate_secret(&StoredPlace::new(ACCOUNT, name), VersionSeed::text(value)).unwrap();
    };
    change("shop/one", r#"{"ONE":"1","TWO":"3"}"#);
    change("shop/text", "new");
    running.says("the files were replaced", 1).await.unwrap();
    container.shows("text", Some(b"new")).await.unwrap();
    running.says("which is there already", 1).await.unwrap();
    // Once they are apart again both are as they are at KMS.
    change("shop/one", r#"{"ONE":"4"}"#);
    change("shop/two", r#"{"TWO":"5"}"#);
    running.says("the files were replaced", 2).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn with_translation_off_files_are_in_directories_that_change_at_one_instant() {
    let cloud = cloud().await;
    let annotations = [
        ("secrets", "- kms://shop/text\n- objectName: shop/app\n  objectAlias: a/b/app.json"),
        ("path-translation", "False"),
        ("run-as-user", "1000"),
    ];
    let (container, ended) = ran(&cloud, &annotations).await;
    assert_eq!(ended.code(), Some(0), "{}", ended.said());
    let read = |path: &str| fs::read_to_string(container.mount().join(path)).unwrap();
    assert_eq!(
        (read("shop/text"), read("a/b/app.json")),
        ("CANARY text".to_owned(), APP.to_owned())
    );
    let link = fs::read_link(container.mount().join("shop")).unwrap();
    assert_eq!(link.to_str(), Some("..data/shop"));
    // A second start finds everything as it is, and a third one removes what is not wanted.
    let (_, plan) = injected(&with_command(&annotations)).await;
    let again = container.init(&plan).await.unwrap();
    assert!(again.log.contains("\"changed\":false"), "{}", again.said());
    let fewer = [("secrets", "- kms://shop/text"), ("path-translation", "False")];
    let (_, plan) = injected(&with_command(&fewer)).await;
    container.init(&plan).await.unwrap();
    assert!(!container.mount().join("a").exists());
    // The generation before has a file that is not wanted, and is gone with its directories.
    let generations = container.entries().unwrap().into_iter();
    let generations: Vec<_> = generations.filter(|name| name.starts_with("..2")).collect();
    assert_eq!(generations.len(), 1, "{generations:?}");
    assert_eq!(read("shop/text"), "CANARY text");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_has_the_name_of_a_directory_is_told() {
    let cloud = cloud().await;
    let annotations = [
        ("secrets", "user/app.txt: kms://shop/text\n\"*\": kms://shop/app"),
        ("path-translation", "False"),
    ];
    unusable(&cloud, &annotations, "makes \"user\", which is there already").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_variable_is_put_together_by_a_template() {
    let cloud = cloud().await;
    let env = "DATABASE_URL: {template: \"postgres://app:{{ secret('kms://shop/app#pass') | urlencode }}@db/shop\"}\nUSER_NAME: kms://shop/app#user";
    let (container, ended) = ran(&cloud, &[("env", env)]).await;
    assert_eq!(ended.code(), Some(0), "{}", ended.said());
    let output =
        container.exec("app", &["/bin/sh", "-c", "echo $DATABASE_URL $USER_NAME"]).output();
    let out = String::from_utf8(output.unwrap().stdout).unwrap();
    assert_eq!(out, "postgres://app:CANARY%20%C3%A9@db/shop app\n");
    let missing = "A: {template: \"{{ json(secret('kms://shop/app')).nope }}\"}";
    let (_, ended) = ran(&cloud, &[("env", missing)]).await;
    assert_eq!(ended.code(), Some(17), "{}", ended.said());
    assert!(ended.headline().contains("variable A"), "{}", ended.said());
}
