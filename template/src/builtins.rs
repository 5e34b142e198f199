//! This file owns all that a template may call. A filter stands here once, with what it takes.

use std::ops::RangeInclusive;

use zeroize::Zeroizing;

use crate::error::Error;
use crate::filters::{b64decode, b64encode, default, indent, join, length, replace, tojson};
use crate::limits::Fuel;
use crate::text::Builder;
use crate::value::{TypeKind, Value, ValueResult, build};
use crate::{formats, json, pem, quote};

pub(crate) const SECRET: &str = "secret";
pub(crate) const JSON: &str = "json";
pub(crate) const FUNCTIONS: [&str; 2] = [SECRET, JSON];

type Test = (&'static str, fn(&Value<'_>) -> bool);

pub(crate) const TESTS: [Test; 3] = [
    ("defined", |value| !value.is_undefined()),
    ("undefined", |value| value.is_undefined()),
    ("none", |value| value.kind() == TypeKind::Null),
];

pub(crate) struct Filter {
    pub(crate) name: &'static str,
    /// The filter takes so many arguments, which the words say.
    pub(crate) arguments: Arguments,
    pub(crate) makes: TypeKind,
    pub(crate) function: FilterFn,
}

#[derive(Clone, Copy)]
pub(crate) enum FilterFn {
    /// One text becomes another.
    Text(TextFn),
    /// A mapping becomes the text of a whole file.
    Mapping(MappingFn),
    /// The template may hand over a list or mapping of its own too.
    Whole(ValueFn),
    Single(ValueFn),
    /// The value may be one that is not defined.
    Optional(ValueFn),
}

type TextFn = fn(&str, &mut Builder) -> Result<(), Error>;
type MappingFn = fn(&Value<'_>, &mut Builder) -> Result<(), Error>;
type ValueFn = for<'a> fn(&Value<'a>, &[Value<'a>], &mut Fuel) -> ValueResult<'a>;

type Arguments = (RangeInclusive<usize>, &'static str);

use FilterFn::{Optional, Single, Whole};
use TypeKind::{Any, Number, Text};

pub(crate) const FILTERS: [Filter; 26] = [
    text("trim", |text, out| out.push_str(text.trim())),
    text("upper", |text, out| out.push_str(&Zeroizing::new(text.to_uppercase()))),
    text("lower", |text, out| out.push_str(&Zeroizing::new(text.to_lowercase()))),
    filter("replace", (2..=2, "exactly 2 arguments, FROM and TO"), Text, Single(replace)),
    filter("indent", (0..=2, "at most 2 arguments, WIDTH and FIRST"), Text, Single(indent)),
    filter("default", (0..=2, "at most 2 arguments, OTHER and EMPTY"), Any, Optional(default)),
    filter("join", (0..=1, "at most one argument, BETWEEN"), Text, Whole(join)),
    filter("length", NONE, Number, Whole(length)),
    filter("fromjson", NONE, Any, Single(|value, _, fuel| json::read(value, fuel))),
    filter("tojson", NONE, Text, Whole(tojson)),
    text("b64encode", b64encode),
    text("b64decode", b64decode),
    text("urlencode", quote::url),
    text("quote_shell", quote::shell),
    text("quote_dotenv", quote::dotenv),
    text("quote_docker_env", quote::docker_env),
    text("quote_properties", quote::properties_value),
    text("quote_json", quote::json),
    text("quote_yaml", quote::yaml),
    format("dotenv", formats::dotenv),
    format("docker_env", formats::docker_env),
    format("shell", formats::shell),
    format("properties", formats::properties),
    format("json", formats::json),
    format("yaml", formats::yaml),
    format("pem_bundle", pem::bundle),
];

const NONE: Arguments = (0..=0, "no arguments");

const fn text(name: &'static str, write: TextFn) -> Filter {
    filter(name, NONE, Text, FilterFn::Text(write))
}

const fn format(name: &'static str, write: MappingFn) -> Filter {
    filter(name, NONE, Text, FilterFn::Mapping(write))
}

const fn filter(
    name: &'static str,
    arguments: Arguments,
    makes: TypeKind,
    function: FilterFn,
) -> Filter {
    Filter { name, arguments, makes, function }
}

impl Filter {
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        const ALL: &[Filter] = &FILTERS;
        ALL.iter().find(|filter| filter.name == name)
    }

    pub(crate) fn apply<'a>(
        &self,
        value: &Value<'a>,
        arguments: &[Value<'a>],
        fuel: &mut Fuel,
    ) -> ValueResult<'a> {
        // A value that only a secret knows is not read.
        if !arguments.is_empty() || !matches!(value, Value::Unknown(_)) {
            fuel.pay_for_bytes(std::iter::once(value).chain(arguments).map(Value::weight).sum())?;
        }
        let result = match self.function {
            FilterFn::Text(write) => value.text().and_then(|it| {
                build(fuel, |out| {
                    // What is written is seldom shorter.
                    out.reserve(it.len())?;
                    write(&it, out)
                })
            }),
            FilterFn::Mapping(write) => json::mapping(value, fuel).and_then(|it| {
                fuel.pay(it.members().len())?;
                build(fuel, |out| write(&it, out))
            }),
            Whole(apply) | Single(apply) | Optional(apply) => apply(value, arguments, fuel),
        };
        result.map_err(|error| error.with_place(format_args!("the filter {}", self.name)))
    }
}
