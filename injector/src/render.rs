//! Values become the content of entries: whole, the part that an entry selects, or in the text of a
//! template. No I/O.

mod documents;
pub(crate) mod entry;
pub(crate) mod environment;
pub(crate) mod select;
mod template;

use plan::{Plan, Selector};
use secret::Sensitive;

use self::documents::Documents;
pub(crate) use self::template::check;
use crate::render::entry::{Entry, Form, Origin};
use crate::render::environment::Unfit;
use crate::render::select::SelectError;
use crate::report::exit::Exit;
use crate::report::problem::Problem;
use crate::write::atomic_writer::NewFile;

/// An entry and what it will hold.
pub(crate) struct Rendered<'a> {
    /// Its place among the entries.
    pub(crate) at: usize,
    pub(crate) entry: &'a Entry<'a>,
    content: Content<'a>,
}

enum Content<'a> {
    Whole(&'a Sensitive),
    Made(Sensitive),
}

impl Rendered<'_> {
    pub(crate) fn as_new(&self) -> NewFile<'_> {
        NewFile {
            name: &self.entry.name,
            mode: self.entry.mode.bits(),
            content: self.content.bytes(),
        }
    }
}

impl Content<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Whole(value) => value.expose(),
            Self::Made(value) => value.expose(),
        }
    }
}

/// Why an entry has no content, though all its values came.
pub(crate) struct Unusable {
    pub(crate) blame: Blame,
    pub(crate) problem: Problem,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blame {
    /// The value of this lookup.
    Source(usize),
    /// The text of this entry's template, by its place among the entries.
    Template(usize),
}

#[derive(Debug, thiserror::Error)]
enum Why {
    #[error("{0}")]
    Select(#[from] SelectError),
    #[error("{0}")]
    Unfit(#[from] Unfit),
}

/// In the order of the entries. `value` gives a lookup's value; an entry that lacks one is left
/// out.
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
                part.and_then(|content| Ok(formed(entry, content)?)).map_err(|why| Unusable {
                    blame: Blame::Source(from),
                    problem: problem(plan, &entry.shown(), from, select, &why),
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

/// As the entry wants it written.
fn formed<'a>(entry: &Entry<'_>, content: Content<'a>) -> Result<Content<'a>, Unfit> {
    match entry.form {
        Form::File => Ok(content),
        Form::Exec(name) => environment::exec(name, content.bytes()).map(|()| content),
        Form::FileKeyRef(name) => {
            environment::file_key_ref(name, content.bytes()).map(Content::Made)
        }
    }
}

fn problem(
    plan: &Plan,
    wanted: &str,
    from: usize,
    select: Option<&Selector>,
    why: &Why,
) -> Problem {
    let advice = match why {
        Why::Select(SelectError::Empty) => {
            "that the secret has a value, in the version that is asked for"
        }
        Why::Select(SelectError::NotJson { .. }) => {
            "the secret's value; leave the JMESPath out to get all of it"
        }
        Why::Select(_) => "the JMESPath against the secret's keys",
        Why::Unfit(unfit) => unfit.advice(),
    };
    Problem::new(Exit::Unusable, format!("{why}; wanted for {wanted}"))
        .about(about(plan, from, select))
        .advise(advice)
}

fn about(plan: &Plan, from: usize, select: Option<&Selector>) -> String {
    let source = plan.lookups().get(from).map(|lookup| lookup.source.to_string());
    let selector = select.map(|selector| format!("#{selector}"));
    format!("{}{}", source.unwrap_or_default(), selector.unwrap_or_default())
}

#[cfg(test)]
mod tests;
