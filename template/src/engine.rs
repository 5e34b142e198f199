//! minijinja with nothing in it but what we put there, and how it is run.

use std::collections::{BTreeMap, HashMap};

use minijinja::machinery::{self, CodeGenerator, Instructions};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value;
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, tests,
};
use zeroize::Zeroizing;

use crate::missing::{self, Missing};
use crate::template::{MAX_OUTPUT_BYTES, MAX_VALUE_BYTES};
use crate::{filters, formats, json, operators, pem, quote};

pub(crate) const SECRET: &str = "secret";
pub(crate) const JSON: &str = "json";
pub(crate) const FUNCTIONS: [&str; 2] = [SECRET, JSON];
pub(crate) const TESTS: [(&str, Check); 3] =
    [("defined", tests::is_defined), ("undefined", tests::is_undefined), ("none", tests::is_none)];

/// Filters that write a list or mapping of the template as text.
pub(crate) const WHOLE: [&str; 10] = [
    "join",
    "length",
    "tojson",
    "dotenv",
    "docker_env",
    "shell",
    "properties",
    "json",
    "yaml",
    "pem_bundle",
];

type Check = fn(&Value) -> bool;
/// One text of another.
type Written = fn(&str) -> Result<String, Told>;
type Code<'t> = (Instructions<'t>, BTreeMap<&'t str, Instructions<'t>>);
type Format = fn(&Value) -> Result<String, Error>;

/// An error in words of our own, which hold no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Told(pub(crate) String);

impl From<Told> for Error {
    fn from(told: Told) -> Self {
        Self::from(ErrorKind::InvalidOperation).with_source(told)
    }
}

/// Our own words, if the error has any.
pub(crate) fn told(error: &Error) -> Option<&Told> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(current) = cause {
        if let Some(told) = current.downcast_ref() {
            return Some(told);
        }
        cause = current.source();
    }
    None
}

/// The same in our own words, which name where it came about.
pub(crate) fn within<T>(place: &str, result: Result<T, Error>) -> Result<T, Error> {
    result.map_err(|error| match told(&error) {
        Some(Told(text)) => Told(format!("{text}, in {place}")).into(),
        None => error,
    })
}

/// The text is kept exactly as it is written.
pub(crate) fn syntax() -> SyntaxConfig {
    let mut builder = SyntaxConfig::builder();
    builder.keep_trailing_newline(true);
    builder.build().unwrap_or_default()
}

/// `values` are those of the sources, as they are written.
fn environment(values: HashMap<String, Value>, fuel: u64) -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_syntax(syntax());
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(fuel));
    environment.set_formatter(print);
    environment.add_function(SECRET, move |source: &str| {
        values.get(source).cloned().ok_or_else(|| Error::from(ErrorKind::UndefinedError))
    });
    environment.add_function(JSON, |state: &State<'_, '_>, value: &Value| {
        within("json()", json::parse(state, value))
    });
    for (name, test) in TESTS {
        environment.add_test(name, test);
    }
    filters::add(&mut environment);
    operators::add(&mut environment);
    let texts: [(&'static str, Written); 12] = [
        ("trim", |text| Ok(text.trim().to_owned())),
        ("upper", |text| Ok(text.to_uppercase())),
        ("lower", |text| Ok(text.to_lowercase())),
        ("b64encode", filters::b64encode),
        ("b64decode", filters::b64decode),
        ("quote_shell", quote::shell),
        ("quote_dotenv", quote::dotenv),
        ("quote_docker_env", quote::docker_env),
        ("quote_properties", |text| Ok(quote::properties_value(text))),
        ("quote_json", quote::json),
        ("quote_yaml", |text| Ok(quote::yaml(text))),
        ("urlencode", |text| Ok(quote::url(text))),
    ];
    for (name, write) in texts {
        environment.add_filter(name, move |state: &State<'_, '_>, value: &Value| {
            let text = json::text(value).and_then(|text| Ok(write(&text)?));
            made(state, within(&format!("the filter {name}"), text)?)
        });
    }
    let whole: [(&'static str, Format); 7] = [
        ("dotenv", formats::dotenv),
        ("docker_env", formats::docker_env),
        ("shell", formats::shell),
        ("properties", formats::properties),
        ("json", formats::json),
        ("yaml", formats::yaml),
        ("pem_bundle", pem::bundle),
    ];
    for (name, format) in whole {
        environment.add_filter(name, move |state: &State<'_, '_>, value: &Value| {
            let text = formats::mapping(state, value).and_then(|mapping| format(&mapping));
            made(state, within(&format!("the filter {name}"), text)?)
        });
    }
    environment
}

/// What a template makes of the sources' values.
pub(crate) fn render(
    text: &str,
    values: HashMap<String, Value>,
    fuel: u64,
) -> Result<Zeroizing<String>, Error> {
    run(&environment(values, fuel), &code(text)?)
}

/// What was not there, where an error in this line says that something was not.
/// `fuel` bounds the second run too, should it not end where the first one did.
pub(crate) fn missing(
    text: &str,
    values: HashMap<String, Value>,
    fuel: u64,
    line: usize,
) -> Option<String> {
    let mut environment = environment(values, fuel);
    let (instructions, blocks) = code(text).ok()?;
    let lookups = missing::lookups(&instructions);
    let mut code = (instructions, blocks);
    let missing = Missing::default();
    missing.watch(&mut environment);
    missing.replace(&lookups, &mut code.0, &mut environment);
    let _ = run(&environment, &code);
    missing.tell(line)
}

fn code(text: &str) -> Result<Code<'_>, Error> {
    let tree = machinery::parse(text, "", syntax())?;
    let mut code = CodeGenerator::new("", text);
    code.compile_stmt(&tree);
    let (mut instructions, blocks) = code.finish();
    operators::replace(&mut instructions);
    Ok((instructions, blocks))
}

fn run<'c>(
    environment: &'c Environment<'c>,
    (instructions, blocks): &'c Code<'c>,
) -> Result<Zeroizing<String>, Error> {
    // A text that grows leaves copies behind that nobody wipes; one that fits does not grow.
    let mut made = Zeroizing::new(String::with_capacity(MAX_OUTPUT_BYTES));
    let mut output = machinery::make_string_output(&mut made);
    let (root, escape) = (Value::from(()), AutoEscape::None);
    machinery::eval(environment, instructions, root, blocks, &mut output, escape)?;
    drop(output);
    Ok(made)
}
/// What a filter made, paid for: nothing else bounds chains of filters.
pub(crate) fn made(state: &State<'_, '_>, text: String) -> Result<Value, Error> {
    paid(state, text.len())?;
    Ok(Value::from(text))
}

pub(crate) fn paid(state: &State<'_, '_>, bytes: usize) -> Result<(), Error> {
    if bytes > MAX_VALUE_BYTES {
        return Err(Told(format!("it makes more than {MAX_VALUE_BYTES} bytes")).into());
    }
    state.consume_fuel(u64::try_from(bytes).unwrap_or(u64::MAX) / 64 + 1)
}

/// As a file with a JMESPath: text as it is, everything else as compact JSON, and null is an error.
pub(crate) fn print(
    output: &mut Output<'_>,
    _: &mut State<'_, '_>,
    value: &Value,
) -> Result<(), Error> {
    // Nothing, where an `if` without `else` chose nothing.
    if value.is_undefined() {
        return Ok(());
    }
    if value.is_none() {
        return Err(Told("null cannot be written; use default(\"…\", true)".to_owned()).into());
    }
    match value.as_str() {
        Some(text) => output.write_str(text)?,
        None => output.write_str(&json::compact(value)?)?,
    }
    Ok(())
}
