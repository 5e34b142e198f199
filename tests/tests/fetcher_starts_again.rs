//! A container whose first fetch did not come to its end in time starts again, and goes on with what it
//! got: a service that is short of answers is not asked for the same twice.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper that fails is a test that fails"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use lab::cloud::{Cloud, CloudConfig, Effect, Fault, SecretSeed, Seed};
use lab::fetcher::{ACCOUNT, Container, Ended, Want, builder, plan};
use plan::{Batches, KmsBatches, Plan};

const LEFT: &str = "..unfinished";
const THROTTLED: i32 = 14;

async fn cloud() -> Cloud {
    let cloud = Cloud::start(CloudConfig::new(Seed::demo().unwrap())).await.unwrap();
    for number in 0..5 {
        let (name, value) = (format!("shop/s{number}"), format!("CANARY of {number}\n"));
        cloud.put_secret(ACCOUNT, SecretSeed::text(&name, &value)).unwrap();
    }
    cloud.put_secret(ACCOUNT, SecretSeed::binary("shop/binary", b"CANARY\xff\n\0")).unwrap();
    cloud
}

fn wants() -> Vec<Want> {
    let secret = |number| Want::new(&format!("f{number}"), &format!("kms://shop/s{number}"));
    let mut wants: Vec<Want> = (0..5).map(secret).collect();
    wants.push(Want::new("binary", "kms://shop/binary"));
    wants
}

fn hasty(wants: &[Want]) -> Plan {
    let mut builder = builder().unwrap();
    builder.timeout_seconds(2);
    plan(builder, wants).unwrap()
}

/// Whoever asks for this secret is throttled, in a call for several and in one for it alone.
fn throttle(cloud: &Cloud, name: &str) {
    let part = Effect::PartRefused {
        name: name.to_owned(),
        status: 429,
        code: "Rejected.Throttling".to_owned(),
        message: "QPS Limit Exceeded".to_owned(),
    };
    cloud.add_fault(Fault::new(part).action("BatchGetSecretValue"));
    let alone = Fault::new(Effect::RejectedThrottling { retry_after_millis: None });
    cloud.add_fault(alone.action("GetSecretValue").subject(name));
}

/// Actions and names of requests to KMS.
fn asked(cloud: &Cloud) -> Vec<(String, String)> {
    let of_kms = cloud.requests().into_iter().filter(|request| request.host.starts_with("kms"));
    of_kms.map(|request| (request.action, request.subject.unwrap_or_default())).collect()
}

