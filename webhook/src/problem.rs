//! What keeps a Pod from being injected, in words for the person who wrote it.

use std::fmt::{self, Write as _};

use crate::text::nearest::{Effort, nearest_within};

/// The keys of all our annotations begin with this.
pub(crate) const PREFIX: &str = "kms.alibabacloud/";

/// One thing that is wrong: where, what, and how to put it right.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Problem {
    pub origin: Origin,
    /// Line within the text, from 1.
    pub line: Option<usize>,
    /// The place within the text (`item 2, fileMode`) or the Pod (`container "app"`).
    pub place: String,
    pub what: String,
    pub remedy: String,
}

/// Where a text is from that somebody wrote for a Pod.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The Pod itself.
    Pod,
    /// An annotation of it, by its full key.
    Annotation(String),
    /// A field of the SecretProviderClass that it names.
    Class(Box<ClassField>),
    /// An annotation that a rule of the settings gives it.
    Rule(Box<RuleAnnotation>),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClassField {
    pub class: String,
    /// The way from `spec` to it.
    pub field: String,
}

/// What is wrong with one Pod: never empty where it is an error. As many problems are kept as a
/// person would read, and the others counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    kept: Vec<Problem>,
    count: usize,
    /// For suggestions.
    effort: Effort,
}

/// Events and warnings are cut; the first line must be enough to act on.
const FIRST_LINE: usize = 200;
/// A person corrects a few dozen at most before trying again.
const LISTED: usize = 32;
/// Offline all that are kept are listed.
const KEPT: usize = 256;
/// Bytes of one problem, and of each of its parts.
const LONGEST: usize = 1000;

impl Problem {
    /// A problem of one annotation as a whole. `key` is without our prefix.
    pub(crate) fn annotation(
        key: &str,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::at(Origin::Annotation(format!("{PREFIX}{key}")), what, remedy)
    }

    /// A problem of a text as a whole.
    pub(crate) fn at(origin: Origin, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        let (what, remedy) = (what.into(), remedy.into());
        Self { origin, line: None, place: String::new(), what, remedy }
    }

    /// A problem of the Pod itself.
    pub(crate) fn pod(
        place: impl Into<String>,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { place: place.into(), ..Self::at(Origin::Pod, what, remedy) }
    }
}

