//! Files made from templates: of several values, of one time, kept current, and refused.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper that fails is a test that fails"
)]

use std::time::Duration;

use lab::cloud::{
    CalledService, Cloud, CloudConfig, Effect, Fault, SecretSeed, Seed, StoredPlace, VersionSeed,
};
use lab::fetcher::{ACCOUNT, Container, REGION, Running, builder};
use plan::{
    AlibabaLookup, FileMode, FileName, FileOptions, Lookup, Mode, OnMissing, OnRevoked, Plan,
    PlanBuilder, Reference, Refresh, Region,
};
use rustix::process::Signal;
use serde_json::Value;

const INTERVAL: u32 = 10;
const PAIR: &str =
    "a={{ secret(\"kms://shop/a#v\") }}\nb={{ secret(\"kms://shop/b\") | fromjson | tojson }}\n";

async fn cloud() -> Cloud {
    let cloud = Cloud::start(CloudConfig::new(Seed::demo().unwrap())).await.unwrap();
    for name in ["shop/a", "shop/b"] {
        cloud.put_secret(ACCOUNT, SecretSeed::text(name, r#"{"v":"CANARY-1"}"#)).unwrap();
    }
    cloud
}

fn pair(a: &str, b: &str) -> Vec<u8> {
    format!("a={a}\nb={{\"v\":\"{b}\"}}\n").into_bytes()
}

fn lookup(source: &str) -> (Lookup, Option<plan::Selector>) {
    let Reference { source, selector } = Reference::parse(source).unwrap();
    let (source, region) = (source.into_alibaba().unwrap(), Region::parse(REGION).unwrap());
    (AlibabaLookup::in_region(source, region).into(), selector)
}

fn file(builder: &mut PlanBuilder, name: &str, source: &str) {
    let (lookup, select) = lookup(source);
    let name = FileName::parse(name).unwrap();
    builder.file(name, lookup, select, FileOptions::new(FileMode::OWNER, OnMissing::Fail));
}

/// As the webhook would write it.
fn template(builder: &mut PlanBuilder, name: &str, text: &str, on_missing: OnMissing) {
    let parsed = template::Template::parse(text).unwrap();
    let secrets = parsed.secrets().iter().map(|secret| {
        let (lookup, select) = lookup(&secret.source);
        (secret.source.clone(), lookup, select)
    });
    let name = FileName::parse(name).unwrap();
    builder.template(
        name,
        text.to_owned(),
        secrets.collect(),
        FileOptions::new(FileMode::OWNER, on_missing),
    );
}

fn of_one(text: &str) -> Plan {
    let mut builder = builder().unwrap();
    template(&mut builder, "t", text, OnMissing::Fail);
    builder.build().unwrap()
}

/// A template of two secrets, and a file of each.
fn refreshed(on_revoked: OnRevoked) -> PlanBuilder {
    let mut builder = builder().unwrap();
    builder.mode(Mode::Refresh(Refresh::new(INTERVAL, None, on_revoked).unwrap()));
    template(&mut builder, "pair", PAIR, OnMissing::Fail);
    file(&mut builder, "a", "kms://shop/a#v");
    file(&mut builder, "b", "kms://shop/b#v");
    builder
}

async fn running(container: &Container, plan: &Plan) -> Running {
    let running = container.start(plan, &["refresh"]).unwrap();
    running.says("\"done\"", 1).await.unwrap();
    running
}

fn rotate(cloud: &Cloud, name: &str, value: &str) {
    let version = VersionSeed::text(&format!(r#"{{"v":"{value}"}}"#));
    cloud.rotate_secret(&StoredPlace::new(ACCOUNT, name), version).unwrap();
}

/// Waits until an ask is over in which the first source failed so.
async fn fails(container: &Container, how: &str) {
    loop {
        let text = std::fs::read_to_string(container.mount().join(".kms-status.json"));
        let text = text.unwrap_or_else(|_| "{}".to_owned());
        assert!(!text.contains("CANARY"), "{text}");
        let status: Value = serde_json::from_str(&text).unwrap();
        if status["sources"][0]["failing"] == how {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn read(container: &Container, name: &str) -> Vec<u8> {
    std::fs::read(container.mount().join(name)).unwrap()
}

async fn ends_well(mut running: Running) -> String {
    running.signal(Signal::TERM).unwrap();
    assert_eq!(running.ended().await.unwrap().code(), Some(0), "{}", running.log());
    let log = running.log();
    assert!(!log.contains("CANARY"), "{log}");
    log
}

#[tokio::test(flavor = "multi_thread")]
async fn values_stand_where_the_template_has_them_and_each_source_is_asked_once() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let mut builder = builder().unwrap();
    let text = "{{ secret(\"shop/a#v\") }} {{ secret(\"kms://shop/a#v\") | quote_shell }}\n{{ secret(\"kms://shop/b\") | dotenv }}";
    template(&mut builder, "t", text, OnMissing::Fail);
    template(&mut builder, "again", "{{ secret(\"kms://shop/a\") | json }}", OnMissing::Fail);
    file(&mut builder, "a", "kms://shop/a");
    let ended = container.init(&builder.build().unwrap()).await.unwrap();
    assert_eq!(ended.code(), Some(0), "{}", ended.said());
    assert_eq!(read(&container, "t"), b"CANARY-1 'CANARY-1'\nv=CANARY-1\n");
    assert_eq!(read(&container, "again"), b"{\n  \"v\": \"CANARY-1\"\n}\n");
    assert_eq!(container.files().unwrap()["t"].mode, 0o400);
    assert_eq!(cloud.counters().requests["kms.GetSecretValue"], 2);
    assert!(!ended.said().contains("CANARY"), "{}", ended.said());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_source_renders_its_templates_again() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let running = running(&container, &refreshed(OnRevoked::Keep).build().unwrap()).await;
    container.shows("pair", Some(&pair("CANARY-1", "CANARY-1"))).await.unwrap();
    rotate(&cloud, "shop/b", "CANARY-2");
    container.shows("pair", Some(&pair("CANARY-1", "CANARY-2"))).await.unwrap();
    assert_eq!(read(&container, "b"), b"CANARY-2");
    ends_well(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_is_never_of_an_old_and_a_new_value_while_one_of_its_sources_is_away() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let running = running(&container, &refreshed(OnRevoked::Fail).build().unwrap()).await;
    cloud.add_fault(Fault::new(Effect::Unavailable).service(CalledService::Kms).subject("shop/a"));
    rotate(&cloud, "shop/a", "CANARY-2");
    rotate(&cloud, "shop/b", "CANARY-2");
    // The file of the source that is well goes on; the template of both waits.
    container.shows("b", Some(b"CANARY-2")).await.unwrap();
    assert_eq!(read(&container, "pair"), pair("CANARY-1", "CANARY-1"));
    fails(&container, "unreachable").await;
    assert_eq!(read(&container, "pair"), pair("CANARY-1", "CANARY-1"));
    cloud.clear_faults();
    // Only the one that failed is due, and the value of the other is not kept: both are asked.
    container.shows("a", Some(b"CANARY-2")).await.unwrap();
    assert_eq!(read(&container, "pair"), pair("CANARY-2", "CANARY-2"));
    ends_well(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_revoked_source_go_its_templates_and_no_other_file() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let plan = refreshed(OnRevoked::Remove).build().unwrap();
    let mut first = running(&container, &plan).await;
    cloud.delete_secret(&StoredPlace::new(ACCOUNT, "shop/a")).unwrap();
    container.shows("pair", None).await.unwrap();
    container.shows("a", None).await.unwrap();
    assert_eq!(read(&container, "b"), b"CANARY-1");
    first.signal(Signal::KILL).unwrap();
    first.ended().await.unwrap();
    let probe = container.run(&plan, &["probe"]).await.unwrap();
    assert_eq!(probe.code(), Some(0), "{}", probe.said());
    let again = container.start(&plan, &["refresh"]).unwrap();
    rotate(&cloud, "shop/b", "CANARY-2");
    container.shows("b", Some(b"CANARY-2")).await.unwrap();
    assert!(!container.mount().join("pair").exists());
    cloud.put_secret(ACCOUNT, SecretSeed::text("shop/a", r#"{"v":"CANARY-3"}"#)).unwrap();
    container.shows("pair", Some(&pair("CANARY-3", "CANARY-2"))).await.unwrap();
    ends_well(again).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_source_that_is_away_for_too_long_go_its_templates_until_it_is_back() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let mut builder = refreshed(OnRevoked::Keep);
    let refresh = Refresh::new(INTERVAL, Some(INTERVAL), OnRevoked::Keep).unwrap();
    builder.mode(Mode::Refresh(refresh));
    let running = running(&container, &builder.build().unwrap()).await;
    cloud.add_fault(Fault::new(Effect::Unavailable).service(CalledService::Kms).subject("shop/a"));
    container.shows("pair", None).await.unwrap();
    container.shows("a", None).await.unwrap();
    rotate(&cloud, "shop/b", "CANARY-2");
    container.shows("b", Some(b"CANARY-2")).await.unwrap();
    assert!(!container.mount().join("pair").exists());
    cloud.clear_faults();
    container.shows("pair", Some(&pair("CANARY-1", "CANARY-2"))).await.unwrap();
    ends_well(running).await;
}

fn of_file(text: &str, file: &str) -> Option<Value> {
    let status: Value = serde_json::from_str(text).unwrap();
    let templates = status["templates"].as_array().cloned().unwrap_or_default();
    templates.into_iter().find(|template| template["file"] == file)
}

/// Waits until the status file says of a template that it fails, and whether its file went.
async fn template_fails(container: &Container, file: &str, removed: bool) {
    loop {
        let text = std::fs::read_to_string(container.mount().join(".kms-status.json")).unwrap();
        assert!(!text.contains("CANARY"), "{text}");
        if of_file(&text, file)
            .is_some_and(|it| it["removed"].as_bool().unwrap_or(false) == removed)
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A template that wants a key which one value has and the next has not, and files beside it.
async fn wants_a_key(cloud: &Cloud, max_staleness: Option<u32>) -> Plan {
    let with_key = VersionSeed::text(r#"{"v":"CANARY-1","w":"CANARY-1"}"#);
    cloud.rotate_secret(&StoredPlace::new(ACCOUNT, "shop/a"), with_key).unwrap();
    let mut builder = refreshed(OnRevoked::Fail);
    let refresh = Refresh::new(INTERVAL, max_staleness, OnRevoked::Fail).unwrap();
    builder.mode(Mode::Refresh(refresh));
    template(&mut builder, "w", "\n{{ json(secret(\"shop/a\")).w }}", OnMissing::Fail);
    builder.build().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_that_cannot_be_rendered_keeps_its_own_file_and_no_other_one() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let running = running(&container, &wants_a_key(&cloud, None).await).await;
    for value in ["CANARY-2", "CANARY-3"] {
        rotate(&cloud, "shop/a", value);
        container.shows("a", Some(value.as_bytes())).await.unwrap();
        container.shows("pair", Some(&pair(value, "CANARY-1"))).await.unwrap();
        assert_eq!(read(&container, "w"), b"\nCANARY-1");
    }
    template_fails(&container, "w", false).await;
    // The source is well.
    let text = std::fs::read_to_string(container.mount().join(".kms-status.json")).unwrap();
    let status: Value = serde_json::from_str(&text).unwrap();
    assert!(status["sources"].as_array().unwrap().iter().all(|source| source["failing"].is_null()));
    let again = VersionSeed::text(r#"{"v":"CANARY-4","w":"CANARY-4"}"#);
    cloud.rotate_secret(&StoredPlace::new(ACCOUNT, "shop/a"), again).unwrap();
    container.shows("w", Some(b"\nCANARY-4")).await.unwrap();
    let log = ends_well(running).await;
    assert_eq!(log.matches("the last good file of a template stays").count(), 1, "{log}");
    assert!(log.contains(r#""file":"w","unconfirmed_s":"#), "{log}");
    assert!(log.contains("line 2: \\\"w\\\" is not defined; wanted for file"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_that_was_not_rendered_for_too_long_goes_alone_and_nobody_waits_for_it() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let plan = wants_a_key(&cloud, Some(INTERVAL)).await;
    let mut first = running(&container, &plan).await;
    rotate(&cloud, "shop/a", "CANARY-2");
    container.shows("w", None).await.unwrap();
    template_fails(&container, "w", true).await;
    assert_eq!(read(&container, "a"), b"CANARY-2");
    assert_eq!(read(&container, "pair"), pair("CANARY-2", "CANARY-1"));
    first.signal(Signal::KILL).unwrap();
    first.ended().await.unwrap();
    let probe = container.run(&plan, &["probe"]).await.unwrap();
    assert_eq!(probe.code(), Some(0), "{}", probe.said());
    let again = container.start(&plan, &["refresh"]).unwrap();
    rotate(&cloud, "shop/a", "CANARY-3");
    container.shows("a", Some(b"CANARY-3")).await.unwrap();
    assert!(!container.mount().join("w").exists());
    let with_key = VersionSeed::text(r#"{"v":"CANARY-4","w":"CANARY-4"}"#);
    cloud.rotate_secret(&StoredPlace::new(ACCOUNT, "shop/a"), with_key).unwrap();
    container.shows("w", Some(b"\nCANARY-4")).await.unwrap();
    ends_well(again).await;
}

/// Each of them is confirmed now and then, and the file is older than any of them tells.
#[tokio::test(flavor = "multi_thread")]
async fn a_template_whose_sources_never_answer_together_fails_though_each_of_them_answers() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let running = running(&container, &refreshed(OnRevoked::Keep).build().unwrap()).await;
    let away = |name: &str| {
        cloud.clear_faults();
        cloud.add_fault(Fault::new(Effect::Unavailable).service(CalledService::Kms).subject(name));
    };
    away("shop/b");
    rotate(&cloud, "shop/a", "CANARY-2");
    rotate(&cloud, "shop/b", "CANARY-2");
    container.shows("a", Some(b"CANARY-2")).await.unwrap();
    template_fails(&container, "pair", false).await;
    away("shop/a");
    container.shows("b", Some(b"CANARY-2")).await.unwrap();
    fails(&container, "unreachable").await;
    assert_eq!(read(&container, "pair"), pair("CANARY-1", "CANARY-1"));
    template_fails(&container, "pair", false).await;
    cloud.clear_faults();
    container.shows("pair", Some(&pair("CANARY-2", "CANARY-2"))).await.unwrap();
    let log = ends_well(running).await;
    let told = "not all of them have answered at one time since; wanted for file";
    assert_eq!(log.matches(told).count(), 1, "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_whose_source_is_missing_is_left_out_where_it_may_be() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let mut builder = refreshed(OnRevoked::Fail);
    let text = "{{ secret(\"shop/a#v\") }}{{ secret(\"shop/later\") }}";
    template(&mut builder, "t", text, OnMissing::Skip);
    let plan = builder.build().unwrap();
    let running = running(&container, &plan).await;
    assert!(!container.mount().join("t").exists());
    assert!(running.log().contains("kms://shop/later"), "{}", running.log());
    cloud.put_secret(ACCOUNT, SecretSeed::text("shop/later", "CANARY-3")).unwrap();
    container.shows("t", Some(b"CANARY-1CANARY-3")).await.unwrap();
    ends_well(running).await;
    let required = of_one(text.replace("later", "never").as_str());
    let ended = Container::new(&cloud).unwrap().init(&required).await.unwrap();
    assert_eq!(ended.code(), Some(13), "{}", ended.said());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_rendered_ends_the_start_by_line_and_without_a_value() {
    let cloud = cloud().await;
    cloud.put_secret(ACCOUNT, SecretSeed::binary("shop/binary", b"CANARY\xff")).unwrap();
    let doubled = format!(
        "{{% set a = secret(\"shop/a\") %}}{}{{{{ a }}}}",
        "{% set a = a ~ a %}".repeat(13)
    );
    let untried =
        format!("{}{{{{ secret(\"shop/a\") ~ json(\"x\") }}}}", "{{ \"a\" | upper }}".repeat(40));
    for (text, words) in [
        ("\n{{ json(secret(\"shop/a\")).nope }}", "line 2: \"nope\" is not defined"),
        ("{{ secret(\"shop/a#nope\") }}", "kms://shop/a#nope: the JMESPath gives nothing"),
        (
            "\nx{{ secret(\"shop/binary\") }}",
            "kms://shop/binary: the value is not UTF-8 text; wanted for line 2 of the template",
        ),
        ("{{ secret(\"shop/a#v\") | json }}", "line 1: a value is not JSON"),
        ("{{ (secret(\"shop/a\") ~ secret(\"shop/b\")) | yaml }}", "kms://shop/a, kms://shop/b: "),
        (
            "{{ {\"a-b\": secret(\"shop/a\")} | dotenv }}",
            "key \"a-b\": it is no name of a variable",
        ),
        (&untried, "line 1: a value is not JSON"),
        (&doubled, "line 1: the file would have more than 65536 bytes"),
    ] {
        let container = Container::new(&cloud).unwrap();
        let ended = container.init(&of_one(text)).await.unwrap();
        assert_eq!(ended.code(), Some(17), "{text}: {}", ended.said());
        assert!(ended.said().contains(words), "{text}: {}", ended.said());
        assert!(ended.message.as_ref().unwrap().contains("file \"t\""), "{}", ended.said());
        assert!(!ended.said().contains("CANARY"), "{}", ended.said());
        assert!(container.files().unwrap().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_that_the_webhook_would_not_have_written_is_a_bad_plan() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let good = of_one("{{ secret(\"shop/a\") }}").encode().unwrap();
    for (text, words) in [
        ("{% for x in 'a' %}{% endfor %}", "line 1: a template has no statement for"),
        ("{{ secret(\\\"shop/b\\\") }}", "line 1: the plan does not have its source"),
        ("text", "uses no secret"),
    ] {
        let plan = good.replace("{{ secret(\\\"shop/a\\\") }}", text);
        assert_ne!(plan, good);
        let ended = container.init(&Plan::decode(&plan).unwrap()).await.unwrap();
        assert_eq!(ended.code(), Some(10), "{text}: {}", ended.said());
        assert!(ended.said().contains(words), "{text}: {}", ended.said());
        assert_eq!(cloud.counters().requests.get("kms.GetSecretValue"), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn get_asks_for_all_that_a_template_is_made_of() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let plan = refreshed(OnRevoked::Keep).build().unwrap();
    let got = container.run(&plan, &["get", "pair"]).await.unwrap();
    assert_eq!(got.code(), Some(0), "{}", got.said());
    assert!(got.stdout.contains("kms://shop/a\n") && got.stdout.contains("kms://shop/b\n"));
    assert!(!got.said().contains("CANARY"));
    let one = container.run(&plan, &["get", "a"]).await.unwrap();
    assert!(!one.stdout.contains("kms://shop/b"), "{}", one.stdout);
}
