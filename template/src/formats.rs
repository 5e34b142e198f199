//! Whole files of one mapping: a JSON secret, or `{"KEY": VALUE, …}` in the template. Keys are
//! sorted, and every line ends in a newline.

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, State};

use crate::engine::{Told, told};
use crate::fault::shorten;
use crate::template::MAX_VALUE_BYTES;
use crate::{json, quote};

/// `KEY=VALUE` as all readers of `.env` files take it.
pub(crate) fn dotenv(value: &Value) -> Result<String, Error> {
    lines(value, |key, value| {
        variable_of_file(key)?;
        Ok(format!("{key}={}", quote::dotenv(&json::text(value)?)?))
    })
}

/// `KEY=VALUE` without quotes, as `docker run --env-file` takes it. Names of variables have nothing
/// that docker skips, cuts off or refuses.
pub(crate) fn docker_env(value: &Value) -> Result<String, Error> {
    lines(value, |key, value| {
        variable_of_file(key)?;
        // The key counts for the length of the line.
        Ok(quote::docker_env(&format!("{key}={}", json::text(value)?))?)
    })
}

/// `KEY='VALUE'`, for a POSIX shell alone: `set -a; . FILE`.
pub(crate) fn shell(value: &Value) -> Result<String, Error> {
    lines(value, |key, value| {
        variable(key)?;
        Ok(format!("{key}={}", quote::shell(&json::text(value)?)?))
    })
}

/// Variables that a shell sets by itself, does not let be set, or calculates what is set. All that
/// begin with `BASH_` are beside them.
const OF_THE_SHELL: [&str; 22] = [
    "BASH",
    "BASHOPTS",
    "BASHPID",
    "COMP_WORDBREAKS",
    "DIRSTACK",
    "EPOCHREALTIME",
    "EPOCHSECONDS",
    "EUID",
    "FUNCNAME",
    "GROUPS",
    "HISTCMD",
    "LINENO",
    "OPTIND",
    "PIPESTATUS",
    "PPID",
    "RANDOM",
    "SECONDS",
    "SHELLOPTS",
    "SHLVL",
    "SRANDOM",
    "UID",
    "_",
];

/// A variable that every reader of such a file can set.
fn variable_of_file(key: &str) -> Result<(), Told> {
    variable(key)?;
    // An object of JavaScript has it already, and keeps no text under it.
    if key == "__proto__" {
        let words = "JavaScript loses a variable of this name; choose another one";
        return Err(Told(words.to_owned()));
    }
    Ok(())
}

fn variable(key: &str) -> Result<(), Told> {
    let first = |b: u8| b.is_ascii_alphabetic() || b == b'_';
    let is_name = key.bytes().next().is_some_and(first)
        && key.bytes().all(|b| first(b) || b.is_ascii_digit());
    if OF_THE_SHELL.contains(&key) || key.starts_with("BASH_") {
        let words = "a shell keeps this name for itself; choose another one";
        return Err(Told(words.to_owned()));
    }
    if is_name { Ok(()) } else { Err(Told("it is no name of a variable".to_owned())) }
}

/// `key=value`, as `java.util.Properties` loads it.
pub(crate) fn properties(value: &Value) -> Result<String, Error> {
    lines(value, |key, value| {
        let value = json::text(value)?;
        Ok(format!("{}={}", quote::properties_key(key), quote::properties_value(&value)))
    })
}

/// Characters of a key of YAML up to its `:`, if no `?` stands before it.
const LONGEST_SIMPLE_KEY: usize = 1024;

/// `"key": VALUE` with texts in double quotes; other kinds keep their kind.
pub(crate) fn yaml(value: &Value) -> Result<String, Error> {
    let lines = lines(value, |key, value| {
        let value = match value.kind() {
            ValueKind::String => quote::yaml(value.as_str().unwrap_or_default()),
            ValueKind::None => "null".to_owned(),
            ValueKind::Number => yaml_number(&json::number(value)?),
            _ if json::exact(value).is_some() => yaml_number(&json::text(value)?),
            _ => json::text(value)?,
        };
        let key = quote::yaml(key);
        let is_short = key.chars().count() < LONGEST_SIMPLE_KEY;
        Ok(if is_short { format!("{key}: {value}") } else { format!("? {key}\n: {value}") })
    })?;
    Ok(if lines.is_empty() { "{}\n".to_owned() } else { lines })
}

/// The whole value, also with lists and mappings in it.
pub(crate) fn json(value: &Value) -> Result<String, Error> {
    let mut text = json::pretty(value)?;
    text.push('\n');
    Ok(text)
}

/// A mapping, or the JSON object that a text is.
pub(crate) fn mapping(state: &State<'_, '_>, value: &Value) -> Result<Value, Error> {
    let value = match value.kind() {
        ValueKind::String => json::parse(state, value)?,
        _ => value.clone(),
    };
    match value.kind() {
        ValueKind::Map => Ok(value),
        ValueKind::Undefined => json::text(&value).map(Value::from),
        _ => {
            Err(Told("this format takes a JSON object or a mapping {\"KEY\": VALUE}".to_owned())
                .into())
        }
    }
}

fn lines(
    value: &Value,
    line: impl Fn(&str, &Value) -> Result<String, Error>,
) -> Result<String, Error> {
    let mut out = String::new();
    for (key, value) in json::members(value)? {
        out.push_str(&line(&key, &value).map_err(|error| of_key(&key, error))?);
        out.push('\n');
        if out.len() > MAX_VALUE_BYTES {
            return Err(Told(format!("it makes more than {MAX_VALUE_BYTES} bytes")).into());
        }
    }
    Ok(out)
}

/// The same error, which names the key.
pub(crate) fn of_key(key: &str, error: Error) -> Error {
    match told(&error) {
        Some(Told(text)) => Told(format!("key {:?}: {text}", shorten(key))).into(),
        None => error,
    }
}

/// YAML 1.1 reads an exponent only behind a point and with a sign.
fn yaml_number(json: &str) -> String {
    let Some((mantissa, exponent)) = json.split_once(['e', 'E']) else { return json.to_owned() };
    let point = if mantissa.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with(['-', '+']) { "" } else { "+" };
    format!("{mantissa}{point}e{sign}{exponent}")
}
