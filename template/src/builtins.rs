//! This file owns all that a template may call. A filter stands here once, with what it takes.

use std::{fmt, iter};

use formats::{
    Builder, Error, Fuel, Kinds, Text, Value, ValueResult, build, file, json, pem, quote,
};
use zeroize::Zeroizing;

use crate::filters::{b64decode, b64encode, default, indent, join, length, replace, tojson};
use crate::operand::{Operand, OperandResult};

pub(crate) const SECRET: &str = "secret";
pub(crate) const JSON: &str = "json";
pub(crate) const FUNCTIONS: [&str; 2] = [SECRET, JSON];

type Test = (&'static str, fn(&Operand<'_>) -> bool);

pub(crate) const TESTS: [Test; 3] = [
    ("defined", |value| !value.is_undefined()),
    ("undefined", |value| value.is_undefined()),
    ("none", |value| matches!(value, Operand::Known(Value::Null))),
];

pub(crate) struct Filter {
    pub(crate) name: &'static str,
    takes: Kinds,
    arguments: Arguments,
    makes: Kinds,
    /// `default` has none, as its value and first argument may be ones that are not defined.
    function: Option<Function>,
}

/// So many of these must be there.
type Arguments = (usize, &'static [(&'static str, Kinds)]);

#[derive(Clone, Copy)]
enum Function {
    /// One text becomes another.
    OfText(TextFn),
    /// A mapping becomes the text of a whole file.
    OfMapping(FileFn),
    Apply(ValueFn),
}

type TextFn = fn(&str, &mut Builder) -> Result<(), Error>;
type FileFn = fn(&Value<'_>, &mut Builder) -> Result<(), Error>;
type ValueFn = for<'a> fn(&Value<'a>, &[Value<'a>], &mut Fuel) -> ValueResult<'a>;

use Function::{Apply, OfMapping, OfText};

const ANY: Kinds = Kinds::ANY;
const TEXT: Kinds = Kinds::TEXT;
const NUMBER: Kinds = Kinds::NUMBER;
const SINGLE: Kinds = TEXT.or(NUMBER).or(Kinds::BOOL);
const WHOLE: Kinds = Kinds::LIST.or(Kinds::MAP);
const CHOICE: Kinds = Kinds::BOOL.or(Kinds::NULL);

const NONE: Arguments = (0, &[]);
const FROM_TO: Arguments = (2, &[("FROM", SINGLE), ("TO", SINGLE)]);
const WIDTH_FIRST: Arguments = (0, &[("WIDTH", NUMBER.or(Kinds::NULL)), ("FIRST", CHOICE)]);
const OTHER_EMPTY: Arguments = (0, &[("OTHER", ANY), ("EMPTY", CHOICE)]);
const BETWEEN: Arguments = (0, &[("BETWEEN", SINGLE)]);

const READ: Function = Apply(|value, _, fuel| json::read(value, fuel));
/// The function `json` does the same.
pub(crate) const FROM_JSON: Filter = filter("fromjson", SINGLE.or(WHOLE), NONE, ANY, Some(READ));

pub(crate) const FILTERS: &[Filter] = &[
    text("trim", |text, out| out.push_str(text.trim())),
    text("upper", |text, out| out.push_str(&Zeroizing::new(text.to_uppercase()))),
    text("lower", |text, out| out.push_str(&Zeroizing::new(text.to_lowercase()))),
    filter("replace", SINGLE, FROM_TO, TEXT, Some(Apply(replace))),
    filter("indent", SINGLE, WIDTH_FIRST, TEXT, Some(Apply(indent))),
    filter("default", ANY, OTHER_EMPTY, ANY, None),
    filter("join", Kinds::LIST, BETWEEN, TEXT, Some(Apply(join))),
    filter("length", TEXT.or(WHOLE), NONE, NUMBER, Some(Apply(length))),
    FROM_JSON,
    filter("tojson", ANY, NONE, TEXT, Some(Apply(tojson))),
    text("b64encode", b64encode),
    text("b64decode", b64decode),
    text("urlencode", quote::url),
    text("quote_shell", quote::shell),
    text("quote_dotenv", quote::dotenv),
    text("quote_docker_env", quote::docker_env),
    text("quote_properties", quote::properties_value),
    text("quote_json", quote::json),
    text("quote_yaml", quote::yaml),
    format("dotenv", file::dotenv),
    format("docker_env", file::docker_env),
    format("shell", file::shell),
    format("properties", file::properties),
    format("json", file::json),
    format("yaml", file::yaml),
    format("pem_bundle", pem::bundle),
];

const fn text(name: &'static str, write: TextFn) -> Filter {
    filter(name, SINGLE, NONE, TEXT, Some(OfText(write)))
}

const fn format(name: &'static str, write: FileFn) -> Filter {
    filter(name, TEXT.or(Kinds::MAP), NONE, TEXT, Some(OfMapping(write)))
}

const fn filter(
    name: &'static str,
    takes: Kinds,
    arguments: Arguments,
    makes: Kinds,
    function: Option<Function>,
) -> Filter {
    Filter { name, takes, arguments, makes, function }
}

impl Filter {
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        FILTERS.iter().find(|filter| filter.name == name)
    }

    pub(crate) fn is_optional(&self) -> bool {
        self.function.is_none()
    }

    /// The template may hand over a list or mapping of its own, of which nothing is left.
    pub(crate) fn takes_whole(&self) -> bool {
        self.takes.meets(WHOLE) && !self.makes.meets(WHOLE)
    }

    /// With another number of arguments than it takes, this says what it takes.
    pub(crate) fn usage(&self, arguments: usize) -> Option<String> {
        let (least, all) = self.arguments;
        if (least..=all.len()).contains(&arguments) {
            return None;
        }
        let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
        Some(format!("{}({})", self.name, names.join(", ")))
    }

    /// Messages name it as it is `shown`.
    pub(crate) fn apply<'a>(
        &self,
        shown: fmt::Arguments<'_>,
        operand: Operand<'a>,
        arguments: Vec<Operand<'a>>,
        fuel: &mut Fuel,
    ) -> OperandResult<'a> {
        operand.kinds().expect(format_args!("{shown} takes"), self.takes)?;
        for (argument, (name, kinds)) in arguments.iter().zip(self.arguments.1) {
            argument.kinds().expect(format_args!("{shown} takes as {name}"), *kinds)?;
        }
        let Some(function) = self.function else { return default(&operand, &arguments, fuel) };
        let is_known = matches!(operand, Operand::Known(_));
        // Some arguments are wrong whatever the text is.
        let is_tried = self.takes.meets(TEXT) && !arguments.is_empty();
        let unknown = is_tried.then_some(Value::Text(Text::Borrowed("")));
        let arguments: Option<Vec<_>> = arguments.into_iter().map(Operand::known).collect();
        let (Some(value), Some(arguments)) = (operand.known().or(unknown), arguments) else {
            return Ok(Operand::Unknown(self.makes));
        };
        fuel.pay_for_bytes(iter::once(&value).chain(&arguments).map(Value::weight).sum())?;
        let made = match function {
            OfText(write) => {
                value.text().and_then(|it| build(fuel, it.len(), |out| write(&it, out)))
            }
            OfMapping(write) => {
                json::mapping(&value, fuel).and_then(|it| build(fuel, 0, |out| write(&it, out)))
            }
            Apply(apply) => apply(&value, &arguments, fuel),
        };
        let made = made.map_err(|error| error.with_place(shown))?;
        Ok(if is_known { Operand::Known(made) } else { Operand::Unknown(self.makes) })
    }
}
