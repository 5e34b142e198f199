//! The `secrets` annotation: its three forms, read into one list of wanted files; templates are
//! among them, or have annotations of their own. And the `env` annotations, which name variables in
//! the same way.

mod all_keys;
mod budget;
mod comments;
mod fields;
mod list;
mod mapping;
mod pasted;
mod place;
mod reader;
mod scalar;
mod secret_ref;
mod templates;
#[cfg(test)]
mod tests;
mod typed;
mod variables;
mod wanted;

pub(crate) use self::budget::Budget;
pub(crate) use self::place::Place;
use self::reader::Reader;
pub(crate) use self::secret_ref::{LONGEST_ENDPOINT, Location, SecretRef, too_long};
pub(crate) use self::templates::add as add_template;
pub(crate) use self::variables::{KeysEntry, VariableEntry, variables};
pub(crate) use self::wanted::{
    Files, Wanted, WantedContent, WantedKeys, WantedTarget, WantedVariable,
};
use crate::ask::yaml::{self, Node, YamlValue};
use crate::path_translation::PathTranslation;
use crate::problem::Problems;

/// All files, or as many as could be read beside the problems.
pub(crate) fn read(
    text: &str,
    translation: PathTranslation,
    budget: &mut Budget,
    problems: &mut Problems,
) -> Files {
    let mut reader = Reader::new("secrets", translation, budget, problems);
    match yaml::parse(text, &mut reader.budget.yaml) {
        // To YAML a comment ends a value; between sources it is none the less a comment.
        Err(error) if error.syntax && reader.is_list_with_comments(text) => reader.scalar(text),
        Err(error) if error.syntax && reader.dash_without_space(text) => {}
        Err(error) => {
            let item = error.item.map(|item| format!("item {item}")).unwrap_or_default();
            let place = reader.place(error.line, item);
            let remedy = match (error.syntax, text.contains('#')) {
                (false, _) => error.remedy,
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
            YamlValue::Mapping(entries)
                if begins_with_dash(entries) && reader.dash_without_space(text) => {}
            YamlValue::Mapping(entries) => reader.mapping(entries),
            YamlValue::Sequence(items) => reader.list(items),
            // A plain scalar was folded into one line; its own text has the line breaks.
            YamlValue::Scalar { quoted: false, .. } => reader.scalar(text),
            YamlValue::Scalar { text, quoted: true } => reader.scalar(text),
        },
    }
    let secrets = reader.files.values.iter().map(|file| &file.secret);
    let secrets = secrets.chain(reader.files.all_keys.iter().map(|keys| &keys.secret));
    let lines = comments::that_look_like_parts(text, secrets, reader.budget);
    lines.into_iter().for_each(|line| reader.comment(line));
    reader.finish()
}

/// Whether a key begins with a dash that was meant to begin an item.
fn begins_with_dash(entries: &[(Node<'_>, Node<'_>)]) -> bool {
    entries.iter().any(|(key, _)| key.scalar().is_some_and(|key| key.starts_with('-')))
}
