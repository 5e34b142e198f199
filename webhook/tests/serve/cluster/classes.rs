//! SecretProviderClasses are read for Pods of namespaces that have opted in, and kept for a moment.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use webhook::class::{Class, UnusableClass};
use webhook::cluster::accounts::accounts;
use webhook::cluster::directory::Directory;
use webhook::cluster::reader::Patience;
use webhook::facts::{Fact, Wanted};
use webhook::metrics::Metrics;

use crate::cluster::api::Api;
use crate::harness::{PATIENCE, until};

fn directory(api: &Api, kept: Duration) -> Arc<Directory> {
    with(api, Patience { attempt: PATIENCE, whole: PATIENCE, kept })
}

fn with(api: &Api, patience: Patience) -> Arc<Directory> {
    let (accounts, _) = accounts();
    Arc::new(Directory::new(accounts, api.client(), patience, Arc::new(Metrics::new())))
}

async fn opted_in() -> Api {
    let api = Api::start().await;
    api.namespace("shop", "enabled");
    api
}

fn spec(objects: &str) -> Value {
    json!({"provider": "alibabacloud", "parameters": {"objects": objects}})
}

fn of(objects: &str) -> Class {
    Class::read(&json!({"spec": spec(objects)}).to_string())
}

#[tokio::test]
async fn a_class_of_either_version_is_read() {
    let api = opted_in().await;
    let directory = directory(&api, PATIENCE);
    assert_eq!(directory.class("shop", "db").await, Class::Missing);
    api.class("v1", "db", &spec("- objectName: a"));
    assert_eq!(directory.class("shop", "db").await, of("- objectName: a"));
    api.class("v1alpha1", "old", &spec("- objectName: b"));
    assert_eq!(directory.class("shop", "old").await, of("- objectName: b"));
    let foreign = json!({"provider": "vault", "parameters": {"objects": "x"}});
    api.class("v1", "foreign", &foreign);
    assert_eq!(directory.class("shop", "foreign").await, Class::Unusable(UnusableClass::Foreign));
}

#[tokio::test]
async fn of_a_namespace_that_has_not_opted_in_no_class_is_read() {
    let api = Api::start().await;
    api.class("v1", "db", &spec("- objectName: a"));
    let directory = directory(&api, PATIENCE);
    assert_eq!(
        directory.class("shop", "db").await,
        Class::NotOptedIn,
        "there is no such namespace"
    );
    api.namespace("shop", "disabled");
    assert_eq!(directory.class("shop", "db").await, Class::NotOptedIn);
    api.namespace("shop", "enabled");
    assert!(matches!(directory.class("other", "db").await, Class::NotOptedIn));
    assert_eq!(api.count("class"), 0);
    assert_eq!(directory.class("shop", "db").await, of("- objectName: a"));
}

#[tokio::test]
async fn a_class_is_known_for_a_moment_and_read_again_then() {
    let api = opted_in().await;
    api.class("v1", "db", &spec("- objectName: a"));
    let wanted = Wanted::Class { namespace: "shop".into(), name: "db".into() };
    let kept = directory(&api, PATIENCE);
    assert!(kept.known(&wanted).is_none());
    for _ in 0..3 {
        assert_eq!(kept.class("shop", "db").await, of("- objectName: a"));
    }
    assert!(matches!(kept.known(&wanted), Some(Fact::Class(Class::Known(_)))));
    assert_eq!((api.count("namespace"), api.count("class")), (1, 1));
    api.class("v1", "db", &spec("- objectName: b"));
    let forgetful = directory(&api, Duration::ZERO);
    assert_eq!(forgetful.class("shop", "db").await, of("- objectName: b"));
    assert!(forgetful.known(&wanted).is_none());
    api.class("v1", "db", &spec("- objectName: c"));
    assert_eq!(forgetful.class("shop", "db").await, of("- objectName: c"));
    assert!(Patience::default().kept <= Duration::from_secs(5));
}

