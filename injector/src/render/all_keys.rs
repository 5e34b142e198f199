//! A file or a variable for each key of a value. Keys are told in messages: they become names that
//! everybody in the Pod sees.

use plan::{AllKeys, FileName, KeysTarget, MAX_KEYS, Plan, RefusedName, Selector, VariableName};
use secret::Sensitive;

use super::content::Content;
use super::documents::Documents;
use super::encoding::encoded_as;
use super::environment;
use super::unusable::{Why, about, problem};
use crate::input::entry::Entry;
use crate::report::exit::Exit;
use crate::report::problem::Problem;
use crate::report::terminal::one_line;

/// The names, one on each line, and the file of each with its content.
pub(super) fn render(
    plan: &Plan,
    entry: &Entry<'_>,
    keys: &AllKeys,
    select: Option<&Selector>,
    value: &Sensitive,
    documents: &mut Documents,
) -> Result<(Sensitive, Vec<(String, Sensitive)>), Problem> {
    let from = keys.value.from;
    let refused = |key: &str, what: &str, advice: &'static str| {
        let text =
            format!("the key {:?} {what}; wanted for {}", one_line(key, 128), entry.description());
        Problem::new(Exit::Unusable, text).about(about(plan, from, select)).advise(advice)
    };
    let unfit = |why: Why| problem(plan, &entry.description(), from, select, &why);
    let members = documents.members(from, select, value).map_err(|why| unfit(Why::from(why)))?;
    if members.len() > MAX_KEYS {
        let text = format!(
            "the value has {} keys; at most {MAX_KEYS} are allowed; wanted for {}",
            members.len(),
            entry.description()
        );
        return Err(Problem::new(Exit::Unusable, text)
            .about(about(plan, from, select))
            .advise("the keys that are needed, each by itself"));
    }
    let (mut names, mut files) = (String::new(), Vec::with_capacity(members.len()));
    for (key, content) in members {
        let content = content.ok_or_else(|| {
            refused(&key, "is null", "the secret's value; a file or variable has none of it")
        })?;
        let name = format!("{}{key}", keys.prefix);
        let name = match &keys.become_what {
            KeysTarget::Files { slash, .. } => {
                file_name(&name, *slash).map_err(|why| refused(&key, &why, RENAME))?
            }
            KeysTarget::Variables { .. } => {
                let name = VariableName::parse(&name).map_err(|error| {
                    refused(&key, &format!("makes no variable: {error}"), RENAME)
                })?;
                let rules = plan.variable_rules();
                if let Some(why) = rules.and_then(|rules| rules.refuse(&name)) {
                    let (why, advice) = words(why);
                    return Err(refused(
                        &key,
                        &format!("would be the variable {name}, and {why}"),
                        advice,
                    ));
                }
                let decoded = encoded_as(entry.options.encoding, Content::Made(content))
                    .map_err(|why| unfit(Why::from(why)))?;
                environment::exec(&name, decoded.bytes()).map_err(|why| unfit(Why::from(why)))?;
                names.push_str(name.as_str());
                names.push('\n');
                files.push((entry.file_of(name.as_str()), decoded.into_sensitive()));
                continue;
            }
        };
        let decoded = encoded_as(entry.options.encoding, Content::Made(content))
            .map_err(|why| unfit(Why::from(why)))?;
        names.push_str(&name);
        names.push('\n');
        files.push((name, decoded.into_sensitive()));
    }
    Ok((Sensitive::from(names), files))
}

fn file_name(name: &str, slash: Option<char>) -> Result<String, String> {
    let name = match slash {
        Some(slash) => name.replace('/', slash.encode_utf8(&mut [0; 4])),
        None => name.to_owned(),
    };
    match FileName::parse(&name) {
        Ok(name) => Ok(name.to_string()),
        Err(error) => Err(format!("makes no file: {error}")),
    }
}

const RENAME: &str =
    "the keys of the secret, or a prefix; or name those that are needed, each by itself";

fn words(why: RefusedName) -> (&'static str, &'static str) {
    match why {
        RefusedName::Reserved => {
            ("names that begin so are the injector's", "a prefix, or another key in the secret")
        }
        RefusedName::NotListed => (
            "the operator allows no variable of this name to be set from a secret",
            "a prefix, or onlyVariables in the webhook's settings",
        ),
        RefusedName::RunsCode => (
            "with it whoever writes the secret can run code in the container",
            "a prefix, or allowedVariables in the webhook's settings",
        ),
    }
}
