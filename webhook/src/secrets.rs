//! The `secrets` annotation: its three forms, read into one list of wanted files; templates are
//! among them, or have annotations of their own. And the `env` annotations, which name variables in
//! the same way.

mod budget;
mod fields;
mod list;
mod mapping;
mod scalar;
mod templates;
#[cfg(test)]
mod tests;
mod variables;
mod wanted;

use std::borrow::Cow;

use plan::{
    ExternalId, FileMode, FileName, InvalidSource, OnMissing, PathTranslation, Reference, Region,
    RoleArn, Selector, Source,
};

pub(crate) use self::budget::Budget;
use self::budget::NoRoom;
pub(crate) use self::templates::add as add_template;
pub(crate) use self::variables::{VariableEntry, variables};
pub(crate) use self::wanted::{Wanted, WantedFile, WantedTemplate, WantedVariable};
use crate::problem::{PREFIX, Problem, Problems};
use crate::text::display_name;
use crate::yaml::{self, Node, Value};

/// The files that annotations ask for.
#[derive(Debug, Default)]
pub(crate) struct Files {
    pub(crate) values: Vec<WantedFile<SecretRef>>,
    pub(crate) templates: Vec<WantedTemplate<SecretRef>>,
}

/// One value that an annotation asks for, with what it says about where the value is.
#[derive(Debug)]
pub(crate) struct SecretRef {
    pub(crate) place: Place,
    pub(crate) source: Source,
    pub(crate) selector: Option<Selector>,
    pub(crate) at: Location,
    pub(crate) on_missing: Option<OnMissing>,
}

/// What stands behind a name: a source, and what is said about it.
struct Body {
    reference: Reference,
    at: Location,
    mode: Option<FileMode>,
    on_missing: Option<OnMissing>,
}

/// What one object says about place and caller; the Pod and the settings fill the rest.
#[derive(Clone, Debug, Default)]
pub(crate) struct Location {
    pub(crate) region: Option<Region>,
    pub(crate) endpoint: Option<String>,
    pub(crate) cross_account_role: Option<RoleArn>,
    pub(crate) external_id: Option<ExternalId>,
}

/// Where something stands.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The annotation, without our prefix.
    pub(crate) key: Cow<'static, str>,
    pub(crate) line: usize,
    pub(crate) what: String,
}

/// All files, or as many as could be read beside the problems.
pub(crate) fn read(
    text: &str,
    translation: PathTranslation,
    budget: &mut Budget,
    problems: &mut Problems,
) -> Files {
    let mut reader = Reader::new("secrets", translation, budget, problems);
    match yaml::parse(text, &mut reader.budget.entries) {
        // To YAML a comment ends a value; between sources it is none the less a comment.
        Err(error) if error.syntax && reader.is_list_with_comments(text) => reader.scalar(text),
        Err(error) => {
            let place = reader.place(error.line, "");
            let remedy = match (error.syntax, text.contains('#')) {
                (false, _) => "",
                (true, false) => "check indentation, quotes and brackets",
                // A comma or bracket of a JMESPath ends a value that is not quoted.
                (true, true) => {
                    "put quotes around a source with a JMESPath, most of all inside { } and [ ]: \"kms://NAME#PATH\""
                }
            };
            reader.problem(&place, error.what, remedy);
        }
        Ok(None) => {
            let place = reader.place(1, "");
            reader.problem(
                &place,
                "it names no secret",
                "write FILE: kms://NAME, one on each line, or remove the annotation",
            );
        }
        Ok(Some(node)) => match &node.value {
            Value::Mapping(entries) => reader.mapping(entries),
            Value::Sequence(items) => reader.list(items),
            // A plain scalar was folded into one line; its own text has the line breaks.
            Value::Scalar { quoted: false, .. } => reader.scalar(text),
            Value::Scalar { text, quoted: true } => reader.scalar(text),
        },
    }
    reader.finish()
}

struct Reader<'p> {
    /// The annotation that is read, without our prefix.
    key: Cow<'static, str>,
    translation: PathTranslation,
    files: Files,
    /// Files for which there was no room.
    more: usize,
    budget: &'p mut Budget,
    problems: &'p mut Problems,
}

impl Files {
    pub(crate) fn len(&self) -> usize {
        self.values.len() + self.templates.len()
    }

    /// All names, with their places, and whether each is a part of a value.
    fn named(&self) -> impl Iterator<Item = (&FileName, &Place, bool)> {
        let value = |file: &'_ WantedFile<SecretRef>| file.secret.selector.is_some();
        let values =
            self.values.iter().map(move |file| (&file.name, &file.secret.place, value(file)));
        values.chain(self.templates.iter().map(|file| (&file.name, &file.place, false)))
    }
}

impl<'p> Reader<'p> {
    fn new(
        key: impl Into<Cow<'static, str>>,
        translation: PathTranslation,
        budget: &'p mut Budget,
        problems: &'p mut Problems,
    ) -> Self {
        Self { key: key.into(), translation, files: Files::default(), more: 0, budget, problems }
    }

    /// Whether nothing further is read: there is room for no file, or for no problem. `rest` is how
    /// many more would follow.
    fn is_full(&mut self, rest: usize) -> bool {
        let full = self.files.len() >= plan::MAX_FILES;
        if full {
            self.more += rest;
        }
        full || self.problems.is_full()
    }

