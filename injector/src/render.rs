//! Values become the content of entries: whole, the part that an entry selects, or in the text of a
//! template. There is no I/O.

mod content;
mod documents;
pub(crate) mod environment;
pub(crate) mod select;
mod template;
mod unusable;

use plan::{FileOptions, Plan};
use secret::Sensitive;

use self::content::Content;
use self::documents::Documents;
pub(crate) use self::template::check;
pub(crate) use self::unusable::{Blame, Unusable};
use self::unusable::{Why, problem};
use crate::input::entry::{Entry, Form, Origin};
use crate::render::environment::Unfit;
use crate::write::new_file::NewFile;

/// An entry and what it will hold.
pub(crate) struct Rendered<'a> {
    /// Its place among the entries.
    pub(crate) at: usize,
    pub(crate) entry: &'a Entry<'a>,
    content: Content<'a>,
}

impl Rendered<'_> {
    pub(crate) fn as_new(&self) -> NewFile<'_> {
        NewFile {
            name: &self.entry.name,
            mode: self.entry.options.mode.bits(),
            content: self.content.bytes(),
        }
    }
}

/// Renders the entries, in their order. `value` gives a lookup's value; an entry that lacks one is
/// left out.
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
        let content = match entry.origin {
            Origin::Value { from, select } => {
                let part = documents.part(from, select, value(from)?).map_err(Why::from);
                part.and_then(|content| Ok(encoded(entry, content)?)).map_err(|why| Unusable {
                    blame: Blame::Source(from),
                    problem: problem(plan, &entry.description(), from, select, &why),
                })
            }
            Origin::Template(template) => {
                template::render(plan, entry, template, &value, &mut documents)
                    .map(Content::Made)
                    .map_err(|problem| Unusable { blame: Blame::Template(at), problem })
            }
        };
        Some(content.map(|content| Rendered { at, entry, content }))
    };
    entries.iter().enumerate().filter_map(render).collect()
}

/// Encodes the content as the entry wants it written. No option of a file says how: one that does is
/// named here, or this does not compile.
fn encoded<'a>(entry: &Entry<'_>, content: Content<'a>) -> Result<Content<'a>, Unfit> {
    match entry.form {
        Form::File => {
            let FileOptions { mode: _, on_missing: _ } = entry.options;
            Ok(content)
        }
        Form::Exec(name) => environment::exec(name, content.bytes()).map(|()| content),
        Form::FileKeyRef(name) => {
            environment::file_key_ref(name, content.bytes()).map(Content::Made)
        }
    }
}

#[cfg(test)]
mod tests;
