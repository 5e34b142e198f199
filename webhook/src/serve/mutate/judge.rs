//! The judge of a review: a function, with what it takes of the cluster.

use crate::account::Account;
use crate::class::Class;
use crate::cluster::directory::Directory;
use crate::facts::{Fact, Facts, Wanted};
use crate::settings::Settings;
use crate::wire::admit::Question;
use crate::wire::reply::Reply;

/// Decides a review. A plain function: what it needs comes in, what it says comes out.
pub type Admit = fn(&[u8], &Settings) -> Reply;

/// How a review is decided.
pub enum Judge {
    /// A function, without a cluster to ask.
    Alone(Admit),
    /// The same decision with facts of the cluster.
    InCluster(Box<Directory>),
}

/// How far a decision got.
pub(super) enum Progress {
    Decided(Reply),
    /// This is not in memory and must be read first, beside what is known.
    Reads(Wanted<'static>, Facts),
}

impl Judge {
    /// Decides with what is in memory and with what was read. It waits for nothing, so that it can
    /// run on any thread; a review for which something had to be read is read twice.
    pub(super) fn step(&self, body: &[u8], mut facts: Facts, settings: &Settings) -> Progress {
        let directory = match self {
            Self::Alone(admit) => return Progress::Decided(admit(body, settings)),
            Self::InCluster(directory) => directory,
        };
        let question = match Question::read(body) {
            Ok(question) => question,
            Err(reply) => return Progress::Decided(*reply),
        };
        for _ in 0..Facts::MOST {
            let Some(wanted) = question.wants(&facts, settings) else { break };
            match directory.known(&wanted) {
                Some(fact) => facts = facts.with(fact),
                None => return Progress::Reads(wanted.into_owned(), facts),
            }
        }
        Progress::Decided(question.answer(&facts, settings))
    }

    /// Finds what a step asked for.
    pub(super) async fn find(&self, wanted: &Wanted<'_>) -> Fact {
        match self {
            // A function alone asks for nothing.
            Self::Alone(_) => match wanted {
                Wanted::Account { .. } => Fact::Account(Account::Unknown),
                Wanted::Class { .. } => Fact::Class(Class::Unknown),
            },
            Self::InCluster(directory) => directory.find(wanted).await,
        }
    }
}
