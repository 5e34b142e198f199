//! Accounts and who may do what in them.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use super::glob;
use super::jwt::KeySet;
use super::seed::{AccountSeed, ParameterKind, Permission, ProviderSeed, RoleSeed, UserSeed};
use super::store::{Parameter, Secret, StoreError};

pub(crate) struct Account {
    pub(crate) providers: Vec<Provider>,
    pub(crate) users: Vec<UserSeed>,
    pub(crate) roles: Vec<RoleSeed>,
    /// By region and name.
    pub(crate) secrets: BTreeMap<(String, String), Secret>,
    /// By region, whether encrypted, and name.
    pub(crate) parameters: BTreeMap<(String, bool, String), Parameter>,
}

pub(crate) struct Provider {
    pub(crate) name: String,
    pub(crate) issuer: String,
    pub(crate) client_ids: Vec<String>,
    pub(crate) keys: KeySet,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Who {
    User(String),
    Role { name: String, session: String },
}

/// An identity whose credential has been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Principal {
    pub(crate) account: String,
    pub(crate) who: Who,
}

impl Account {
    pub(crate) fn new(
        seed: AccountSeed,
        region: &str,
        own: &KeySet,
        now: OffsetDateTime,
    ) -> Result<Self, StoreError> {
        let mut secrets = BTreeMap::new();
        for mut secret in seed.secrets {
            let region = secret.region.take().unwrap_or_else(|| region.to_owned());
            secrets.insert((region, secret.name.clone()), Secret::new(secret, now)?);
        }
        let mut parameters = BTreeMap::new();
        for mut parameter in seed.parameters {
            let region = parameter.region.take().unwrap_or_else(|| region.to_owned());
            let encrypted = parameter.kind == ParameterKind::Secret;
            parameters.insert(
                (region, encrypted, parameter.name.clone()),
                Parameter::new(parameter, now)?,
            );
        }
        Ok(Self {
            providers: seed
                .providers
                .into_iter()
                .map(|provider| Provider::new(provider, own))
                .collect(),
            users: seed.users,
            roles: seed.roles,
            secrets,
            parameters,
        })
    }

    pub(crate) fn role(&self, name: &str) -> Option<&RoleSeed> {
        self.roles.iter().find(|role| role.name == name)
    }

    pub(crate) fn allows(&self, who: &Who, action: &str, resource: &str) -> bool {
        let permissions = match who {
            Who::User(name) => {
                self.users.iter().find(|user| user.name == *name).map(|user| &user.permissions)
            }
            Who::Role { name, .. } => self.role(name).map(|role| &role.permissions),
        };
        permissions.is_some_and(|all| all.iter().any(|one| one.allows(action, resource)))
    }
}

impl Provider {
    fn new(seed: ProviderSeed, own: &KeySet) -> Self {
        Self {
            name: seed.name,
            issuer: seed.issuer,
            client_ids: seed.client_ids,
            keys: seed.keys.unwrap_or_else(|| own.clone()),
        }
    }
}

impl Permission {
    fn allows(&self, action: &str, resource: &str) -> bool {
        glob::any(&self.actions, action) && glob::any(&self.resources, resource)
    }
}

impl Principal {
    /// As trust policies name it.
    pub(crate) fn identity(&self) -> String {
        match &self.who {
            Who::User(name) => format!("acs:ram::{}:user/{name}", self.account),
            Who::Role { name, .. } => format!("acs:ram::{}:role/{name}", self.account),
        }
    }

    /// With the session, as answers and logs name it.
    pub(crate) fn arn(&self) -> String {
        match &self.who {
            Who::User(_) => self.identity(),
            Who::Role { session, .. } => format!("{}/{session}", self.identity()),
        }
    }
}
