//! One ServiceAccount read from the API server, for a Pod that waits for it.

use std::sync::Arc;
use std::time::Duration;

use flight::Flights;
use kube::{Api, Client};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::bounded::{ACCOUNT, is_too_large};
use super::error::describe;
use super::is_name;
use super::object::Object;
use crate::account::{Account, ServiceAccount};
use crate::metrics::{AccountRead, Metrics};

/// Reads with a deadline, few at a time, and each account once for all who ask.
pub(crate) struct AccountReader {
    client: Client,
    patience: Patience,
    flights: Flights<(String, String), Account>,
    permits: Semaphore,
    metrics: Arc<Metrics>,
}

/// How long a read may take. `Default` is what is shipped.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How long one attempt may take; short enough that a dead connection leaves time for a second one.
    pub attempt: Duration,
    /// How long all attempts may take; the API server gives up on us after 5 seconds.
    pub whole: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { attempt: Duration::from_millis(900), whole: Duration::from_millis(2500) }
    }
}

impl AccountReader {
    pub(crate) fn new(client: Client, patience: Patience, metrics: Arc<Metrics>) -> Self {
        let (flights, permits) = (Flights::default(), Semaphore::new(AT_ONCE));
        Self { client, patience, flights, permits, metrics }
    }

    pub(crate) async fn read(&self, namespace: &str, name: &str) -> Account {
        // Names go into a path; no account has another one.
        if !is_name(namespace, 63) || !is_name(name, 253) {
            return Account::Missing;
        }
        let key = (namespace.to_owned(), name.to_owned());
        let answer = self.flights.ask(&key, || self.attempts(&key), names_role);
        let account = timeout(self.patience.whole, answer).await.unwrap_or_else(|_| {
            let seconds = self.patience.whole.as_secs_f64();
            Account::Unreadable(format!("the API server did not answer within {seconds} s"))
        });
        let read = match &account {
            Account::Known(_) => AccountRead::Found,
            Account::Missing => AccountRead::Missing,
            Account::Unreadable(why) => {
                tracing::warn!(namespace, name, reason = why, "a ServiceAccount was not read");
                AccountRead::Failed
            }
            Account::Unknown => AccountRead::Failed,
        };
        self.metrics.cluster.account_read(read);
        account
    }

    async fn attempts(&self, (namespace, name): &(String, String)) -> Account {
        let Ok(_permit) = self.permits.acquire().await else {
            return Account::Unreadable("the webhook is stopping".to_owned());
        };
        let api: Api<Object> = Api::namespaced(self.client.clone(), namespace);
        let mut failure = String::new();
        for pause in PAUSES {
            sleep(pause).await;
            let answer = timeout(self.patience.attempt, api.get(name)).await;
            failure = match answer {
                Ok(Ok(object)) => return Account::Known(object.account()),
                Ok(Err(kube::Error::Api(status))) if status.is_not_found() => {
                    return Account::Missing;
                }
                Ok(Err(error)) if is_too_large(&error) => {
                    return Account::Unreadable(format!(
                        "its metadata has more than {} KiB, remove labels and annotations",
                        ACCOUNT / 1024
                    ));
                }
                Ok(Err(error)) => {
                    let why = format!("the API server could not be asked ({})", describe(&error));
                    if !passes(&error) {
                        return Account::Unreadable(why);
                    }
                    why
                }
                Err(_) => "the API server did not answer in time".to_owned(),
            };
        }
        Account::Unreadable(failure)
    }
}

/// Whether trying again may help.
fn passes(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(status) => status.code == 429 || status.code >= 500,
        kube::Error::HyperError(_) | kube::Error::Service(_) => true,
        _ => false,
    }
}

/// An account without a role may have got one since a read began that somebody else made.
fn names_role(account: &Account) -> bool {
    matches!(account, Account::Known(ServiceAccount { role_arn, role_name })
        if role_arn.is_some() || role_name.is_some())
}

/// The API server counts us as one client; a stampede of ours must not slow others.
pub(crate) const AT_ONCE: usize = 16;
/// Before each attempt.
const PAUSES: [Duration; 3] =
    [Duration::ZERO, Duration::from_millis(50), Duration::from_millis(200)];
