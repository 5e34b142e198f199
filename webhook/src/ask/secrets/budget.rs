//! How much the annotations of one Pod may ask for, counted while they are read: what a plan has no
//! room for is not looked at.

use plan::MAX_VARIABLES;
use template::CheckFuel;

use crate::ask::yaml::YamlRoom;
use crate::settings::comparisons::Comparisons;

/// What there is still room for.
#[derive(Debug)]
pub(crate) struct Budget {
    /// Bytes of JMESPath expressions, which cost most of all to read.
    selectors: Allowance,
    /// Bytes of templates, which cost more than any other text to read.
    templates: Allowance,
    /// Work on what is written out in templates.
    pub(super) check: CheckFuel,
    /// Values that templates name, each counted once for each template.
    in_templates: Allowance,
    pub(super) variables: Allowance,
    /// Names of containers behind variables.
    pub(super) names: Allowance,
    /// What YAML takes longest to read.
    pub(super) yaml: YamlRoom,
    comments: Comments,
    /// Warnings that may still be told.
    warnings: usize,
    pub(crate) comparisons: Comparisons,
}

/// Comments that are read as expressions, for a word on them alone: what comes behind the last is not
/// told.
#[derive(Debug)]
struct Comments {
    left: usize,
    bytes: usize,
}

#[derive(Debug)]
pub(super) struct Allowance {
    most: usize,
    left: usize,
    what: &'static str,
    reported: bool,
}

/// There is no room, and a problem says so already.
pub(super) struct AlreadyReported;

/// What is wrong, if no problem says it yet.
pub(super) type NoRoom = Result<String, AlreadyReported>;

impl Budget {
    pub(super) fn selector(&mut self, text: &str) -> Result<(), NoRoom> {
        self.selectors.take(text.len())
    }

    pub(super) fn template(&mut self, text: &str) -> Result<(), NoRoom> {
        self.templates.take(text.len())
    }

    /// Whether one more comment may be looked at.
    pub(super) fn comment(&mut self) -> bool {
        let left = self.comments.left.checked_sub(1);
        self.comments.left = left.unwrap_or_default();
        left.is_some()
    }

    /// Whether what stands in it may be read as an expression.
    pub(super) fn comment_selector(&mut self, text: &str) -> bool {
        let left = self.comments.bytes.checked_sub(text.len());
        self.comments.bytes = left.unwrap_or_default();
        left.is_some()
    }

    /// Whether one more warning may be told.
    pub(super) fn warning(&mut self) -> bool {
        let left = self.warnings.checked_sub(1);
        self.warnings = left.unwrap_or_default();
        left.is_some()
    }

    pub(super) fn in_templates(&mut self, count: usize) -> Result<(), NoRoom> {
        self.in_templates.take(count)
    }
}

impl Default for Budget {
    fn default() -> Self {
        let amount = |most, what| Allowance { most, left: most, what, reported: false };
        Self {
            selectors: amount(MAX_SELECTORS_BYTES, "bytes of JMESPath expressions"),
            templates: amount(MAX_TEMPLATES_BYTES, "bytes of templates"),
            check: CheckFuel::default(),
            in_templates: amount(MAX_IN_TEMPLATES, "values in templates"),
            variables: amount(MAX_VARIABLES, "variables"),
            names: amount(MAX_NAMES, "names of containers for variables"),
            yaml: YamlRoom::default(),
            comments: Comments { left: MAX_COMMENTS, bytes: MAX_COMMENTS_BYTES },
            warnings: MAX_WARNINGS,
            comparisons: Comparisons::default(),
        }
    }
}

impl Allowance {
    pub(super) fn take(&mut self, count: usize) -> Result<(), NoRoom> {
        if let Some(left) = self.left.checked_sub(count) {
            self.left = left;
            return Ok(());
        }
        if std::mem::replace(&mut self.reported, true) {
            return Err(Err(AlreadyReported));
        }
        let Self { most, what, .. } = self;
        Err(Ok(format!("with it the Pod asks for more than {most} {what} together")))
    }
}

const MAX_SELECTORS_BYTES: usize = 4 * 1024;
const MAX_TEMPLATES_BYTES: usize = 32 * 1024;
const MAX_IN_TEMPLATES: usize = 512;
const MAX_NAMES: usize = 1024;
const MAX_COMMENTS: usize = 32;
const MAX_COMMENTS_BYTES: usize = 1024;
/// A person reads no more of them.
const MAX_WARNINGS: usize = 16;
