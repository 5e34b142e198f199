//! The ServiceAccount of a Pod is found when nothing is in memory.

use std::sync::Arc;
use std::time::Duration;

use webhook::account::{Account, ServiceAccount};
use webhook::cluster::accounts::accounts;
use webhook::cluster::directory::Directory;
use webhook::cluster::reader::Patience;
use webhook::metrics::Metrics;

use crate::cluster::api::Api;
use crate::harness::{PATIENCE, until};

fn directory(api: &Api, patience: Patience) -> Arc<Directory> {
    let (accounts, _) = accounts();
    Arc::new(Directory::new(accounts, api.client(), patience, Arc::new(Metrics::new())))
}

/// So long that no deadline passes.
fn patient() -> Patience {
    Patience { attempt: PATIENCE, whole: PATIENCE, kept: PATIENCE }
}

fn role(name: &str) -> Account {
    Account::Known(ServiceAccount {
        role_arn: Some(format!("acs:ram::1234567890123456:role/{name}")),
        role_name: None,
    })
}

fn unreadable(account: Account) -> String {
    match account {
        Account::Unreadable(why) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_account_that_was_created_just_now_is_read() {
    let api = Api::start().await;
    let directory = directory(&api, patient());
    assert_eq!(directory.account("shop", "checkout").await, Account::Missing);
    api.role("shop", "checkout", "one");
    assert_eq!(directory.account("shop", "checkout").await, role("one"));
    api.set("shop", "plain", &[("example.com/other", "x")]);
    let plain = Account::Known(ServiceAccount::default());
    assert_eq!(directory.account("shop", "plain").await, plain);
}

#[tokio::test]
async fn an_account_that_somebody_made_large_is_not_read_and_its_pods_are_told() {
    let api = Api::start().await;
    let directory = directory(&api, patient());
    api.role("shop", "checkout", "one");
    api.label("shop", "checkout", 1_000);
    assert_eq!(directory.account("shop", "checkout").await, role("one"));
    api.label("shop", "checkout", 1_500);
    let why = unreadable(directory.account("shop", "checkout").await);
    assert!(why.contains("its metadata has more than 128 KiB, remove labels"), "{why}");
    assert_eq!(api.count("get"), 2, "to try again would not help");
}

#[tokio::test]
async fn names_that_no_account_can_have_are_not_asked_for() {
    let api = Api::start().await;
    let directory = directory(&api, patient());
    let long = "a".repeat(254);
    for name in ["", "..", "a/b", "../../secrets/x", "a?watch=1", "A", "a\0", "-", ".", &long] {
        assert_eq!(directory.account("shop", name).await, Account::Missing, "{name}");
        assert_eq!(directory.account(name, "shop").await, Account::Missing, "{name}");
    }
    assert_eq!(api.count("get"), 0);
}

#[tokio::test]
async fn a_server_that_stumbles_is_asked_again() {
    let api = Api::start().await;
    let directory = directory(&api, patient());
    api.role("shop", "checkout", "one");
    for status in [500, 503, 429] {
        api.fail("get", 0..2, status);
        assert_eq!(directory.account("shop", "checkout").await, role("one"), "{status}");
    }
    assert_eq!(api.count("get"), 9);
}

#[tokio::test]
async fn a_server_that_goes_on_failing_is_told_with_its_status() {
    let api = Api::start().await;
    let directory = directory(&api, patient());
    api.role("shop", "checkout", "one");
    api.fail("get", 0..100, 503);
    let why = unreadable(directory.account("shop", "checkout").await);
    assert_eq!(why, "the API server could not be asked (503 a fault of the test)");
    assert_eq!(api.count("get"), 3);
}

#[tokio::test]
async fn a_refusal_is_final() {
    let api = Api::start().await;
    let directory = directory(&api, patient());
    api.fail("get", 0..100, 403);
    let why = unreadable(directory.account("shop", "checkout").await);
    assert!(why.contains("forbidden"), "{why}");
    assert_eq!(api.count("get"), 1);
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_waited_for_as_long_as_a_pod_can_wait() {
    let api = Api::start().await;
    api.role("shop", "checkout", "one");
    api.hold(true);
    let attempt = Duration::from_millis(50);
    let attempts = directory(&api, Patience { attempt, ..patient() });
    let why = unreadable(attempts.account("shop", "checkout").await);
    assert_eq!(why, "the API server did not answer in time");
    assert_eq!(api.count("get"), 3);
    let whole = directory(&api, Patience { whole: attempt, ..patient() });
    let why = unreadable(whole.account("shop", "checkout").await);
    assert_eq!(why, "the API server did not answer within 0.05 s");
}

#[tokio::test]
async fn an_attempt_that_hangs_leaves_time_for_another() {
    let api = Api::start().await;
    api.role("shop", "checkout", "one");
    api.hold(true);
    let attempt = Duration::from_millis(100);
    let directory = directory(&api, Patience { attempt, ..patient() });
    let asked = tokio::spawn(async move { directory.account("shop", "checkout").await });
    until("a second attempt", async || api.count("get") == 2).await;
    api.hold(false);
    assert_eq!(asked.await.unwrap(), role("one"));
}

#[tokio::test]
async fn nobody_listening_is_told() {
    let api = Api::start().await;
    let client = api.client();
    drop(api);
    let (accounts, _) = accounts();
    let metrics = Arc::new(Metrics::new());
    let directory = Directory::new(accounts, client, patient(), metrics);
    let why = unreadable(directory.account("shop", "checkout").await);
    assert!(why.starts_with("the API server could not be asked ("), "{why}");
}

#[tokio::test]
async fn pods_that_come_together_share_one_read() {
    let api = Api::start().await;
    api.role("shop", "checkout", "one");
    api.hold(true);
    let directory = directory(&api, patient());
    let asked: Vec<_> = (0..50)
        .map(|_| {
            let directory = Arc::clone(&directory);
            tokio::spawn(async move { directory.account("shop", "checkout").await })
        })
        .collect();
    until("the read", async || api.count("get") == 1).await;
    api.hold(false);
    for asked in asked {
        assert_eq!(asked.await.unwrap(), role("one"));
    }
    assert_eq!(api.count("get"), 1);
}

#[tokio::test]
async fn a_pod_does_not_get_an_answer_from_before_its_account_existed() {
    let api = Api::start().await;
    api.hold(true);
    let directory = directory(&api, patient());
    let ask = || {
        let directory = Arc::clone(&directory);
        tokio::spawn(async move { directory.account("shop", "checkout").await })
    };
    let early = ask();
    until("the read", async || api.count("get") == 1).await;
    api.role("shop", "checkout", "one");
    let late = ask();
    // The late one is on the same flight before that is over.
    tokio::task::yield_now().await;
    api.hold(false);
    assert_eq!(early.await.unwrap(), Account::Missing);
    assert_eq!(late.await.unwrap(), role("one"));
}

#[tokio::test]
async fn reads_of_many_accounts_are_few_at_a_time() {
    let api = Api::start().await;
    api.hold(true);
    let directory = directory(&api, patient());
    let asked: Vec<_> = (0..40)
        .map(|number| {
            let (directory, name) = (Arc::clone(&directory), format!("account-{number}"));
            api.role("shop", &name, "one");
            tokio::spawn(async move { directory.account("shop", &name).await })
        })
        .collect();
    until("the first", async || api.count("get") == 16).await;
    api.hold(false);
    for asked in asked {
        assert_eq!(asked.await.unwrap(), role("one"));
    }
    assert_eq!((api.count("get"), api.most_gets()), (40, 16));
}
