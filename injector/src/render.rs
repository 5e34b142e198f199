//! Values become the content of entries: whole, the part that an entry selects, or in the text of a
//! template. There is no I/O.

mod all_keys;
mod content;
mod documents;
mod encoding;
pub(crate) mod environment;
mod rendered;
pub(crate) mod select;
mod taken_names;
mod template;
mod twins;
mod unusable;

use plan::{FileOptions, Plan};
use secret::Sensitive;

use self::content::Content;
use self::documents::Documents;
use self::encoding::encoded_as;
pub(crate) use self::rendered::Rendered;
pub(crate) use self::template::check;
pub(crate) use self::twins::without_twins;
pub(crate) use self::unusable::{Blame, Unusable};
use self::unusable::{Why, problem};
use crate::input::entry::{Entry, EntryContent, Form};
use crate::render::environment::Unfit;

/// Renders the entries, in their order. `value` gives a lookup's value; an entry that lacks one is
/// left out. Who gets which name, [`without_twins`] says.
pub(crate) fn render<'a>(
    plan: &Plan,
    entries: &'a [Entry<'a>],
    value: impl Fn(usize) -> Option<&'a Sensitive>,
) -> Vec<Result<Rendered<'a>, Unusable>> {
    let mut documents = Documents::default();
    let render = |(at, entry): (usize, &'a Entry<'a>)| {
        if entry.sources().any(|source| value(source).is_none()) {
            return None;
        }
        let content = match entry.content {
            EntryContent::Value { from, select } if let Form::AllKeys(keys) = entry.form => {
                let made =
                    all_keys::render(plan, entry, keys, select, value(from)?, &mut documents);
                return Some(match made {
                    Ok((names, beside)) => {
                        Ok(Rendered { at, entry, content: Content::Made(names), beside })
                    }
                    Err(problem) => Err(Unusable { blame: Blame::Source(from), problem }),
                });
            }
            EntryContent::Value { from, select } => {
                let part = documents.part(from, select, value(from)?).map_err(Why::from);
                part.and_then(|content| Ok(encoded(entry, content)?)).map_err(|why| Unusable {
                    blame: Blame::Source(from),
                    problem: problem(plan, &entry.description(), from, select, &why),
                })
            }
            EntryContent::Template(template) => {
                let text = template::render(plan, entry, template, &value, &mut documents);
                text.and_then(|text| {
                    encoded(entry, Content::Made(text))
                        .map_err(|why| template::unfit(plan, entry, template, &why))
                })
                .map_err(|problem| Unusable { blame: Blame::Template(at), problem })
            }
        };
        let beside = Vec::new();
        Some(content.map(|content| Rendered { at, entry, content, beside }))
    };
    entries.iter().enumerate().filter_map(render).collect()
}

/// Encodes the content as the entry wants it written. An option of a file that says how is named here,
/// or this does not compile.
fn encoded<'a>(entry: &Entry<'_>, content: Content<'a>) -> Result<Content<'a>, Unfit> {
    let FileOptions { mode: _, on_missing: _, encoding } = entry.options;
    let content = encoded_as(encoding, content)?;
    match entry.form {
        Form::File | Form::AllKeys(_) => Ok(content),
        Form::Exec(name) => environment::exec(name, content.bytes()).map(|()| content),
        Form::FileKeyRef(name) => {
            environment::file_key_ref(name, content.bytes()).map(Content::Made)
        }
    }
}

#[cfg(test)]
mod tests;
