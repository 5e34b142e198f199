//! What is counted about the Kubernetes API.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::Reason;

#[derive(Debug, Default)]
pub(crate) struct Cluster {
    accounts: Gauge,
    accounts_synced: Gauge,
    account_watch_failures: Counter,
    account_reads: Family<ResultLabel, Counter>,
}

/// How the direct read of a ServiceAccount went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum AccountRead {
    Found,
    Missing,
    Failed,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: Reason,
}

impl Cluster {
    /// How many name a role.
    pub(crate) fn accounts(&self, count: usize) {
        self.accounts.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    pub(crate) fn accounts_listed(&self) {
        self.accounts_synced.set(1);
    }

    pub(crate) fn account_watch_failed(&self) {
        self.account_watch_failures.inc();
    }

    pub(crate) fn account_read(&self, read: AccountRead) {
        let result = Reason(match read {
            AccountRead::Found => "found",
            AccountRead::Missing => "missing",
            AccountRead::Failed => "failed",
        });
        self.account_reads.get_or_create(&ResultLabel { result }).inc();
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "service_accounts",
            "ServiceAccounts in memory: those that name a role",
            self.accounts.clone(),
        );
        registry.register(
            "service_accounts_synced",
            "1 once all of them have been listed",
            self.accounts_synced.clone(),
        );
        registry.register(
            "service_account_watch_failures",
            "Failed lists and watches of ServiceAccounts",
            self.account_watch_failures.clone(),
        );
        registry.register(
            "service_account_reads",
            "Single ServiceAccounts read while a Pod waited, by result",
            self.account_reads.clone(),
        );
    }
}
