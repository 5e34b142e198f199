//! The judge of a review: a function, with a read of one ServiceAccount of the cluster where it takes that.

use crate::account::Account;
use crate::cluster::directory::Directory;
use crate::settings::Settings;
use crate::wire::admit::Question;
use crate::wire::reply::Reply;

/// Decides a review. A plain function: what it needs comes in, what it says comes out.
pub type Admit = fn(&[u8], &Settings) -> Reply;

/// How a review is decided.
pub enum Judge {
    /// A function, without a cluster to ask.
    Alone(Admit),
    /// The same decision with the Pod's ServiceAccount.
    InCluster(Box<Directory>),
}

/// How far a decision got.
pub(super) enum Progress {
    Decided(Reply),
    /// This ServiceAccount is not in memory and must be read first.
    Reads {
        namespace: String,
        name: String,
    },
}

impl Judge {
    /// Decides with what is in memory and with the account that was `read`. It waits for nothing,
    /// so that it can run on any thread; a review whose account had to be read is read twice.
    pub(super) fn step(
        &self,
        body: &[u8],
        read: Option<&Account>,
        settings: &Settings,
    ) -> Progress {
        let directory = match self {
            Self::Alone(admit) => return Progress::Decided(admit(body, settings)),
            Self::InCluster(directory) => directory,
        };
        let question = match Question::read(body) {
            Ok(question) => question,
            Err(reply) => return Progress::Decided(*reply),
        };
        let known = match (read, question.account()) {
            (Some(account), _) => return Progress::Decided(question.answer(account, settings)),
            (None, None) => Account::Unknown,
            (None, Some((namespace, name))) => match directory.known(namespace, name) {
                Some(account) => account,
                None => {
                    let (namespace, name) = (namespace.to_owned(), name.to_owned());
                    return Progress::Reads { namespace, name };
                }
            },
        };
        Progress::Decided(question.answer(&known, settings))
    }

    /// Reads an account that a step asked for.
    pub(super) async fn read(&self, namespace: &str, name: &str) -> Account {
        match self {
            Self::Alone(_) => Account::Unknown,
            Self::InCluster(directory) => directory.of(namespace, name).await,
        }
    }
}
