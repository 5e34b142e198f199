//! Whole files of one mapping: a JSON secret, or `{"KEY": VALUE, …}` of somebody's own. Keys are
//! sorted, and every line ends in a newline.

use crate::error::Error;
use crate::quote;
use crate::text::Builder;
use crate::value::Value;

/// `KEY=VALUE` as all readers of `.env` files take it.
pub fn dotenv(mapping: &Value<'_>, out: &mut Builder) -> Result<(), Error> {
    lines(mapping, out, |key, value, out| {
        variable_of_file(key)?;
        out.push_str(&format!("{key}="))?;
        quote::dotenv(&value.text()?, out)
    })
}

/// `KEY=VALUE` without quotes, as `docker run --env-file` takes it. Names of variables have nothing
/// that docker skips, cuts off or refuses.
pub fn docker_env(mapping: &Value<'_>, out: &mut Builder) -> Result<(), Error> {
    lines(mapping, out, |key, value, out| {
        variable_of_file(key)?;
        quote::docker_line(&format!("{key}="), &value.text()?, out)
    })
}

/// `KEY='VALUE'`, for a POSIX shell alone: `set -a; . FILE`.
pub fn shell(mapping: &Value<'_>, out: &mut Builder) -> Result<(), Error> {
    lines(mapping, out, |key, value, out| {
        variable(key)?;
        out.push_str(&format!("{key}="))?;
        quote::shell(&value.text()?, out)
    })
}

/// Variables that a shell sets by itself, does not let be set, or calculates what is set. All that
/// begin with `BASH_` are beside them.
#[rustfmt::skip]
const OF_THE_SHELL: [&str; 22] = [
    "BASH", "BASHOPTS", "BASHPID", "COMP_WORDBREAKS", "DIRSTACK", "EPOCHREALTIME", "EPOCHSECONDS",
    "EUID", "FUNCNAME", "GROUPS", "HISTCMD", "LINENO", "OPTIND", "PIPESTATUS", "PPID", "RANDOM",
    "SECONDS", "SHELLOPTS", "SHLVL", "SRANDOM", "UID", "_",
];

/// A variable that every reader of such a file can set.
fn variable_of_file(key: &str) -> Result<(), Error> {
    variable(key)?;
    // An object of JavaScript has it already, and keeps no text under it.
    if key == "__proto__" {
        return Err(Error::words("JavaScript loses a variable of this name; choose another one"));
    }
    Ok(())
}

fn variable(key: &str) -> Result<(), Error> {
    let first = |b: u8| b.is_ascii_alphabetic() || b == b'_';
    let is_name = key.bytes().next().is_some_and(first)
        && key.bytes().all(|b| first(b) || b.is_ascii_digit());
    if OF_THE_SHELL.contains(&key) || key.starts_with("BASH_") {
        return Err(Error::words("a shell keeps this name for itself; choose another one"));
    }
    if is_name { Ok(()) } else { Err(Error::words("it is no name of a variable")) }
}

/// `key=value`, as `java.util.Properties` loads it.
pub fn properties(mapping: &Value<'_>, out: &mut Builder) -> Result<(), Error> {
    lines(mapping, out, |key, value, out| {
        quote::properties_key(key, out)?;
        out.push_str("=")?;
        quote::properties_value(&value.text()?, out)
    })
}

/// A key of YAML has fewer characters up to its `:`, if no `?` stands before it.
const LONGEST_SIMPLE_KEY: usize = 1024;

/// A line is `"key": VALUE` with texts in double quotes; other kinds keep their kind.
pub fn yaml(mapping: &Value<'_>, out: &mut Builder) -> Result<(), Error> {
    if mapping.members().is_empty() {
        return out.push_str("{}\n");
    }
    lines(mapping, out, |key, value, out| {
        let mut quoted = Builder::default();
        quote::yaml(key, &mut quoted)?;
        let key = quoted.into_text();
        let is_short = key.chars().count() < LONGEST_SIMPLE_KEY;
        let (before, behind) = if is_short { ("", ": ") } else { ("? ", "\n: ") };
        out.push_str(&format!("{before}{}{behind}", &*key))?;
        match value {
            Value::Text(text) => quote::yaml(text, out),
            Value::Null => out.push_str("null"),
            Value::Number(number) => out.push_str(&yaml_number(number)),
            other => out.push_str(&other.text()?),
        }
    })
}

/// The value is written whole, also with lists and mappings in it.
pub fn json(mapping: &Value<'_>, out: &mut Builder) -> Result<(), Error> {
    crate::json::pretty(mapping, out)?;
    out.push_str("\n")
}

fn lines(
    mapping: &Value<'_>,
    out: &mut Builder,
    line: impl Fn(&str, &Value<'_>, &mut Builder) -> Result<(), Error>,
) -> Result<(), Error> {
    mapping.members().iter().try_for_each(|(key, value)| {
        line(key, value, out).map_err(|error| error.with_key(key))?;
        out.push_str("\n")
    })
}

/// YAML 1.1 reads an exponent only behind a point and with a sign.
fn yaml_number(json: &str) -> String {
    let Some((mantissa, exponent)) = json.split_once(['e', 'E']) else { return json.to_owned() };
    let point = if mantissa.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with(['-', '+']) { "" } else { "+" };
    format!("{mantissa}{point}e{sign}{exponent}")
}