fn nothing_is_told(ended: &Ended) {
    assert!(!ended.said().contains("CANARY"), "{}", ended.said());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_is_there_for_the_next_start_and_for_nobody_else() {
    let cloud = cloud().await;
    throttle(&cloud, "shop/s3");
    let container = Container::new(&cloud).unwrap();
    let plan = hasty(&wants());
    let ended = container.init(&plan).await.unwrap();
    assert_eq!(ended.code(), Some(THROTTLED), "{}", ended.said());
    nothing_is_told(&ended);
    let left = container.mount().join(LEFT);
    assert_eq!(container.entries().unwrap(), [LEFT]);
    assert_eq!(fs::metadata(&left).unwrap().permissions().mode() & 0o777, 0o400);

    cloud.clear_faults();
    cloud.clear_requests();
    let ended = container.init(&plan).await.unwrap();
    assert_eq!(ended.code(), Some(0), "{}", ended.said());
    nothing_is_told(&ended);
    assert_eq!(asked(&cloud), [("GetSecretValue".to_owned(), "shop/s3".to_owned())]);
    let files = container.files().unwrap();
    for number in 0..5 {
        let expected = format!("CANARY of {number}\n");
        assert_eq!(files[&format!("f{number}")].content, expected.as_bytes());
    }
    assert_eq!(files["binary"].content, b"CANARY\xff\n\0");
    assert!(!left.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_left_for_another_plan_is_not_used() {
    let cloud = cloud().await;
    throttle(&cloud, "shop/s3");
    let container = Container::new(&cloud).unwrap();
    assert_eq!(container.init(&hasty(&wants())).await.unwrap().code(), Some(THROTTLED));
    cloud.clear_faults();
    let swapped = [Want::new("f0", "kms://shop/s1"), Want::new("f1", "kms://shop/s0")];
    let wants: Vec<Want> = swapped.into_iter().chain(wants().into_iter().skip(2)).collect();
    let ended = container.init(&hasty(&wants)).await.unwrap();
    assert_eq!(ended.code(), Some(0), "{}", ended.said());
    let files = container.files().unwrap();
    assert_eq!(files["f0"].content, b"CANARY of 1\n");
    assert_eq!(files["f1"].content, b"CANARY of 0\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn start_after_start_adds_to_what_is_there() {
    let cloud = cloud().await;
    throttle(&cloud, "shop/s3");
    throttle(&cloud, "shop/binary");
    let container = Container::new(&cloud).unwrap();
    let mut builder = builder().unwrap();
    builder.timeout_seconds(2).batches(Batches { kms: KmsBatches::Never, oos: false });
    let plan = plan(builder, &wants()).unwrap();
    assert_eq!(container.init(&plan).await.unwrap().code(), Some(THROTTLED));
    cloud.clear_faults();
    cloud.clear_requests();
    throttle(&cloud, "shop/binary");
    assert_eq!(container.init(&plan).await.unwrap().code(), Some(THROTTLED));
    cloud.clear_faults();
    cloud.clear_requests();
    let ended = container.init(&plan).await.unwrap();
    assert_eq!(ended.code(), Some(0), "{}", ended.said());
    assert_eq!(asked(&cloud), [("GetSecretValue".to_owned(), "shop/binary".to_owned())]);
    assert_eq!(container.files().unwrap().len(), 6);
}

/// All that a template is made of is of one time.
#[tokio::test(flavor = "multi_thread")]
async fn the_secrets_of_one_template_are_asked_for_together_again() {
    let cloud = cloud().await;
    throttle(&cloud, "shop/s1");
    let container = Container::new(&cloud).unwrap();
    let mut builder = builder().unwrap();
    builder.timeout_seconds(2);
    let secret = |name: &str| {
        let source = format!("kms://{name}");
        (source.clone(), Want::new("", &source).lookup().unwrap(), None)
    };
    let text = r#"{{ secret("kms://shop/s0") }}{{ secret("kms://shop/s1") }}"#;
    let secrets = ["shop/s0", "shop/s1"].map(secret);
    let options = plan::FileOptions::new(plan::FileMode::OWNER, plan::OnMissing::Fail);
    let name = plan::FileName::parse("both").unwrap();
    builder.template(name, text.to_owned(), secrets.to_vec(), options);
    let plan = plan(builder, &[Want::new("f2", "kms://shop/s2")]).unwrap();
    assert_eq!(container.init(&plan).await.unwrap().code(), Some(THROTTLED));
    cloud.clear_faults();
    cloud.clear_requests();
    let ended = container.init(&plan).await.unwrap();
    assert_eq!(ended.code(), Some(0), "{}", ended.said());
    let mut names: Vec<String> = asked(&cloud).into_iter().map(|(_, name)| name).collect();
    names.sort();
    assert_eq!(names, ["shop/s0", "shop/s1"]);
    let both = container.files().unwrap().remove("both").unwrap().content;
    assert_eq!(both, b"CANARY of 0\nCANARY of 1\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_where_waiting_does_not_help_and_what_is_not_ours_is_not_used() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let mut denied = wants();
    denied.push(Want::new("theirs", "kms://billing/db"));
    let ended = container.init(&hasty(&denied)).await.unwrap();
    assert_eq!(ended.code(), Some(12), "{}", ended.said());
    assert!(container.entries().unwrap().is_empty());

    for left in ["", "{", "{}\n", "{\"plan\":\"{}\",\"values\":[]}\nmore", "\n\n\n"] {
        let container = Container::new(&cloud).unwrap();
        fs::write(container.mount().join(LEFT), left).unwrap();
        let ended = container.init(&hasty(&wants())).await.unwrap();
        assert_eq!(ended.code(), Some(0), "{left:?} {}", ended.said());
        assert_eq!(container.files().unwrap().len(), 6);
        assert!(!container.mount().join(LEFT).exists());
    }
    let container = Container::new(&cloud).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", container.mount().join(LEFT)).unwrap();
    let ended = container.init(&hasty(&wants())).await.unwrap();
    assert_eq!(ended.code(), Some(0), "{}", ended.said());
    assert!(!container.mount().join(LEFT).exists());
}
