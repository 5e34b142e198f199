//! Values become files: whole, or the part that a file selects. No I/O.

use std::collections::HashMap;

use cloud::Sensitive;
use plan::{File, Plan};

use crate::exit::Exit;
use crate::report::Problem;
use crate::select::{Document, SelectError};
use crate::write::NewFile;

/// What a file will hold.
pub(crate) struct Rendered<'a> {
    pub(crate) file: &'a File,
    content: Content<'a>,
}

enum Content<'a> {
    Whole(&'a Sensitive),
    Part(Sensitive),
}

impl Rendered<'_> {
    pub(crate) fn as_new(&self) -> NewFile<'_> {
        let (name, mode) = (self.file.name.as_str(), self.file.mode.bits());
        NewFile { name, mode, content: self.content() }
    }

    pub(crate) fn content(&self) -> &[u8] {
        match &self.content {
            Content::Whole(value) => value.expose(),
            Content::Part(value) => value.expose(),
        }
    }
}

/// A file whose value came and is of no use for it.
pub(crate) struct Unusable<'a> {
    pub(crate) file: &'a File,
    pub(crate) problem: Problem,
}

/// The files in the plan's order. `value` gives a lookup's value; a file whose lookup has none is
/// left out.
pub(crate) fn render<'a>(
    plan: &'a Plan,
    value: impl Fn(usize) -> Option<&'a Sensitive>,
) -> Vec<Result<Rendered<'a>, Unusable<'a>>> {
    let mut documents: HashMap<usize, Result<Document, SelectError>> = HashMap::new();
    let render = |file: &'a File| {
        let value = value(file.from)?;
        let content = match &file.select {
            None => Ok(Content::Whole(value)),
            Some(selector) => {
                let document = documents.entry(file.from).or_insert_with(|| Document::parse(value));
                match document {
                    Ok(document) => document.extract(selector).map(Content::Part),
                    Err(error) => Err(error.clone()),
                }
            }
        };
        Some(match content {
            Ok(content) => Ok(Rendered { file, content }),
            Err(error) => Err(Unusable { file, problem: problem(plan, file, &error) }),
        })
    };
    plan.files().iter().filter_map(render).collect()
}

fn problem(plan: &Plan, file: &File, error: &SelectError) -> Problem {
    let source = plan.lookups().get(file.from).map(|lookup| lookup.source.to_string());
    let selector = file.select.as_ref().map(|selector| format!("#{selector}"));
    let about = format!("{}{}", source.unwrap_or_default(), selector.unwrap_or_default());
    let advice = match error {
        SelectError::Empty => "that the secret has a value, in the version that is asked for",
        SelectError::NotJson { .. } => {
            "the secret's value; leave the JMESPath out to get all of it"
        }
        _ => "the JMESPath against the secret's keys",
    };
    let text = format!("{error}; wanted for file {:?}", file.name.as_str());
    Problem::new(Exit::Unusable, text).about(about).advise(advice)
}
