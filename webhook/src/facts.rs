//! What a review needs of the cluster beside the Pod itself, and what the cluster said. Each kind of
//! object that is read for a Pod stands here once.

use std::borrow::Cow;

use crate::account::Account;

/// Something that must be known before a review is decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// The ServiceAccount that says the Pod's role.
    Account { namespace: Cow<'a, str>, name: Cow<'a, str> },
}

impl Wanted<'_> {
    /// The same, beside a review that is put away until it is known.
    #[must_use]
    pub fn into_owned(self) -> Wanted<'static> {
        match self {
            Wanted::Account { namespace, name } => Wanted::Account {
                namespace: namespace.into_owned().into(),
                name: name.into_owned().into(),
            },
        }
    }
}

/// What was found out about one wanted object.
#[derive(Clone, Debug)]
pub enum Fact {
    Account(Account),
}

/// All that is known for one review.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    account: Option<Account>,
}

impl Facts {
    /// As many objects as one review may need.
    pub const MOST: usize = 1;

    #[must_use]
    pub fn with(mut self, fact: Fact) -> Self {
        match fact {
            Fact::Account(account) => self.account = Some(account),
        }
        self
    }

    #[must_use]
    pub fn account(&self) -> &Account {
        self.account.as_ref().unwrap_or(&Account::Unknown)
    }

    pub(crate) fn has_account(&self) -> bool {
        self.account.is_some()
    }
}

impl From<Account> for Facts {
    fn from(account: Account) -> Self {
        Self::default().with(Fact::Account(account))
    }
}