impl Problem {
    /// What a person may see of it. Names that a Pod's author chose stand in it, of any length.
    fn cut(mut self) -> Self {
        let Self { origin, place, what, remedy, .. } = &mut self;
        for text in origin.texts().into_iter().flatten().chain([place, what, remedy]) {
            if text.len() > LONGEST {
                text.truncate(text.floor_char_boundary(LONGEST));
                text.push('…');
                text.shrink_to_fit();
            }
        }
        self
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RuleAnnotation {
    pub rule: String,
    /// The full key.
    pub key: String,
}

impl Origin {
    /// An annotation of a rule; `key` is without our prefix.
    pub(crate) fn rule(rule: &str, key: &str) -> Self {
        Self::Rule(Box::new(RuleAnnotation {
            rule: rule.to_owned(),
            key: format!("{PREFIX}{key}"),
        }))
    }

    /// A parameter of a SecretProviderClass.
    pub(crate) fn parameter(class: &str, parameter: &str) -> Self {
        Self::class(class, format!("parameters.{parameter}"))
    }

    pub(crate) fn class(class: &str, field: impl Into<String>) -> Self {
        Self::Class(Box::new(ClassField { class: class.to_owned(), field: field.into() }))
    }

    /// The parts of it that somebody chose.
    fn texts(&mut self) -> [Option<&mut String>; 2] {
        match self {
            Self::Pod => [None, None],
            Self::Annotation(key) => [Some(key), None],
            Self::Class(at) => [Some(&mut at.class), Some(&mut at.field)],
            Self::Rule(at) => [Some(&mut at.rule), Some(&mut at.key)],
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pod => f.write_str("the Pod"),
            Self::Annotation(key) => f.write_str(key),
            Self::Class(at) => write!(f, "SecretProviderClass {}, {}", at.class, at.field),
            Self::Rule(at) => write!(f, "rule {} of the settings, {}", at.rule, at.key),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.origin != Origin::Pod {
            write!(f, "{}", self.origin)?;
            if let Some(line) = self.line {
                write!(f, ", line {line}")?;
            }
            if !self.place.is_empty() {
                f.write_str(", ")?;
            }
        }
        write!(f, "{}: {}", self.place, self.what)?;
        if !self.remedy.is_empty() {
            write!(f, "; {}", self.remedy)?;
        }
        Ok(())
    }
}

impl Problems {
    pub(crate) fn push(&mut self, problem: Problem) {
        self.count += 1;
        if !self.is_full() {
            self.kept.push(problem.cut());
        }
    }

    /// Whether there are so many that no further one is kept. Loops over lists of the Pod's author
    /// end there.
    pub(crate) fn is_full(&self) -> bool {
        self.kept.len() >= KEPT
    }

    /// The known name that was probably meant, for a problem that will be listed.
    pub(crate) fn did_you_mean<'k>(
        &mut self,
        name: &str,
        known: impl IntoIterator<Item = &'k str>,
    ) -> Option<&'k str> {
        if self.count >= LISTED {
            return None;
        }
        nearest_within(name, known, &mut self.effort)
    }

    pub(crate) fn extend(&mut self, problems: impl IntoIterator<Item = Problem>) {
        problems.into_iter().for_each(|problem| self.push(problem));
    }

    /// Those of another list behind these.
    pub(crate) fn append(&mut self, other: Self) {
        let dropped = other.count - other.kept.len();
        self.extend(other.kept);
        self.count += dropped;
    }

    /// Those that are kept, each changed.
    pub(crate) fn each(&mut self, change: impl FnMut(&mut Problem)) {
        self.kept.iter_mut().for_each(change);
    }

    /// The first of them.
    #[must_use]
    pub fn as_slice(&self) -> &[Problem] {
        &self.kept
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The value, when nothing is wrong.
    pub(crate) fn or<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }

    /// All problems at once; the first line stands alone.
    #[must_use]
    pub fn message(&self) -> String {
        let Some(first) = self.kept.first().map(printable) else {
            return String::new();
        };
        let count = match self.count {
            1 => String::new(),
            _ if self.is_full() => format!(" (1 of {KEPT} problems or more)"),
            n => format!(" (1 of {n} problems)"),
        };
        let room = FIRST_LINE - count.len();
        let whole = first.chars().count() <= room;
        let mut message: String = if whole {
            first
        } else {
            first.chars().take(room - 1).chain(std::iter::once('…')).collect()
        };
        message.push_str(&count);
        if whole && self.count == 1 {
            return message;
        }
        for problem in self.kept.iter().take(LISTED) {
            let _ = write!(message, "\n- {}", printable(problem));
        }
        if self.count > LISTED {
            let _ = write!(message, "\n- and {} more", self.count - LISTED);
        }
        message
    }
}

/// One line of what is seen, whatever the Pod's author put into names.
fn printable(problem: &Problem) -> String {
    let mut text = problem.to_string();
    text.retain(printable::is_printable);
    if text.len() > LONGEST {
        text = text.chars().take(LONGEST).chain(std::iter::once('…')).collect();
    }
    text
}

impl Default for Problems {
    fn default() -> Self {
        Self { kept: Vec::new(), count: 0, effort: Effort::of_one_pod() }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

impl std::error::Error for Problems {}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(what: &str) -> Problem {
        Problem {
            origin: Origin::Annotation("kms.alibabacloud/secrets".to_owned()),
            line: Some(2),
            place: "item 1, fileMode".to_owned(),
            what: what.to_owned(),
            remedy: "write it quoted".to_owned(),
        }
    }

    #[test]
    fn one_short_problem_is_one_line() {
        let mut problems = Problems::default();
        problems.push(problem("0400 is a bare number"));
        assert_eq!(
            problems.message(),
            "kms.alibabacloud/secrets, line 2, item 1, fileMode: 0400 is a bare number; write it quoted"
        );
    }

    #[test]
    fn the_first_line_stands_alone_within_200_characters_and_all_follow() {
        let mut problems = Problems::default();
        problems.push(problem(&"长".repeat(300)));
        for index in 0..40 {
            problems.push(problem(&format!("problem {index}\nwith a break")));
        }
        let message = problems.message();
        let lines: Vec<_> = message.lines().collect();
        assert!(lines[0].chars().count() <= 200 && lines[0].ends_with("(1 of 41 problems)"));
        assert!(lines[1].starts_with("- kms.") && lines[1].contains("write it quoted"));
        assert_eq!(lines.len(), 1 + 32 + 1);
        assert!(lines.last().unwrap().contains("9 more"));
    }

    #[test]
    fn a_single_long_problem_follows_its_cut_first_line_in_full() {
        let mut problems = Problems::default();
        problems.push(problem(&"x".repeat(300)));
        let message = problems.message();
        let (first, rest) = message.split_once('\n').unwrap();
        assert!(first.chars().count() == 200 && first.ends_with('…'));
        assert!(rest.starts_with("- kms.") && rest.ends_with("write it quoted"));
    }

    #[test]
    fn a_line_is_cut_only_where_it_is_too_long() {
        let whole = |length| {
            let mut problems = Problems::default();
            problems.push(Problem::pod("x", "y".repeat(length - "x: ".len()), ""));
            problems.message()
        };
        assert_eq!((whole(200).len(), whole(200).lines().count()), (200, 1));
        assert_eq!(whole(201).lines().count(), 2);
        assert!(whole(10_000).len() < 2_000);
    }

    #[test]
    fn what_is_not_known_leaves_no_gap() {
        let mut nowhere = problem("bad");
        (nowhere.line, nowhere.place, nowhere.remedy) = (None, String::new(), String::new());
        assert_eq!(nowhere.to_string(), "kms.alibabacloud/secrets: bad");
    }

    #[test]
    fn problems_without_end_are_counted_and_not_kept() {
        let mut problems = Problems::default();
        for _ in 0..10_000 {
            problems.push(problem("bad"));
        }
        assert!(problems.is_full() && problems.as_slice().len() == KEPT);
        let message = problems.message();
        assert!(message.lines().next().unwrap().ends_with("(1 of 256 problems or more)"));
        assert!(message.ends_with("and 9968 more"), "{message}");
    }

    #[test]
    fn of_each_problem_no_more_is_kept_than_is_told() {
        let long = "\u{e9}".repeat(1_000_000);
        let mut problems = Problems::default();
        problems.push(Problem {
            origin: Origin::class(&long, &*long),
            ..Problem::pod(&*long, &*long, &*long)
        });
        let kept = problems.as_slice().first().unwrap();
        let Origin::Class(at) = &kept.origin else { panic!("{kept:?}") };
        let texts = [&at.class, &at.field, &kept.place, &kept.what, &kept.remedy];
        assert!(texts.iter().all(|text| text.capacity() < 1100 && text.ends_with("\u{e9}…")));
    }

    #[test]
    fn names_are_suggested_only_for_problems_that_are_told() {
        let mut problems = Problems::default();
        assert_eq!(problems.did_you_mean("regoin", ["region"]), Some("region"));
        for _ in 0..LISTED {
            problems.push(problem("bad"));
        }
        assert_eq!(problems.did_you_mean("regoin", ["region"]), None);
    }

    #[test]
    fn a_list_that_is_complete_does_not_speak_of_more() {
        let mut problems = Problems::default();
        for _ in 0..32 {
            problems.push(problem("bad"));
        }
        assert!(!problems.message().contains("more"), "{problems}");
    }
}
