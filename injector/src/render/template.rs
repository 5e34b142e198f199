//! Templates, read again from the plan, and rendered with the values that they name.

use std::collections::HashMap;

use plan::{Plan, TemplateSecret};
use secret::Sensitive;
use template::{CheckFuel, Template};

use super::content::Content;
use super::documents::Documents;
use super::unusable::{Why, about, problem};
use crate::input::entry::{Entry, EntryContent, entries};
use crate::render::environment::Unfit;
use crate::report::exit::Exit;
use crate::report::problem::Problem;

/// All values that one template names have at most so many bytes: each is copied for it, and a
/// container's memory has room for the values of all files and for this.
const MAX_VALUES_BYTES: usize = 4 << 20;

/// Whether every template of the plan can be rendered, as far as its text tells.
pub(crate) fn check(plan: &Plan) -> Result<(), Problem> {
    for entry in entries(plan) {
        if let EntryContent::Template(template) = entry.content {
            parse(&entry.description(), template)?;
        }
    }
    Ok(())
}

pub(super) fn render<'a>(
    plan: &Plan,
    entry: &Entry<'_>,
    template: &plan::Template,
    value: &impl Fn(usize) -> Option<&'a Sensitive>,
    documents: &mut Documents,
) -> Result<Sensitive, Problem> {
    let parsed = parse(&entry.description(), template)?;
    let line = |written: &str| {
        let secret = parsed.secrets().iter().find(|secret| secret.source == written);
        secret.map_or(1, |secret| secret.line)
    };
    let mut parts: HashMap<&str, Content<'a>> = HashMap::with_capacity(template.secrets.len());
    let mut room = MAX_VALUES_BYTES;
    for TemplateSecret { written, from, select } in &template.secrets {
        let Some(value) = value(*from) else { continue };
        let wanted = format!("line {} of the template of {}", line(written), entry.description());
        let part = documents
            .part(*from, select.as_ref(), value)
            .map_err(|error| problem(plan, &wanted, *from, select.as_ref(), &Why::from(error)))?;
        if std::str::from_utf8(part.bytes()).is_err() {
            let text = format!("the value is not UTF-8 text; wanted for {wanted}");
            return Err(Problem::new(Exit::Unusable, text)
                .about(about(plan, *from, select.as_ref()))
                .advise("that the secret holds text, or make it a file of its own"));
        }
        let Some(left) = room.checked_sub(part.bytes().len()) else {
            let text = format!(
                "the template cannot be rendered: its values have more than {MAX_VALUES_BYTES} bytes together; wanted for {}",
                entry.description()
            );
            return Err(Problem::new(Exit::Unusable, text)
                .advise("a template for some of the values each, or shorter values"));
        };
        room = left;
        parts.insert(written, part);
    }
    documents.forget();
    let text = |written: &str| std::str::from_utf8(parts.get(written)?.bytes()).ok();
    match parsed.render(text) {
        Ok(mut bytes) => Ok(Sensitive::new(std::mem::take(&mut *bytes))),
        Err(failure) => {
            let text = format!(
                "the template cannot be rendered, {failure}; wanted for {}",
                entry.description()
            );
            let sources: Vec<_> =
                all(template).iter().map(|from| about(plan, *from, None)).collect();
            Err(Problem::new(Exit::Unusable, text)
                .about(sources.join(", "))
                .advise("the template against what its secrets hold"))
        }
    }
}

/// The text was made, and cannot be written where it is wanted.
pub(super) fn unfit(
    plan: &Plan,
    entry: &Entry<'_>,
    template: &plan::Template,
    why: &Unfit,
) -> Problem {
    let sources: Vec<_> = all(template).iter().map(|from| about(plan, *from, None)).collect();
    let text = format!("{why}; wanted for {}", entry.description());
    Problem::new(Exit::Unusable, text).about(sources.join(", ")).advise(why.advice())
}

fn parse(shown: &str, template: &plan::Template) -> Result<Template, Problem> {
    let bad = |what: String| {
        let text = format!("the template of {shown} is not valid: {what}");
        Problem::new(Exit::Plan, text)
            .advise("that webhook and fetcher are of one release, and that nothing edits the plan")
    };
    // What fails although it was accepted is a failure of rendering.
    let parsed = Template::parse_one_of(&template.text, &mut CheckFuel::none())
        .map_err(|invalid| bad(invalid.first().map(ToString::to_string).unwrap_or_default()))?;
    let is_known = |source: &str| template.secrets.iter().any(|secret| secret.written == source);
    match parsed.secrets().iter().find(|secret| !is_known(&secret.source)) {
        None => Ok(parsed),
        Some(secret) => {
            Err(bad(format!("line {}: the plan does not have its source", secret.line)))
        }
    }
}

/// The lookups of a template, each once.
fn all(template: &plan::Template) -> Vec<usize> {
    let mut of: Vec<usize> = template.secrets.iter().map(|secret| secret.from).collect();
    of.sort_unstable();
    of.dedup();
    of
}
