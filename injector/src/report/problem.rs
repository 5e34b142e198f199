//! Why a run failed: the exit code, and a text that a person can act on.

use std::io::Write;
use std::path::Path;

use crate::report::exit::Exit;
use crate::report::terminal::one_line;

/// One thing that is wrong, and what to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) exit: Exit,
    /// Which sources or files; may be empty where it is about the whole run.
    pub(crate) about: Vec<String>,
    pub(crate) text: String,
    pub(crate) advice: Vec<String>,
}

/// All problems of one run, at least one, in the plan's order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Report {
    first: Problem,
    others: Vec<Problem>,
}

/// The kubelet cuts a termination message here.
const LIMIT: usize = 4096;
const LINE: usize = 600;

impl Problem {
    pub(crate) fn new(exit: Exit, text: String) -> Self {
        Self { exit, about: Vec::new(), text, advice: Vec::new() }
    }

    pub(crate) fn about(mut self, what: String) -> Self {
        self.about.push(what);
        self
    }

    pub(crate) fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice.push(advice.into());
        self
    }

    pub(crate) fn headline(&self) -> String {
        let text = match self.about.as_slice() {
            [] => self.text.clone(),
            [only] => format!("{only}: {}", self.text),
            [first, others @ ..] => format!("{first} and {} more: {}", others.len(), self.text),
        };
        one_line(&text, LINE)
    }
}

impl Report {
    /// Merges problems with the same cause: a refused identity is reported once, not forty times.
    pub(crate) fn of(problems: Vec<Problem>) -> Option<Self> {
        let mut merged: Vec<Problem> = Vec::new();
        for problem in problems {
            let same = |other: &&mut Problem| {
                (other.exit, &other.text, &other.advice)
                    == (problem.exit, &problem.text, &problem.advice)
            };
            match merged.iter_mut().find(same) {
                Some(known) => known.about.extend(problem.about),
                None => merged.push(problem),
            }
        }
        let mut rest = merged.into_iter();
        Some(Self { first: rest.next()?, others: rest.collect() })
    }

    /// The exit code of the first problem, in the plan's order.
    pub(crate) fn exit(&self) -> Exit {
        self.first.exit
    }

    /// The text, at most as much as the kubelet keeps. Its first line stands alone.
    pub(crate) fn message(&self) -> String {
        let mut message = String::new();
        let problems = [&self.first].into_iter().chain(&self.others);
        for (index, problem) in problems.enumerate() {
            let mut lines = format!("{}\n", problem.headline());
            for advice in &problem.advice {
                lines.push_str(&format!("  check: {}\n", one_line(advice, LINE)));
            }
            let rest = format!("and {} more problems\n", self.others.len() + 1 - index);
            if message.len() + lines.len() + rest.len() > LIMIT {
                message.push_str(&rest);
                break;
            }
            message.push_str(&lines);
        }
        message.truncate(message.trim_end().len());
        message
    }
}

impl From<Problem> for Report {
    fn from(problem: Problem) -> Self {
        Self { first: problem, others: Vec::new() }
    }
}

/// Leaves the reason where the kubelet looks for it. Whether that works or not, it goes to stderr
/// too, so there is nothing to do about a failure.
pub(crate) fn leave(message: &str, path: &Path) {
    let file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).open(path);
    if let Ok(mut file) = file {
        let _ = file.write_all(message.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(source: &str, text: &str) -> Problem {
        Problem::new(Exit::Denied, text.to_owned()).about(source.to_owned()).advise("the policy")
    }

    /// Each with a cause of its own.
    fn distinct(problems: impl Iterator<Item = Problem>) -> Vec<Problem> {
        problems
            .enumerate()
            .map(|(index, problem)| Problem {
                text: format!("{index:03}{}", problem.text),
                ..problem
            })
            .collect()
    }

    #[test]
    fn the_first_line_stands_alone_and_advice_follows() {
        let report = Report::from(problem("kms://db", "refused"));
        assert_eq!(report.message(), "kms://db: refused\n  check: the policy");
    }

    #[test]
    fn one_cause_is_told_once_for_all_of_its_sources() {
        let problems = vec![problem("a", "x"), problem("b", "y"), problem("c", "x")];
        let report = Report::of(problems).unwrap();
        assert!(report.message().starts_with("a and 1 more: x\n"), "{}", report.message());
        assert_eq!(report.message().matches("check").count(), 2);
        assert_eq!(Report::of(Vec::new()), None);
    }

    #[test]
    fn the_exit_code_is_that_of_the_first_problem() {
        let late = Problem::new(Exit::Throttled, "late".to_owned());
        let report = Report::of(vec![problem("a", "x"), late]).unwrap();
        assert_eq!(report.exit(), Exit::Denied);
    }

    #[test]
    fn a_message_is_never_longer_than_the_kubelet_keeps() {
        for length in 1..200 {
            let problems = (0..256).map(|index| problem(&format!("{index}"), &"密".repeat(length)));
            let message = Report::of(distinct(problems)).unwrap().message();
            assert!(message.len() <= LIMIT, "{length}: {}", message.len());
        }
        let problems =
            (0..256).map(|index| problem(&format!("密{index}"), &"密\n".repeat(index * 9)));
        let message = Report::of(problems.collect()).unwrap().message();
        assert!(message.len() <= LIMIT, "{}", message.len());
        let last = message.lines().last().unwrap();
        assert!(last.starts_with("and ") && last.ends_with(" more problems"), "{last}");
        let told = message.lines().filter(|line| line.starts_with('密')).count();
        assert_eq!(last, format!("and {} more problems", 256 - told));
    }
}
