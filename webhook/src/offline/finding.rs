//! One line about a manifest: where, which object, what is wrong, what to do.

use std::fmt::{self, Write as _};

use manifest::{Unreadable, Unwritable};

use super::workload::WorkloadObject;
use crate::problem::{Origin, PREFIX, Problem};

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Finding {
    file: String,
    line: usize,
    pub(super) severity: Severity,
    what: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Severity {
    Problem,
    Warning,
}

fn is_template(origin: &Origin) -> bool {
    let Origin::Annotation(key) = origin else { return false };
    key.strip_prefix(PREFIX).is_some_and(|key| key.starts_with("template."))
}

impl Finding {
    pub(super) fn unreadable(file: &str, unreadable: &Unreadable) -> Self {
        Self::new(file, unreadable.line, Severity::Problem, unreadable.to_string())
    }

    pub(super) fn problem(
        file: &str,
        line: usize,
        object: &WorkloadObject<'_>,
        problem: &Problem,
    ) -> Self {
        let Problem { origin, line: within, place, what, remedy } = problem;
        let place = match within {
            // The manifest's line may be that of the whole template.
            Some(within) if is_template(origin) && place.is_empty() => {
                &format!("template line {within}")
            }
            _ => place,
        };
        let mut text = format!("{}/{}: ", object.kind, object.name);
        if *origin != Origin::Pod {
            let word = if matches!(origin, Origin::Annotation(_)) { "annotation " } else { "" };
            let _ = write!(text, "{word}{origin}");
            text.push_str(if place.is_empty() { ": " } else { ", " });
        }
        if !place.is_empty() {
            let _ = write!(text, "{place}: ");
        }
        text.push_str(what);
        if !remedy.is_empty() {
            let _ = write!(text, "; {remedy}");
        }
        Self::new(file, line, Severity::Problem, text)
    }

    pub(super) fn warning(
        file: &str,
        line: usize,
        object: &WorkloadObject<'_>,
        what: &str,
    ) -> Self {
        let text = format!("{}/{}: warning: {what}", object.kind, object.name);
        Self::new(file, line, Severity::Warning, text)
    }

    /// Something that is our own fault, and must not pass for success.
    pub(super) fn defect(file: &str, line: usize, object: &WorkloadObject<'_>, what: &str) -> Self {
        let text = format!("{}/{}: {what}; report this as a defect", object.kind, object.name);
        Self::new(file, line, Severity::Problem, text)
    }

    pub(super) fn unwritable(file: &str, line: usize, why: Unwritable) -> Self {
        Self::new(file, line, Severity::Problem, why.to_string())
    }

    pub(super) fn anew(file: &str, line: usize) -> Self {
        let what = "warning: the document is written anew, without its comments, because an alias \
                    in it stands for something that changes";
        Self::new(file, line, Severity::Warning, what.to_owned())
    }

    fn new(file: &str, line: usize, severity: Severity, what: String) -> Self {
        Self { file: file.to_owned(), line, severity, what }
    }

    pub(super) fn is_problem(&self) -> bool {
        self.severity == Severity::Problem
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Names come from the manifest: a terminal must not obey what is in them.
        write!(f, "{}:{}: ", self.file, self.line)?;
        self.what.chars().filter(|c| printable::is_printable(*c)).try_for_each(|c| f.write_char(c))
    }
}
