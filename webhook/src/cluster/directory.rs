//! What a review needs of the cluster: from memory, else from the API server.

use std::sync::Arc;

use kube::Client;

use super::account;
use super::accounts::Accounts;
use super::classes::Classes;
use super::reader::{ObjectReader, Patience};
use crate::account::Account;
use crate::class::Class;
use crate::facts::{Fact, Wanted};
use crate::metrics::Metrics;

pub struct Directory {
    accounts: Arc<Accounts>,
    classes: Classes,
    reader: ObjectReader,
    metrics: Arc<Metrics>,
}

impl Directory {
    pub fn new(
        accounts: Arc<Accounts>,
        client: Client,
        patience: Patience,
        metrics: Arc<Metrics>,
    ) -> Self {
        let reader = ObjectReader::new(client, patience);
        Self { accounts, classes: Classes::default(), reader, metrics }
    }

    /// What is in memory.
    pub fn known(&self, wanted: &Wanted<'_>) -> Option<Fact> {
        match wanted {
            Wanted::Account { namespace, name } => {
                self.known_account(namespace, name).map(Fact::Account)
            }
            Wanted::Class { namespace, name } => {
                self.classes.known(namespace, name).map(Fact::Class)
            }
        }
    }

    /// What is not in memory is read.
    pub async fn find(&self, wanted: &Wanted<'_>) -> Fact {
        match wanted {
            Wanted::Account { namespace, name } => {
                Fact::Account(self.account(namespace, name).await)
            }
            Wanted::Class { namespace, name } => Fact::Class(self.class(namespace, name).await),
        }
    }

    /// One that is not in memory may be new, so that an account and its Pod can be created in one
    /// breath.
    pub async fn account(&self, namespace: &str, name: &str) -> Account {
        match self.known_account(namespace, name) {
            Some(account) => account,
            None => account::read(&self.reader, &self.metrics, namespace, name).await,
        }
    }

    /// One that was read a moment ago, or now.
    pub async fn class(&self, namespace: &str, name: &str) -> Class {
        match self.classes.known(namespace, name) {
            Some(class) => class,
            None => self.classes.read(&self.reader, &self.metrics, namespace, name).await,
        }
    }

    /// An account that names a role is usually in memory.
    fn known_account(&self, namespace: &str, name: &str) -> Option<Account> {
        self.accounts.get(namespace, name).map(Account::Known)
    }
}
