//! A plan that is there already, of whatever release.

use serde::Deserialize;

use super::names::Names;
use super::{Plan, VERSION, version_of};

/// What a plan of any version says of itself to a webhook that finds it in a Pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It has the version of this code, and was made for these containers.
    Same {
        consumers: Vec<String>,
    },
    Older,
    /// The version of a later release.
    Newer(u64),
    Unreadable,
}

impl Plan {
    /// What the webhook needs of a plan that is there already. It reads no more of it: what follows
    /// from the rest is decided anew, and reading it costs more the more a plan has.
    #[must_use]
    pub fn recorded(json: &str) -> Recorded {
        #[derive(Deserialize)]
        struct Consumers {
            consumers: Names,
        }
        match version_of(json) {
            Ok(version) if version > VERSION => Recorded::Newer(version),
            Ok(version) if version < VERSION => Recorded::Older,
            Ok(_) => match serde_json::from_str(json) {
                Ok(Consumers { consumers: Names(consumers) }) => Recorded::Same { consumers },
                Err(_) => Recorded::Unreadable,
            },
            Err(_) => Recorded::Unreadable,
        }
    }
}
