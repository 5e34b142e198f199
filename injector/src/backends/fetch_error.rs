//! What every backend says of a source that gave no value.

use secret::Failure;

use crate::report::exit::Exit;
use crate::report::problem::Problem;

/// Why a source gave no value, and what the backend says about that.
#[derive(Clone, Debug)]
pub(crate) struct FetchError {
    pub(crate) failure: Failure,
    /// One line, without anything that is secret.
    pub(crate) text: String,
    /// The backend's own error code.
    pub(crate) code: Option<String>,
    pub(crate) request_id: Option<String>,
    /// The identity that asked, for people.
    pub(crate) caller: String,
    /// Requests that were sent for it.
    pub(crate) attempts: u32,
    /// The backend is well, knows us, and will not give the value any more.
    pub(crate) is_revocation: bool,
    /// What a person can check.
    pub(crate) advice: Vec<String>,
}

impl FetchError {
    pub(crate) fn was_sent(&self) -> bool {
        self.attempts > 0
    }

    /// `source` is what the lookup is called among those of the plan.
    pub(crate) fn problem(&self, source: String) -> Problem {
        let mut problem = Problem::new(Exit::from(self.failure), self.text.clone()).about(source);
        problem.advice.clone_from(&self.advice);
        problem
    }
}

/// A source that was not waited for; it is reported only beside a reason.
pub(crate) fn unfinished(source: String) -> Problem {
    let text = "not finished when the run was given up".to_owned();
    Problem::new(Exit::Unreachable, text).about(source)
}
