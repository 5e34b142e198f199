//! Values become the content of entries: whole, or the part that an entry selects. No I/O.

use std::collections::HashMap;

use cloud::Sensitive;
use plan::Plan;

use crate::entry::{Entry, Form};
use crate::environment::{self, Unfit};
use crate::exit::Exit;
use crate::report::Problem;
use crate::select::{Document, SelectError};
use crate::write::NewFile;

/// An entry and what it will hold.
pub(crate) struct Rendered<'a> {
    pub(crate) entry: &'a Entry<'a>,
    content: Content<'a>,
}

enum Content<'a> {
    Whole(&'a Sensitive),
    Part(Sensitive),
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
            Self::Part(value) => value.expose(),
        }
    }
}

/// An entry whose value came and is of no use for it.
pub(crate) struct Unusable<'a> {
    pub(crate) entry: &'a Entry<'a>,
    pub(crate) problem: Problem,
}

#[derive(Debug, thiserror::Error)]
enum Why {
    #[error("{0}")]
    Select(#[from] SelectError),
    #[error("{0}")]
    Unfit(#[from] Unfit),
}

/// In the order of the entries. `value` gives a lookup's value; an entry whose lookup has none is
/// left out.
pub(crate) fn render<'a>(
    plan: &Plan,
    entries: &'a [Entry<'a>],
    value: impl Fn(usize) -> Option<&'a Sensitive>,
) -> Vec<Result<Rendered<'a>, Unusable<'a>>> {
    let mut documents: HashMap<usize, Result<Document, SelectError>> = HashMap::new();
    let render = |entry: &'a Entry<'a>| {
        let value = value(entry.from)?;
        let content = match entry.select {
            None => Ok(Content::Whole(value)),
            Some(selector) => {
                let document =
                    documents.entry(entry.from).or_insert_with(|| Document::parse(value));
                match document {
                    Ok(document) => document.extract(selector).map(Content::Part),
                    Err(error) => Err(error.clone()),
                }
            }
        };
        let content = content.map_err(Why::from).and_then(|content| Ok(formed(entry, content)?));
        Some(match content {
            Ok(content) => Ok(Rendered { entry, content }),
            Err(why) => Err(Unusable { entry, problem: problem(plan, entry, &why) }),
        })
    };
    entries.iter().filter_map(render).collect()
}

/// As the entry wants it written.
fn formed<'a>(entry: &Entry<'_>, content: Content<'a>) -> Result<Content<'a>, Unfit> {
    match entry.form {
        Form::File => Ok(content),
        Form::Exec(name) => environment::exec(name, content.bytes()).map(|()| content),
        Form::FileKeyRef(name) => {
            environment::file_key_ref(name, content.bytes()).map(Content::Part)
        }
    }
}

fn problem(plan: &Plan, entry: &Entry<'_>, why: &Why) -> Problem {
    let source = plan.lookups().get(entry.from).map(|lookup| lookup.source.to_string());
    let selector = entry.select.map(|selector| format!("#{selector}"));
    let about = format!("{}{}", source.unwrap_or_default(), selector.unwrap_or_default());
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
    Problem::new(Exit::Unusable, format!("{why}; wanted for {}", entry.shown()))
        .about(about)
        .advise(advice)
}
