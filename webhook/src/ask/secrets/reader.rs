//! What all forms of the annotations have in common: names of files, sources and expressions, each
//! read with its problems.

use std::borrow::Cow;

use plan::{FileName, InvalidSelector, InvalidSource, Reference, RequestedFileOptions, Selector};

use super::budget::{Budget, NoRoom};
use super::place::Place;
use super::secret_ref::{Location, SecretRef};
use super::typed::{self, Typed};
use super::wanted::{Files, WantedFile};
use crate::ask::yaml::{Node, YamlValue};
use crate::path_translation::PathTranslation;
use crate::problem::Problems;
use crate::text::{Quoted, display_name};

pub(super) struct Reader<'p> {
    /// The annotation that is read, without our prefix.
    pub(super) key: Cow<'static, str>,
    pub(super) translation: PathTranslation,
    pub(super) files: Files,
    /// Files for which there was no room.
    pub(super) more: usize,
    pub(super) budget: &'p mut Budget,
    pub(super) problems: &'p mut Problems,
}

/// What stands behind a name: a source, and what is said about it.
pub(super) struct Described {
    pub(super) reference: Reference,
    pub(super) at: Location,
    pub(super) options: RequestedFileOptions,
}

impl<'p> Reader<'p> {
    pub(super) fn new(
        key: impl Into<Cow<'static, str>>,
        translation: PathTranslation,
        budget: &'p mut Budget,
        problems: &'p mut Problems,
    ) -> Self {
        Self { key: key.into(), translation, files: Files::default(), more: 0, budget, problems }
    }

    /// Whether nothing further is read: there is room for no file, or for no problem. `rest` is how
    /// many more would follow.
    pub(super) fn is_full(&mut self, rest: usize) -> bool {
        let full = self.files.len() >= plan::MAX_FILES;
        if full {
            self.more += rest;
        }
        full || self.problems.is_full()
    }

    /// A problem where there is no room for what was asked for, unless an earlier problem says so.
    pub(super) fn fits(&mut self, place: &Place, room: Result<(), NoRoom>) -> bool {
        match room {
            Ok(()) => return true,
            Err(Ok(what)) => self.problem(place, what, "ask for less, or make several Pods of it"),
            Err(Err(_)) => {}
        }
        false
    }

    pub(super) fn selector(&mut self, text: &str, place: &Place, remedy: &str) -> Option<Selector> {
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

    pub(super) fn place(&self, line: usize, what: impl Into<String>) -> Place {
        Place { key: self.key.clone(), line, what: what.into() }
    }

    pub(super) fn problem(
        &mut self,
        place: &Place,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.problems.push(place.problem(what, remedy));
    }

    /// A file name that a person chose: what was meant as a path is not made into a name.
    pub(super) fn chosen_name(&mut self, text: &str, place: &Place) -> Option<FileName> {
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
    pub(super) fn file_name(&mut self, text: &str, place: &Place) -> Option<FileName> {
        let text = self.translation.apply(text);
        let name = match self.translation {
            PathTranslation::Replace(_) => FileName::parse(&text),
            PathTranslation::Off => FileName::parse_path(&text),
        };
        match name {
            Ok(name) => Some(name),
            Err(error) => {
                self.problem(place, error.to_string(), "");
                None
            }
        }
    }

    /// Whether YAML makes something else than text of an unquoted value.
    pub(super) fn refuse_typed(&mut self, text: &str, place: &Place) -> bool {
        // One letter is a boolean to the provider, which reads no sources.
        let typed = typed::typed(text).filter(|_| text.len() > 1 || !text.starts_with(is_letter));
        let Some(Typed { kind, .. }) = typed else { return false };
        self.problem(
            place,
            format!("{text:.64} is {kind} and no source"),
            "write kms://NAME, or put quotes around the name of a secret",
        );
        true
    }

    /// Whether another reader of YAML takes an unquoted value for something else, so that nobody knows
    /// what was meant.
    pub(super) fn is_ambiguous(&mut self, node: &Node<'_>, text: &str, place: &Place) -> bool {
        let YamlValue::Scalar { quoted: false, .. } = node.value else { return false };
        let Some(Typed { kind, reading }) = typed::otherwise(text) else { return false };
        let remedy = match reading.as_str() {
            "" => format!("put it in quotes, \"{text:.64}\", or leave the field out"),
            reading => format!("put what is meant in quotes: \"{text:.64}\" or \"{reading}\""),
        };
        let read = if reading.is_empty() { kind } else { reading.as_str() };
        self.problem(
            place,
            format!(
                "without quotes {text:.64} is that text here, and {read} to the CSI provider, which reads {kind} in it"
            ),
            remedy,
        );
        true
    }

    /// What is legal, and may not be what was meant.
    pub(super) fn warning(&mut self, place: &Place, what: impl Into<String>) {
        if self.budget.warning() {
            self.files.warnings.push(place.problem(what, ""));
        }
    }

    pub(super) fn reference(&mut self, text: &str, place: &Place) -> Option<Reference> {
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
    pub(super) fn bare(&mut self, text: &str, place: &Place) {
        let Some(Reference { source, selector }) = self.reference(text, place) else { return };
        if selector.is_some() {
            self.problem(
                place,
                "a source with a JMESPath (#…) needs a file name of its own",
                format!("write a mapping instead: FILE: {}", Quoted(text.trim())),
            );
            return;
        }
        let Some(name) = self.file_name(source.name(), place) else { return };
        let (place, at) = (place.clone(), Location::default());
        let secret = SecretRef { place, source, selector: None, at };
        let options = RequestedFileOptions::default();
        self.files.values.push(WantedFile { name, options, secret });
    }

    /// Refuses what only shows when everything is known: two files with one name, and too many.
    pub(super) fn finish(self) -> Files {
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
                    format!(
                        "the file name {} is taken already by {}",
                        Quoted(name.as_str()),
                        other.what
                    ),
                    remedy,
                ));
            }
        }
        files
    }
}

fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic()
}

/// What the source's own words do not say already.
fn remedy(error: &InvalidSource) -> &'static str {
    match error {
        // It says by itself how to write it.
        InvalidSource::Selector(InvalidSelector::Unquoted { .. }) => "",
        InvalidSource::Selector(_) => "see jmespath.org, and quote the value where YAML needs it",
        _ => "",
    }
}