#[tokio::test]
async fn what_is_missing_or_of_no_use_is_not_kept() {
    let api = opted_in().await;
    let directory = directory(&api, PATIENCE);
    assert_eq!(directory.class("shop", "db").await, Class::Missing);
    api.class("v1", "db", &json!({"provider": "vault"}));
    assert!(matches!(directory.class("shop", "db").await, Class::Unusable(_)));
    api.class("v1", "db", &spec("- objectName: a"));
    assert_eq!(directory.class("shop", "db").await, of("- objectName: a"));
}

#[tokio::test]
async fn so_many_classes_are_kept_and_no_more() {
    let api = opted_in().await;
    let directory = directory(&api, PATIENCE);
    let names: Vec<_> = (0..80).map(|number| format!("class-{number}")).collect();
    for name in &names {
        api.class("v1", name, &spec("- objectName: a"));
        assert_eq!(directory.class("shop", name).await, of("- objectName: a"));
    }
    let known = names.iter().filter(|name| {
        let wanted = Wanted::Class { namespace: "shop".into(), name: name.as_str().into() };
        directory.known(&wanted).is_some()
    });
    assert_eq!(known.count(), 32);
}

#[tokio::test]
async fn pods_that_come_together_share_one_read_of_their_class() {
    let api = opted_in().await;
    api.class("v1", "db", &spec("- objectName: a"));
    api.hold(true);
    let directory = directory(&api, PATIENCE);
    let asked: Vec<_> = (0..50)
        .map(|_| {
            let directory = Arc::clone(&directory);
            tokio::spawn(async move { directory.class("shop", "db").await })
        })
        .collect();
    until("the read", async || api.count("namespace") == 1).await;
    api.hold(false);
    for asked in asked {
        assert_eq!(asked.await.unwrap(), of("- objectName: a"));
    }
    assert_eq!((api.count("namespace"), api.count("class")), (1, 1));
}

#[tokio::test]
async fn a_class_that_somebody_made_large_is_not_read() {
    let api = opted_in().await;
    let directory = directory(&api, PATIENCE);
    for bytes in [70_000, 400_000] {
        api.class("v1", "db", &spec(&"x".repeat(bytes)));
        let class = directory.class("shop", "db").await;
        assert_eq!(class, Class::Unusable(UnusableClass::TooLarge), "{bytes}");
    }
    assert_eq!(api.count("class"), 2, "to try again would not help");
}

#[tokio::test]
async fn names_that_no_class_can_have_are_not_asked_for() {
    let api = opted_in().await;
    let directory = directory(&api, PATIENCE);
    let long = "a".repeat(254);
    for name in ["", "..", "a/b", "../../secrets/x", "a?watch=1", "A", "a\0", "-", ".", &long] {
        assert_eq!(directory.class("shop", name).await, Class::Missing, "{name}");
        assert_eq!(directory.class(name, "db").await, Class::Missing, "{name}");
    }
    assert_eq!((api.count("namespace"), api.count("class")), (0, 0));
}

#[tokio::test]
async fn a_server_that_stumbles_is_asked_again_and_one_that_refuses_is_believed() {
    let api = opted_in().await;
    api.class("v1", "db", &spec("- objectName: a"));
    let directory = directory(&api, Duration::ZERO);
    for kind in ["namespace", "class"] {
        api.fail(kind, 0..2, 503);
        assert_eq!(directory.class("shop", "db").await, of("- objectName: a"), "{kind}");
        api.fail(kind, 0..1, 403);
        let Class::Unreadable(why) = directory.class("shop", "db").await else { panic!() };
        assert!(why.contains("forbidden"), "{why}");
    }
}

#[tokio::test]
async fn all_reads_for_a_class_have_the_time_of_one() {
    let api = opted_in().await;
    api.hold(true);
    let whole = Duration::from_millis(50);
    let directory = with(&api, Patience { attempt: PATIENCE, whole, kept: PATIENCE });
    let Class::Unreadable(why) = directory.class("shop", "db").await else { panic!() };
    assert_eq!(why, "the API server did not answer within 0.05 s");
    // The account of the Pod is read behind it, and the API server waits five seconds for both.
    assert!(Patience::default().whole * 2 < Duration::from_secs(5));
}
