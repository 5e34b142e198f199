//! All that changes while the emulator runs, behind one lock.

use std::collections::{BTreeMap, HashMap};

use time::OffsetDateTime;

use super::account::{Account, Principal};
use super::clock::Clock;
use super::fault::Faults;
use super::hidden::Hidden;
use super::instance::Instance;
use super::issuer::TokenRequest;
use super::journal::Journal;
use super::jwt::KeySet;
use super::nonces::Nonces;
use super::route::Regions;
use super::seed::{ParameterKind, ParameterSeed, SecretSeed, SecretState, Seed, VersionSeed};
use super::store::{Parameter, Secret, StoreError};

/// More than any test opens; the oldest go first.
const MOST_SESSIONS: usize = 10_000;

pub(crate) struct State {
    pub(crate) regions: Regions,
    pub(crate) accounts: BTreeMap<String, Account>,
    sessions: HashMap<String, Session>,
    pub(crate) nonces: Nonces,
    pub(crate) faults: Faults,
    pub(crate) journal: Journal,
    pub(crate) clock: Clock,
    pub(crate) instance: Instance,
}

/// A credential that STS gave out.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) secret: Hidden,
    pub(crate) token: Hidden,
    pub(crate) expires: OffsetDateTime,
    pub(crate) principal: Principal,
}

/// Where a secret or parameter lies; without a region, the default one.
#[derive(Debug, Clone)]
pub struct StoredPlace {
    pub account: String,
    pub region: Option<String>,
    pub name: String,
}

impl StoredPlace {
    pub fn new(account: &str, name: &str) -> Self {
        Self { account: account.to_owned(), region: None, name: name.to_owned() }
    }

    #[must_use]
    pub fn in_region(mut self, region: &str) -> Self {
        self.region = Some(region.to_owned());
        self
    }
}

impl State {
    /// Providers without keys trust `own`.
    pub(crate) fn new(seed: Seed, own: &KeySet) -> Result<Self, StoreError> {
        let clock = Clock::default();
        let mut accounts = BTreeMap::new();
        for account in seed.accounts {
            let id = account.id.clone();
            accounts.insert(id, Account::new(account, &seed.region, own, clock.now())?);
        }
        Ok(Self {
            regions: Regions { default: seed.region, gateways: seed.gateways },
            accounts,
            sessions: HashMap::new(),
            nonces: Nonces::default(),
            faults: Faults::default(),
            journal: Journal::default(),
            clock,
            instance: Instance::new(seed.instance),
        })
    }

    /// From the first provider there is, an hour from now by this clock.
    pub(crate) fn token_request(&self, namespace: &str, service_account: &str) -> TokenRequest {
        let provider = self.accounts.values().flat_map(|account| &account.providers).next();
        let issuer = provider.map_or("https://issuer.invalid", |provider| &provider.issuer);
        TokenRequest {
            issued: self.clock.now(),
            ..TokenRequest::new(issuer, namespace, service_account)
        }
    }

    pub(crate) fn put_secret(
        &mut self,
        account: &str,
        mut seed: SecretSeed,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        let region = seed.region.take().unwrap_or_else(|| self.regions.default.clone());
        let account = self.account_mut(account)?;
        account.secrets.insert((region, seed.name.clone()), Secret::new(seed, now)?);
        Ok(())
    }

    /// Answers the id of the new version.
    pub(crate) fn rotate_secret(
        &mut self,
        place: &StoredPlace,
        version: VersionSeed,
    ) -> Result<String, StoreError> {
        Ok(self.secret_mut(place)?.rotate(version)?.id.clone())
    }

    pub(crate) fn set_secret_state(
        &mut self,
        place: &StoredPlace,
        state: SecretState,
    ) -> Result<(), StoreError> {
        self.secret_mut(place)?.state = state;
        Ok(())
    }

