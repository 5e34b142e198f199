//! The ServiceAccounts that name a role, and nothing of the others: one writer keeps them, readers
//! never wait for it.
//!
//! 50,000 of them are some 8 MB. An account is one allocation; a change copies the pointers of one
//! shard, two hundred of them then.

#[cfg(test)]
mod tests;

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arc_swap::ArcSwap;

use crate::account::ServiceAccount;

/// What readers share.
#[derive(Debug)]
pub struct Accounts {
    shards: Box<[ArcSwap<Shard>]>,
    hasher: RandomState,
    count: AtomicUsize,
}

/// The one that may change them.
#[derive(Debug)]
pub struct Writer {
    accounts: Arc<Accounts>,
    /// How many bytes all entries have together.
    bytes: usize,
}

/// All accounts as the API server lists them, page by page.
#[derive(Debug)]
pub struct Listing {
    shards: Vec<Shard>,
    bytes: usize,
}

/// By namespace and name.
type Shard = Vec<Entry>;

/// Namespace, name, ARN and role name with a NUL behind each of the first three. No annotation has
/// a NUL here, and Kubernetes allows none in a name.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry(Arc<str>);

/// No accounts yet.
pub fn accounts() -> (Arc<Accounts>, Writer) {
    let shards = (0..SHARDS).map(|_| ArcSwap::default()).collect();
    let accounts =
        Arc::new(Accounts { shards, hasher: RandomState::new(), count: AtomicUsize::new(0) });
    (Arc::clone(&accounts), Writer { accounts, bytes: 0 })
}

impl Accounts {
    /// The account, if it names a role. That it is not here says nothing about others.
    pub fn get(&self, namespace: &str, name: &str) -> Option<ServiceAccount> {
        let shard = self.shard(namespace, name)?.load();
        let at = position(&shard, namespace, name).ok()?;
        shard.get(at).map(Entry::account)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    fn index(&self, namespace: &str, name: &str) -> usize {
        // A seeded hash: nobody can choose names that all fall into one shard.
        usize::try_from(self.hasher.hash_one((namespace, name)) % SHARDS).unwrap_or_default()
    }

    fn shard(&self, namespace: &str, name: &str) -> Option<&ArcSwap<Shard>> {
        self.shards.get(self.index(namespace, name))
    }
}

impl Writer {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.accounts.count()
    }

    /// What is now known of an account. One that names no role, or that there is no room for, is
    /// forgotten: it is read from the API server when it is needed.
    pub fn set(&mut self, namespace: &str, name: &str, account: &ServiceAccount) {
        let Some(slot) = self.accounts.shard(namespace, name) else { return };
        let old = slot.load();
        let found = position(&old, namespace, name);
        let kept = Entry::new(namespace, name, account);
        if kept.is_none() && found.is_err() {
            return;
        }
        let mut shard: Shard = Vec::with_capacity(old.len() + 1);
        shard.extend(old.iter().cloned());
        let (at, freed) = match found {
            Ok(at) => (at, shard.remove(at).size()),
            Err(at) => (at, 0),
        };
        self.bytes = self.bytes.saturating_sub(freed);
        if let Some(entry) = kept.filter(|entry| self.bytes + entry.size() <= MOST_BYTES) {
            self.bytes += entry.size();
            shard.insert(at, entry);
        }
        let (before, after) = (old.len(), shard.len());
        slot.store(Arc::new(shard));
        if after > before {
            self.accounts.count.fetch_add(1, Ordering::Relaxed);
        } else if after < before {
            self.accounts.count.fetch_sub(1, Ordering::Relaxed);
        }
    }

    pub fn remove(&mut self, namespace: &str, name: &str) {
        self.set(namespace, name, &ServiceAccount::default());
    }

    pub fn listing() -> Listing {
        Listing { shards: (0..SHARDS).map(|_| Shard::new()).collect(), bytes: 0 }
    }

    /// Adds to a listing; what has not changed since is shared with what is in use.
    pub fn list(
        &self,
        listing: &mut Listing,
        namespace: &str,
        name: &str,
        account: &ServiceAccount,
    ) {
        let Some(entry) = Entry::new(namespace, name, account) else { return };
        let index = self.accounts.index(namespace, name);
        let (Some(shard), Some(current)) =
            (listing.shards.get_mut(index), self.accounts.shards.get(index).map(ArcSwap::load))
        else {
            return;
        };
        if listing.bytes + entry.size() > MOST_BYTES {
            return;
        }
        listing.bytes += entry.size();
        let same = position(&current, namespace, name).ok().and_then(|at| current.get(at));
        shard.push(same.filter(|same| **same == entry).cloned().unwrap_or(entry));
    }

    /// Takes a complete listing in place of what is known.
    pub fn replace(&mut self, listing: Listing) {
        let mut count = 0;
        self.bytes = 0;
        for (slot, mut shard) in self.accounts.shards.iter().zip(listing.shards) {
            shard.sort_unstable_by(|a, b| a.key().cmp(&b.key()));
            shard.dedup_by(|a, b| a.key() == b.key());
            shard.shrink_to_fit();
            count += shard.len();
            self.bytes += shard.iter().map(Entry::size).sum::<usize>();
            slot.store(Arc::new(shard));
        }
        self.accounts.count.store(count, Ordering::Relaxed);
    }
}

impl Entry {
    /// `None` where the account names no role, or in a way that no role is named: what is said of
    /// that is said when it is read anew.
    fn new(namespace: &str, name: &str, account: &ServiceAccount) -> Option<Self> {
        let ServiceAccount { role_arn, role_name } = account;
        let values = [role_arn.as_deref(), role_name.as_deref()];
        if values.iter().all(Option::is_none) {
            return None;
        }
        let odd = |value: &str| value.len() > LONGEST || value.contains('\0');
        if values.iter().flatten().any(|value| odd(value)) || namespace.contains('\0') {
            return None;
        }
        // The sign tells an empty annotation from none.
        let [arn, role_name] = values.map(|value| match value {
            Some(value) => format!("={value}"),
            None => String::new(),
        });
        Some(Self(format!("{namespace}\0{name}\0{arn}\0{role_name}").into()))
    }

    fn parts(&self) -> [&str; 4] {
        let mut parts = self.0.splitn(4, '\0');
        [(); 4].map(|()| parts.next().unwrap_or_default())
    }

    fn key(&self) -> (&str, &str) {
        let [namespace, name, ..] = self.parts();
        (namespace, name)
    }

    fn account(&self) -> ServiceAccount {
        let [_, _, arn, role_name] = self.parts();
        let value = |text: &str| text.strip_prefix('=').map(str::to_owned);
        ServiceAccount { role_arn: value(arn), role_name: value(role_name) }
    }

    /// With the pointer to it, its counts and what an allocator adds.
    fn size(&self) -> usize {
        self.0.len() + 48
    }
}

fn position(shard: &Shard, namespace: &str, name: &str) -> Result<usize, usize> {
    shard.binary_search_by(|entry| entry.key().cmp(&(namespace, name)))
}

const SHARDS: u64 = 256;
/// A role's ARN has at most 180 characters.
const LONGEST: usize = 256;
/// Some 100,000 accounts. Whoever may create ServiceAccounts by the million takes no more.
pub(crate) const MOST_BYTES: usize = 20 * 1024 * 1024;
