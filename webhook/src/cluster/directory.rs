//! What a review needs of the cluster: from memory, else from the API server.

use std::sync::Arc;

use kube::Client;

use super::accounts::Accounts;
use super::reader::{AccountReader, Patience};
use crate::account::Account;
use crate::facts::{Fact, Wanted};
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

    /// What is in memory.
    pub fn known(&self, wanted: &Wanted<'_>) -> Option<Fact> {
        match wanted {
            Wanted::Account { namespace, name } => {
                self.known_account(namespace, name).map(Fact::Account)
            }
        }
    }

    /// What is not in memory is read.
    pub async fn find(&self, wanted: &Wanted<'_>) -> Fact {
        match wanted {
            Wanted::Account { namespace, name } => {
                Fact::Account(self.account(namespace, name).await)
            }
        }
    }

    /// One that is not in memory may be new, so that an account and its Pod can be created in one
    /// breath.
    pub async fn account(&self, namespace: &str, name: &str) -> Account {
        match self.known_account(namespace, name) {
            Some(account) => account,
            None => self.reader.read(namespace, name).await,
        }
    }

    /// An account that names a role is usually in memory.
    fn known_account(&self, namespace: &str, name: &str) -> Option<Account> {
        self.accounts.get(namespace, name).map(Account::Known)
    }
}