    pub(crate) fn delete_secret(&mut self, place: &StoredPlace) -> Result<(), StoreError> {
        let region = self.region(place);
        let removed =
            self.account_mut(&place.account)?.secrets.remove(&(region, place.name.clone()));
        removed.map(drop).ok_or_else(|| self.not_there("secret", place))
    }

    pub(crate) fn put_parameter(
        &mut self,
        account: &str,
        mut seed: ParameterSeed,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        let region = seed.region.take().unwrap_or_else(|| self.regions.default.clone());
        let encrypted = seed.kind == ParameterKind::Secret;
        let account = self.account_mut(account)?;
        account
            .parameters
            .insert((region, encrypted, seed.name.clone()), Parameter::new(seed, now)?);
        Ok(())
    }

    pub(crate) fn update_parameter(
        &mut self,
        place: &StoredPlace,
        encrypted: bool,
        value: Hidden,
    ) -> Result<(), StoreError> {
        let key = (self.region(place), encrypted, place.name.clone());
        let missing = self.not_there("parameter", place);
        let parameter =
            self.account_mut(&place.account)?.parameters.get_mut(&key).ok_or(missing)?;
        parameter.update(value);
        Ok(())
    }

    pub(crate) fn delete_parameter(
        &mut self,
        place: &StoredPlace,
        encrypted: bool,
    ) -> Result<(), StoreError> {
        let key = (self.region(place), encrypted, place.name.clone());
        let removed = self.account_mut(&place.account)?.parameters.remove(&key);
        removed.map(drop).ok_or_else(|| self.not_there("parameter", place))
    }

    /// From now on the provider trusts these keys.
    pub(crate) fn trust_keys(
        &mut self,
        account: &str,
        provider: &str,
        keys: KeySet,
    ) -> Result<(), StoreError> {
        let missing = StoreError::NotThere {
            what: "OIDC provider",
            account: account.to_owned(),
            region: "(all)".to_owned(),
            name: provider.to_owned(),
        };
        let all = &mut self.account_mut(account)?.providers;
        all.iter_mut().find(|one| one.name == provider).ok_or(missing)?.keys = keys;
        Ok(())
    }

    pub(crate) fn open_session(&mut self, access_key_id: String, session: Session) {
        if self.sessions.len() >= MOST_SESSIONS {
            let oldest = self.sessions.iter().min_by_key(|(_, session)| session.expires);
            if let Some(oldest) = oldest.map(|(id, _)| id.clone()) {
                self.sessions.remove(&oldest);
            }
        }
        self.sessions.insert(access_key_id, session);
    }

    pub(crate) fn session(&self, access_key_id: &str) -> Option<&Session> {
        self.sessions.get(access_key_id)
    }

    /// Every credential given out so far is expired from now on.
    pub(crate) fn expire_sessions(&mut self) {
        for session in self.sessions.values_mut() {
            session.expires = OffsetDateTime::UNIX_EPOCH;
        }
    }

    pub(crate) fn allows(&self, principal: &Principal, action: &str, resource: &str) -> bool {
        self.accounts
            .get(&principal.account)
            .is_some_and(|account| account.allows(&principal.who, action, resource))
    }

    fn account_mut(&mut self, id: &str) -> Result<&mut Account, StoreError> {
        self.accounts.get_mut(id).ok_or_else(|| StoreError::NoAccount(id.to_owned()))
    }

    fn secret_mut(&mut self, place: &StoredPlace) -> Result<&mut Secret, StoreError> {
        let key = (self.region(place), place.name.clone());
        let missing = self.not_there("secret", place);
        self.account_mut(&place.account)?.secrets.get_mut(&key).ok_or(missing)
    }

    fn region(&self, place: &StoredPlace) -> String {
        place.region.as_ref().unwrap_or(&self.regions.default).clone()
    }

    fn not_there(&self, what: &'static str, place: &StoredPlace) -> StoreError {
        StoreError::NotThere {
            what,
            account: place.account.clone(),
            region: self.region(place),
            name: place.name.clone(),
        }
    }
}
