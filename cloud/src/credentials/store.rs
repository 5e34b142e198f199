//! The credentials of one process: its own, and those of the roles that it assumes with them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use crate::call::{AssumeRole, Call};
use crate::call_info::CallInfo;
use crate::cause::Unreachable;
use crate::credentials::cache::CredentialCache;
use crate::credentials::provider::CredentialsProvider;
use crate::error::Error;
use crate::keys::Credentials;
use crate::lookup::AssumedRole;
use crate::sender::Sender;
use crate::sts::{self, Sts};

pub(crate) struct CredentialStore {
    provider: CredentialsProvider,
    own: CredentialCache,
    /// There are as many as the lookups name.
    assumed: Mutex<AssumedCaches>,
}

/// The roles that were assumed with one edition of our own credentials.
#[derive(Default)]
struct AssumedCaches {
    edition: Option<String>,
    roles: HashMap<AssumedRole, Arc<CredentialCache>>,
}

impl CredentialStore {
    pub(crate) fn new(provider: CredentialsProvider) -> Self {
        let (own, assumed) = (CredentialCache::default(), Mutex::default());
        Self { provider, own, assumed }
    }

    /// The credentials of `role`, or our own. `refused` are those that a service has refused; the
    /// same are returned where that is not believed.
    pub(crate) async fn obtain(
        &self,
        sender: &Sender,
        role: Option<&AssumedRole>,
        refused: Option<&Arc<Credentials>>,
        deadline: Instant,
    ) -> Result<Arc<Credentials>, Error> {
        match role {
            None => self.own(sender, refused, deadline).await,
            Some(role) => self.assumed(sender, role, refused, deadline).await,
        }
    }

    async fn own(
        &self,
        sender: &Sender,
        refused: Option<&Arc<Credentials>>,
        deadline: Instant,
    ) -> Result<Arc<Credentials>, Error> {
        let exchange = |deadline| self.provider.credentials(sender, deadline);
        self.own.follow(self.provider.edition());
        let found = self.own.obtain(|| sender.now(), refused, deadline, exchange).await;
        found.unwrap_or_else(|| Err(too_late(self.provider.call_info())))
    }

    async fn assumed(
        &self,
        sender: &Sender,
        role: &AssumedRole,
        refused: Option<&Arc<Credentials>>,
        deadline: Instant,
    ) -> Result<Arc<Credentials>, Error> {
        let cache = {
            let edition = self.provider.edition();
            let mut assumed = self.assumed.lock().unwrap_or_else(PoisonError::into_inner);
            if assumed.edition != edition {
                *assumed = AssumedCaches { edition, roles: HashMap::new() };
            }
            Arc::clone(assumed.roles.entry(role.clone()).or_default())
        };
        let assume = |deadline| self.assume(sender, role, deadline);
        let found = cache.obtain(|| sender.now(), refused, deadline, assume).await;
        let Sts { endpoint, .. } = self.provider.sts();
        found.unwrap_or_else(|| Err(too_late(CallInfo::of_assume(endpoint, &role.role_arn))))
    }

    async fn assume(
        &self,
        sender: &Sender,
        role: &AssumedRole,
        deadline: Instant,
    ) -> Result<Credentials, Error> {
        let sts = self.provider.sts();
        let expected = (role.role_arn.as_str(), sts.session_name);
        let times = |date| sender.times_at(sts.endpoint, date);
        let read = |body: &[u8], date| sts::read(body, expected, times(date));
        let with = self.own(sender, None, deadline).await?;
        let first = sender.send(&call(&sts, role, &with), deadline, read).await;
        match first {
            Err(error) if error.wants_new_credentials() => {
                let refused = with;
                let with = self.own(sender, Some(&refused), deadline).await?;
                if Arc::ptr_eq(&with, &refused) {
                    return Err(error);
                }
                let again = sender.send(&call(&sts, role, &with), deadline, read).await;
                Ok(again.map_err(|again| again.after(error.attempts()))?.content)
            }
            first => Ok(first?.content),
        }
    }
}

fn call<'a>(sts: &Sts<'a>, role: &'a AssumedRole, with: &'a Credentials) -> Call<'a> {
    let Sts { endpoint, session_name, duration } = *sts;
    // A chained role's session is limited to an hour, whatever the role allows.
    let duration = duration.min(3600);
    Call::Assume(AssumeRole { endpoint, role, session_name, duration, with })
}

fn too_late(call: CallInfo) -> Error {
    Error::new(call, Unreachable::Timeout.into(), 0)
}
