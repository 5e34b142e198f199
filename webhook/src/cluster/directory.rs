//! A Pod's ServiceAccount: from memory, else from the API server.

use std::sync::Arc;

use kube::Client;

use super::accounts::Accounts;
use super::reader::{AccountReader, Patience};
use crate::account::Account;
use crate::metrics::Metrics;

pub struct Directory {
    accounts: Arc<Accounts>,
    reader: AccountReader,
}

impl Directory {
    pub fn new(
        accounts: Arc<Accounts>,
        client: Client,
        patience: Patience,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self { accounts, reader: AccountReader::new(client, patience, metrics) }
    }

    /// An account that names a role is usually in memory.
    pub fn known(&self, namespace: &str, name: &str) -> Option<Account> {
        self.accounts.get(namespace, name).map(Account::Known)
    }

    /// One that is not in memory is read: it may be new, so that an account and its Pod can be
    /// created in one breath.
    pub async fn of(&self, namespace: &str, name: &str) -> Account {
        match self.known(namespace, name) {
            Some(account) => account,
            None => self.reader.read(namespace, name).await,
        }
    }
}
