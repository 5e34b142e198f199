//! ServiceAccounts in memory, while the cluster changes and its API fails.

use std::sync::Arc;

use tokio::task::JoinHandle;
use webhook::account::ServiceAccount;
use webhook::cluster::accounts::{Accounts, accounts};
use webhook::cluster::watch;
use webhook::metrics::Metrics;

use crate::cluster::api::Api;
use crate::harness::until;

struct Watched {
    accounts: Arc<Accounts>,
    metrics: Arc<Metrics>,
    task: JoinHandle<()>,
}

impl Watched {
    fn start(api: &Api) -> Self {
        let (accounts, writer) = accounts();
        let metrics = Arc::new(Metrics::in_cluster());
        let task = tokio::spawn(watch::keep(api.client(), writer, Arc::clone(&metrics)));
        Self { accounts, metrics, task }
    }

    fn role(&self, namespace: &str, name: &str) -> Option<String> {
        let ServiceAccount { role_arn, .. } = self.accounts.get(namespace, name)?;
        Some(role_arn?.rsplit('/').next()?.to_owned())
    }

    async fn until_role(&self, namespace: &str, name: &str, role: Option<&str>) {
        let what = format!("{namespace}/{name} to have {role:?}");
        until(&what, async || self.role(namespace, name).as_deref() == role).await;
    }

    async fn until_synced(&self) {
        until("the list", async || self.metric("service_accounts_synced") == 1).await;
    }

    fn metric(&self, name: &str) -> u64 {
        let text = self.metrics.text().unwrap();
        let name = format!("secrets_webhook_{name} ");
        let line = text.lines().find_map(|line| line.strip_prefix(&name));
        line.map_or(0, |value| value.parse().unwrap())
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[tokio::test]
async fn accounts_that_somebody_made_large_are_listed_a_few_at_a_time_and_known_all_the_same() {
    let api = Api::start().await;
    for number in 0..12 {
        let name = format!("account-{number}");
        api.role("shop", &name, "one");
        api.label("shop", &name, 12_000);
    }
    let watched = Watched::start(&api);
    watched.until_synced().await;
    assert_eq!(watched.metric("service_accounts"), 12);
    assert_eq!(watched.role("shop", "account-0").as_deref(), Some("one"));
    // A hundred at once, ten at once, and one after the other.
    assert!(api.pages().ends_with(&[1; 12]), "{:?}", api.pages());
}

#[tokio::test]
async fn a_list_of_many_pages_is_taken_in_whole() {
    let api = Api::start().await;
    for number in 0..250 {
        api.role("shop", &format!("account-{number}"), &format!("role-{number}"));
        api.set("shop", &format!("plain-{number}"), &[("example.com/a", "b")]);
    }
    let watched = Watched::start(&api);
    watched.until_synced().await;
    assert_eq!(api.pages(), [100; 5]);
    assert_eq!(watched.accounts.count(), 250);
    assert_eq!(watched.metric("service_accounts"), 250);
    for number in 0..250 {
        let role = watched.role("shop", &format!("account-{number}"));
        assert_eq!(role, Some(format!("role-{number}")));
        assert_eq!(watched.role("shop", &format!("plain-{number}")), None);
    }
}

#[tokio::test]
async fn changes_are_followed_one_by_one() {
    let api = Api::start().await;
    api.role("shop", "changed", "old");
    api.role("shop", "deleted", "x");
    api.role("shop", "stripped", "x");
    let watched = Watched::start(&api);
    watched.until_synced().await;
    api.role("shop", "created", "new");
    api.role("shop", "changed", "new");
    api.set("shop", "stripped", &[]);
    api.delete("shop", "deleted");
    watched.until_role("shop", "deleted", None).await;
    assert_eq!(watched.role("shop", "created").as_deref(), Some("new"));
    assert_eq!(watched.role("shop", "changed").as_deref(), Some("new"));
    assert_eq!(watched.role("shop", "stripped"), None);
    assert_eq!(watched.metric("service_accounts"), 2);
    assert_eq!((api.count("list"), api.count("watch")), (1, 1));
}

#[tokio::test]
async fn a_watch_that_ends_goes_on_where_it_was() {
    let api = Api::start().await;
    api.role("shop", "a", "one");
    let watched = Watched::start(&api);
    watched.until_synced().await;
    until("the watch", async || api.count("watch") == 1).await;
    api.disconnect();
    until("another watch", async || api.count("watch") == 2).await;
    api.role("shop", "a", "two");
    watched.until_role("shop", "a", Some("two")).await;
    assert_eq!(api.count("list"), 1);
    assert_eq!(watched.metric("service_account_watch_failures_total"), 0);
}

#[tokio::test]
async fn after_410_gone_all_are_listed_again_and_what_vanished_meanwhile_is_forgotten() {
    let api = Api::start().await;
    api.role("shop", "stays", "one");
    api.role("shop", "vanishes", "one");
    let watched = Watched::start(&api);
    watched.until_synced().await;
    until("the watch", async || api.count("watch") == 1).await;
    // Unseen: the watch is down while it happens, and its past is gone when it comes back.
    api.fail("watch", 0..1, 500);
    api.disconnect();
    api.delete("shop", "vanishes");
    api.role("shop", "stays", "two");
    api.role("shop", "new", "one");
    api.compact();
    watched.until_role("shop", "new", Some("one")).await;
    assert_eq!(watched.role("shop", "vanishes"), None);
    assert_eq!(watched.role("shop", "stays").as_deref(), Some("two"));
    assert_eq!(api.count("list"), 2);
    assert_eq!(watched.metric("service_account_watch_failures_total"), 2);
}

#[tokio::test]
async fn while_the_api_fails_what_is_known_stays_known() {
    let api = Api::start().await;
    api.role("shop", "a", "one");
    let watched = Watched::start(&api);
    watched.until_synced().await;
    until("the watch", async || api.count("watch") == 1).await;
    api.fail("watch", 0..1, 503);
    api.disconnect();
    until("a failure", async || watched.metric("service_account_watch_failures_total") == 1).await;
    assert_eq!(watched.role("shop", "a").as_deref(), Some("one"));
    assert_eq!(watched.metric("service_accounts_synced"), 1);
}

#[tokio::test]
async fn a_list_that_fails_in_the_middle_is_begun_again() {
    let api = Api::start().await;
    for number in 0..150 {
        api.role("shop", &format!("account-{number}"), "one");
    }
    api.fail("list", 1..2, 500);
    let watched = Watched::start(&api);
    until("a failure", async || watched.metric("service_account_watch_failures_total") == 1).await;
    assert_eq!((watched.accounts.count(), watched.metric("service_accounts_synced")), (0, 0));
    watched.until_synced().await;
    assert_eq!(watched.accounts.count(), 150);
    assert_eq!(api.pages(), [100, 100, 50]);
}