    /// A problem where there is no room for what was asked for, unless it has been told.
    fn fits(&mut self, place: &Place, room: Result<(), NoRoom>) -> bool {
        match room {
            Ok(()) => return true,
            Err(Ok(what)) => self.problem(place, what, "ask for less, or make several Pods of it"),
            Err(Err(_)) => {}
        }
        false
    }

    fn selector(&mut self, text: &str, place: &Place, remedy: &str) -> Option<Selector> {
        let room = self.budget.selector(text);
        if !self.fits(place, room) {
            return None;
        }
        match Selector::parse(text) {
            Ok(selector) => Some(selector),
            Err(error) => {
                self.problem(place, error.to_string(), remedy);
                None
            }
        }
    }

    fn place(&self, line: usize, what: impl Into<String>) -> Place {
        Place { key: self.key.clone(), line, what: what.into() }
    }

    fn problem(&mut self, place: &Place, what: impl Into<String>, remedy: impl Into<String>) {
        self.problems.push(place.problem(what, remedy));
    }

    /// A file name that a person chose: what was meant as a path is not made into a name.
    fn chosen_name(&mut self, text: &str, place: &Place) -> Option<FileName> {
        let shown = display_name(text);
        if text.starts_with('/') {
            self.problem(
                place,
                format!("{shown:?} is an absolute path"),
                "write a file name; kms.alibabacloud/mount-path says in which directory",
            );
            return None;
        }
        if text.split('/').any(|part| part == ".." || part == ".") {
            self.problem(
                place,
                format!("{shown:?} leads through other directories"),
                "write a file name without `.` and `..` as parts",
            );
            return None;
        }
        self.file_name(text, place)
    }

    /// The file name of `text`, translated.
    fn file_name(&mut self, text: &str, place: &Place) -> Option<FileName> {
        match FileName::parse(&self.translation.apply(text)) {
            Ok(name) => Some(name),
            Err(error) => {
                self.problem(place, error.to_string(), "");
                None
            }
        }
    }

    /// Whether YAML makes something else than text of an unquoted value.
    fn refuse_typed(&mut self, text: &str, place: &Place) -> bool {
        let boolean = matches!(text, "true" | "false" | "True" | "False" | "TRUE" | "FALSE");
        let number = text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
            && text.parse::<f64>().is_ok();
        if boolean || number {
            let kind = if boolean { "a boolean" } else { "a number" };
            self.problem(
                place,
                format!("{text:.64} is {kind} and no source"),
                "write kms://NAME, or put quotes around the name of a secret",
            );
        }
        boolean || number
    }

    fn reference(&mut self, text: &str, place: &Place) -> Option<Reference> {
        if let Some((_, selector)) = text.split_once('#') {
            let room = self.budget.selector(selector);
            if !self.fits(place, room) {
                return None;
            }
        }
        match Reference::parse(text) {
            Ok(reference) => Some(reference),
            Err(error) => {
                self.problem(place, error.to_string(), remedy(&error));
                None
            }
        }
    }

    /// A source outside a mapping, which names its file itself.
    fn bare(&mut self, text: &str, place: &Place) {
        let Some(Reference { source, selector }) = self.reference(text, place) else { return };
        if selector.is_some() {
            self.problem(
                place,
                "a source with a JMESPath (#…) needs a file name of its own",
                format!("write a mapping instead: FILE: {:?}", text.trim()),
            );
            return;
        }
        let Some(name) = self.file_name(source.name(), place) else { return };
        let (place, at) = (place.clone(), Location::default());
        let secret = SecretRef { place, source, selector: None, at, on_missing: None };
        self.files.values.push(WantedFile { name, mode: None, secret });
    }

    /// Refuses what only shows when everything is known: two files with one name, and too many.
    fn finish(self) -> Files {
        let place = self.place(1, "");
        let Self { files, more, problems, .. } = self;
        let count = files.len() + more;
        if count > plan::MAX_FILES {
            problems.push(place.problem(
                format!("it asks for {count} files; at most {} are allowed", plan::MAX_FILES),
                "put several values into one secret as JSON",
            ));
            return files;
        }
        let mut first = std::collections::HashMap::with_capacity(files.len());
        for (name, place, is_part) in files.named() {
            if let Some(other) = first.insert(name.as_str(), place) {
                if other.what == place.what && !is_part {
                    problems.push(place.problem(
                        format!("the file is given twice, first in line {}", other.line),
                        "keep one of them, or give one another name",
                    ));
                    continue;
                }
                let remedy = if is_part {
                    "give each extract a name of its own"
                } else {
                    "give one of them another name (objectAlias in a list, the key in a mapping)"
                };
                problems.push(place.problem(
                    format!("the file name {:?} is taken already by {}", name.as_str(), other.what),
                    remedy,
                ));
            }
        }
        files
    }
}

impl Place {
    fn within(&self, node: &Node<'_>, what: &str) -> Self {
        Self { key: self.key.clone(), line: node.line, what: format!("{}, {what}", self.what) }
    }

    pub(crate) fn problem(&self, what: impl Into<String>, remedy: impl Into<String>) -> Problem {
        Problem {
            annotation: Some(format!("{PREFIX}{}", self.key)),
            line: Some(self.line),
            place: self.what.clone(),
            what: what.into(),
            remedy: remedy.into(),
        }
    }
}

/// What the source's own words do not say already.
fn remedy(error: &InvalidSource) -> &'static str {
    match error {
        InvalidSource::Selector(_) => "see jmespath.org, and quote the value where YAML needs it",
        _ => "",
    }
}
