//! What is counted about the Kubernetes API: ServiceAccounts and the certificate.

use std::sync::atomic::Ordering;

use certs::State;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::label::{Reason, seconds};

#[derive(Debug, Default)]
pub(crate) struct ClusterMetrics {
    accounts: Gauge,
    accounts_synced: Gauge,
    account_watch_failures: Counter,
    account_reads: Family<ResultLabel, Counter>,
    class_reads: Family<ResultLabel, Counter>,
    steps: Family<StepLabel, Counter>,
    conflicts: Counter,
    errors: Counter,
    rotates_at: Gauge,
}

/// How the direct read of an object went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ObjectRead {
    Found,
    Missing,
    /// It may not be read, or cannot be used.
    Refused,
    Failed,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: Reason,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StepLabel {
    step: Reason,
}

impl ObjectRead {
    fn label(self) -> ResultLabel {
        let result = Reason(match self {
            Self::Found => "found",
            Self::Missing => "missing",
            Self::Refused => "refused",
            Self::Failed => "failed",
        });
        ResultLabel { result }
    }
}

impl ClusterMetrics {
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

    pub(crate) fn account_read(&self, read: ObjectRead) {
        self.account_reads.get_or_create(&read.label()).inc();
    }

    pub(crate) fn class_read(&self, read: ObjectRead) {
        self.class_reads.get_or_create(&read.label()).inc();
    }

    /// Takes over what the keeper of the certificate has counted.
    pub(crate) fn certificate(&self, state: &State) {
        let counts = &state.counts;
        for (step, count) in [
            ("issued", counts.issued),
            ("published", counts.published),
            ("promoted", counts.promoted),
            ("pruned", counts.pruned),
        ] {
            let counter = self.steps.get_or_create_owned(&StepLabel { step: Reason(step) });
            counter.inner().store(count, Ordering::Relaxed);
        }
        self.conflicts.inner().store(counts.conflicts, Ordering::Relaxed);
        self.errors.inner().store(counts.errors, Ordering::Relaxed);
        if let Some(time) = state.rotates_at {
            self.rotates_at.set(seconds(time));
        }
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
        registry.register(
            "secret_provider_class_reads",
            "SecretProviderClasses read while a Pod waited, by result",
            self.class_reads.clone(),
        );
        registry.register(
            "certificate_steps",
            "What this replica did for the certificate, by step",
            self.steps.clone(),
        );
        registry.register(
            "certificate_conflicts",
            "Writes for the certificate that another was faster with",
            self.conflicts.clone(),
        );
        registry.register(
            "certificate_errors",
            "Failed calls of the Kubernetes API for the certificate",
            self.errors.clone(),
        );
        registry.register(
            "certificate_rotates_at",
            "When this replica would replace the certificate, in seconds since 1970",
            self.rotates_at.clone(),
        );
    }
}
