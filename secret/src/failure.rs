//! Why a source gave no value. This is the one list of the kinds of failure: metrics, the status
//! file, exit codes and advice go by it, whichever backend was asked.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// We could not show who we are: token, trust policy, credentials, signature.
    Identity,
    /// The backend knows us and says no.
    Denied,
    NotFound,
    Throttled,
    /// There was no answer, an answer of another machine, or a backend that is down.
    Unreachable,
    /// The backend refuses for another reason.
    Refused,
    /// An answer or a value came and cannot be used.
    Unusable,
    /// An answer came that is for another question.
    Mismatched,
    /// The value came and could not be written: no backend fails in this way.
    Local,
}

impl Failure {
    pub const ALL: [Self; 9] = [
        Self::Identity,
        Self::Denied,
        Self::NotFound,
        Self::Throttled,
        Self::Unreachable,
        Self::Refused,
        Self::Unusable,
        Self::Mismatched,
        Self::Local,
    ];

    /// The word for logs, labels of metrics and the status file, as `docs/exit-codes.md` has it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Denied => "denied",
            Self::NotFound => "not-found",
            Self::Throttled => "throttled",
            Self::Unreachable => "unreachable",
            Self::Refused => "refused",
            Self::Unusable => "unusable",
            Self::Mismatched => "mismatched",
            Self::Local => "local",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Failure;

    #[test]
    fn a_word_is_the_same_in_the_file_and_beside_it() {
        for failure in Failure::ALL {
            assert_eq!(serde_json::to_value(failure).unwrap(), failure.word());
        }
    }
}
