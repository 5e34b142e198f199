//! What a review needs of the cluster beside the Pod itself, and what the cluster said. Each kind of
//! object that is read for a Pod stands here once.

use std::borrow::Cow;

use crate::account::Account;
use crate::class::Class;

/// The owner of a Pod, as the cluster says and not the Pod, and what is known of the cluster for it.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    pub namespace: &'a str,
    pub facts: &'a Facts,
}

/// Something that must be known before a review is decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// The ServiceAccount that says the Pod's role.
    Account { namespace: Cow<'a, str>, name: Cow<'a, str> },
    /// The SecretProviderClass that the Pod names.
    Class { namespace: Cow<'a, str>, name: Cow<'a, str> },
}

impl Wanted<'_> {
    /// The same, beside a review that is put away until it is known.
    #[must_use]
    pub fn into_owned(self) -> Wanted<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        match self {
            Wanted::Account { namespace, name } => {
                Wanted::Account { namespace: owned(namespace), name: owned(name) }
            }
            Wanted::Class { namespace, name } => {
                Wanted::Class { namespace: owned(namespace), name: owned(name) }
            }
        }
    }
}

/// What was found out about one wanted object.
#[derive(Clone, Debug)]
pub enum Fact {
    Account(Account),
    Class(Class),
}

/// All that is known for one review.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    account: Option<Account>,
    class: Option<Class>,
}

impl Facts {
    /// As many objects as one review may need. They are read one behind the other, while an API server
    /// waits.
    pub const MOST: usize = 2;

    #[must_use]
    pub fn with(mut self, fact: Fact) -> Self {
        match fact {
            Fact::Account(account) => self.account = Some(account),
            Fact::Class(class) => self.class = Some(class),
        }
        self
    }

    #[must_use]
    pub fn account(&self) -> &Account {
        self.account.as_ref().unwrap_or(&Account::Unknown)
    }

    #[must_use]
    pub fn class(&self) -> &Class {
        self.class.as_ref().unwrap_or(&Class::Unknown)
    }

    pub(crate) fn has_account(&self) -> bool {
        self.account.is_some()
    }

    pub(crate) fn has_class(&self) -> bool {
        self.class.is_some()
    }

    /// How many of them another time may tell.
    pub(crate) fn unreadable(&self) -> usize {
        usize::from(matches!(self.account, Some(Account::Unreadable(_))))
            + usize::from(matches!(self.class, Some(Class::Unreadable(_))))
    }
}

impl From<Account> for Facts {
    fn from(account: Account) -> Self {
        Self::default().with(Fact::Account(account))
    }
}
