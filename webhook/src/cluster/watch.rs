//! Keeps the ServiceAccounts in memory what they are in the cluster.

use std::pin::pin;
use std::sync::Arc;

use futures_util::StreamExt as _;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client};

use super::accounts::{Listing, Writer};
use super::bounded::is_too_large;
use super::error::describe;
use super::object::Object;
use crate::metrics::Metrics;

/// Lists, watches, and lists again where a watch cannot go on. Never ends.
pub async fn keep(client: Client, writer: Writer, metrics: Arc<Metrics>) {
    let mut keeper = AccountKeeper { writer, listing: None, metrics };
    let mut page = PAGE;
    loop {
        let api: Api<Object> = Api::all(client.clone());
        let config = watcher::Config::default().page_size(page).timeout(WATCH_SECONDS);
        let mut events = pin!(watcher::watcher(api, config).default_backoff());
        let mut is_listed = false;
        page = loop {
            match events.next().await {
                // What made pages small may be gone.
                Some(Ok(Event::Init)) if is_listed && page < PAGE => break PAGE,
                Some(Ok(event)) => {
                    is_listed |= matches!(event, Event::InitDone);
                    keeper.take(event);
                }
                Some(Err(error)) if page > 1 && is_too_large(&error) => {
                    tracing::info!(page, "ServiceAccounts are large, and listed a few at a time");
                    break (page / 10).max(1);
                }
                Some(Err(error)) => keeper.failed(&error),
                None => return,
            }
        };
    }
}

struct AccountKeeper {
    writer: Writer,
    /// What has been listed so far, while a list is under way.
    listing: Option<Listing>,
    metrics: Arc<Metrics>,
}

impl AccountKeeper {
    fn take(&mut self, event: Event<Object>) {
        match event {
            Event::Init => self.listing = Some(Writer::listing()),
            Event::InitApply(object) => {
                let Some((namespace, name)) = object.names() else { return };
                if let Some(listing) = &mut self.listing {
                    self.writer.list(listing, namespace, name, &object.account());
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
                let Some((namespace, name)) = object.names() else { return };
                self.writer.set(namespace, name, &object.account());
            }
            Event::Delete(object) => {
                let Some((namespace, name)) = object.names() else { return };
                self.writer.remove(namespace, name);
            }
        }
        self.metrics.cluster.accounts(self.writer.count());
    }

    /// What is known stays known: an account that is not is read when it is needed.
    fn failed(&mut self, error: &watcher::Error) {
        self.metrics.cluster.account_watch_failed();
        let (what, why) = match error {
            watcher::Error::InitialListFailed(error) => ("listing", describe(error)),
            watcher::Error::WatchStartFailed(error) | watcher::Error::WatchFailed(error) => {
                ("watching", describe(error))
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

/// How many are listed at once. A page is in memory whole, so that it has a bound; where some kilobytes
/// for each account are not enough for those of a cluster, the list is begun anew with a tenth as many.
const PAGE: u32 = 100;
/// The API server ends a watch after this time; a connection that is silent for longer is dead.
const WATCH_SECONDS: u32 = 110;
