//! Values become files: whole, or the part that a file selects. No I/O.

use std::collections::HashMap;

use cloud::Sensitive;
use plan::{File, Plan};

use crate::exit::Exit;
use crate::report::Problem;
use crate::select::{Document, SelectError};

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
    pub(crate) fn content(&self) -> &[u8] {
        match &self.content {
            Content::Whole(value) => value.expose(),
            Content::Part(value) => value.expose(),
        }
    }
}

/// The files in the plan's order, and every problem there is. `value` gives a lookup's value; a
/// file whose lookup has none is left out.
pub(crate) fn render<'a>(
    plan: &'a Plan,
    value: impl Fn(usize) -> Option<&'a Sensitive>,
) -> Result<Vec<Rendered<'a>>, Vec<Problem>> {
    let mut documents: HashMap<usize, Result<Document, SelectError>> = HashMap::new();
    let mut rendered = Vec::with_capacity(plan.files().len());
    let mut problems = Vec::new();
    for file in plan.files() {
        let Some(value) = value(file.from) else { continue };
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
        match content {
            Ok(content) => rendered.push(Rendered { file, content }),
            Err(error) => problems.push(problem(plan, file, &error)),
        }
    }
    if problems.is_empty() { Ok(rendered) } else { Err(problems) }
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
