//! Keeps the ServiceAccounts in memory what they are in the cluster.

use std::pin::pin;
use std::sync::Arc;

use futures_util::StreamExt as _;
use k8s_openapi::api::core::v1::ServiceAccount as Object;
use kube::core::PartialObjectMeta;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client};

use super::accounts::{Listing, Writer};
use super::error::said;
use crate::account::ServiceAccount;
use crate::metrics::Metrics;

/// Lists, watches, and lists again where a watch cannot go on. Never ends.
pub async fn keep(client: Client, writer: Writer, metrics: Arc<Metrics>) {
    let api: Api<PartialObjectMeta<Object>> = Api::all(client);
    let config = watcher::Config::default().page_size(PAGE).timeout(WATCH_SECONDS);
    let mut events = pin!(watcher::watcher(api, config).default_backoff());
    let mut keeper = Keeper { writer, listing: None, metrics };
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => keeper.take(event),
            Err(error) => keeper.failed(&error),
        }
    }
}

struct Keeper {
    writer: Writer,
    /// What has been listed so far, while a list is under way.
    listing: Option<Listing>,
    metrics: Arc<Metrics>,
}

impl Keeper {
    fn take(&mut self, event: Event<PartialObjectMeta<Object>>) {
        match event {
            Event::Init => self.listing = Some(Writer::listing()),
            Event::InitApply(object) => {
                let Some((namespace, name)) = names(&object) else { return };
                if let Some(listing) = &mut self.listing {
                    self.writer.list(listing, namespace, name, &account(&object));
                }
            }
            Event::InitDone => {
                let Some(listing) = self.listing.take() else { return };
                self.writer.replace(listing);
                let count = self.writer.count();
                self.metrics.cluster.accounts_listed();
                tracing::info!(count, "ServiceAccounts that name a role are known");
            }
            Event::Apply(object) => {
                let Some((namespace, name)) = names(&object) else { return };
                self.writer.set(namespace, name, &account(&object));
            }
            Event::Delete(object) => {
                let Some((namespace, name)) = names(&object) else { return };
                self.writer.remove(namespace, name);
            }
        }
        self.metrics.cluster.accounts(self.writer.count());
    }

    /// What is known stays known: an account that is not is read when it is needed.
    fn failed(&mut self, error: &watcher::Error) {
        self.metrics.cluster.account_watch_failed();
        let (what, why) = match error {
            watcher::Error::InitialListFailed(error) => ("listing", said(error)),
            watcher::Error::WatchStartFailed(error) | watcher::Error::WatchFailed(error) => {
                ("watching", said(error))
            }
            watcher::Error::WatchError(status) => {
                ("watching", format!("{} {}", status.code, status.message))
            }
            watcher::Error::NoResourceVersion => ("watching", "no resourceVersion".to_owned()),
        };
        tracing::warn!(
            what,
            reason = why,
            "ServiceAccounts are not followed for now; trying again"
        );
    }
}

fn names(object: &PartialObjectMeta<Object>) -> Option<(&str, &str)> {
    let metadata = &object.metadata;
    Some((metadata.namespace.as_deref()?, metadata.name.as_deref()?))
}

fn account(object: &PartialObjectMeta<Object>) -> ServiceAccount {
    let annotations = object.metadata.annotations.iter().flatten();
    ServiceAccount::from_annotations(annotations.map(|(key, value)| (key.as_str(), value.as_str())))
}

/// A page is in memory as text and as objects at once: some kilobytes for each account of it.
const PAGE: u32 = 100;
/// The API server ends a watch after this time; a connection that is silent for longer is dead.
const WATCH_SECONDS: u32 = 110;
