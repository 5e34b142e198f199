//! A JMESPath expression whose syntax, functions and length are known to be good.

use std::fmt;

use jmespath::Variable;
use jmespath::ast::Ast;
use serde::{Deserialize, Serialize};

mod growth;
mod numbers;
mod parts;
mod syntax;
mod syntax_error;
mod tokens;
mod unquoted;

use self::parts::first;
pub use self::parts::parts_mut as parts_of_expression;
use self::syntax_error::Syntax;

/// Part of a secret's JSON value, as JMESPath.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Selector(String);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSelector {
    #[error("the JMESPath expression is empty; leave it out to get the whole secret")]
    Empty,
    #[error("the JMESPath expression has {0} bytes; at most {MAX_SELECTOR_BYTES} are allowed")]
    TooLong(usize),
    #[error("the JMESPath expression does not parse at column {column}: {reason}")]
    Syntax { column: usize, reason: String },
    #[error(
        "to JMESPath the key {key} ends at column {column}; a key with other characters than letters, digits and _ stands in double quotes: #{quoted}"
    )]
    Unquoted { column: usize, key: String, quoted: String },
    #[error(
        "a number of the JMESPath expression has more digits than can be compared: {0}; compare it as text, in single quotes, if the secret has it so"
    )]
    Digits(String),
    #[error("JMESPath has no function {0}(); see the JMESPath specification for the built-in ones")]
    UnknownFunction(String),
    #[error(
        "the JMESPath expression may make too much of a small value: it doubles a list ([@,@][]), joins it or turns it into text again and again; take the parts apart, each in a file of its own"
    )]
    Growing,
    #[error(
        "an index or slice of the JMESPath expression has the number {0}; numbers to {MAX_INDEX} are allowed, more than any list of a secret has"
    )]
    Index(i32),
}

/// The evaluator adds and negates them without looking.
const MAX_INDEX: u32 = 1_000_000;

/// Far more than people write. A chain of parts nests to the left in the tree: what fits into this many
/// bytes is known to fit into half of a worker thread's stack, in a debug build too.
pub const MAX_SELECTOR_BYTES: usize = 512;

const FUNCTIONS: [&str; 26] = [
    "abs",
    "avg",
    "ceil",
    "contains",
    "ends_with",
    "floor",
    "join",
    "keys",
    "length",
    "map",
    "max",
    "max_by",
    "merge",
    "min",
    "min_by",
    "not_null",
    "reverse",
    "sort",
    "sort_by",
    "starts_with",
    "sum",
    "to_array",
    "to_number",
    "to_string",
    "type",
    "values",
];

impl Selector {
    pub fn parse(text: &str) -> Result<Self, InvalidSelector> {
        if text.trim().is_empty() {
            return Err(InvalidSelector::Empty);
        }
        if text.len() > MAX_SELECTOR_BYTES {
            return Err(InvalidSelector::TooLong(text.len()));
        }
        let ast = syntax::parse(text).map_err(|error| invalid(text, error))?;
        if let Some(name) = unknown_function(&ast) {
            return Err(InvalidSelector::UnknownFunction(name));
        }
        if let Some(number) = numbers::lost(text) {
            return Err(InvalidSelector::Digits(printable::shorten(&number)));
        }
        match large_index(&ast) {
            Some(number) => Err(InvalidSelector::Index(number)),
            None if !growth::is_bounded(&ast) => Err(InvalidSelector::Growing),
            None => Ok(Self(text.to_owned())),
        }
    }

    /// What the expression means, where it can be evaluated on this value within a few megabytes.
    /// `beside` is how many bytes are kept for the value beside it, such as the digits of its numbers.
    #[must_use]
    pub fn for_value(&self, value: &Variable, beside: usize) -> Option<Ast> {
        syntax::parse(&self.0).ok().filter(|ast| growth::bears(ast, value, beside))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Selector {
    type Error = InvalidSelector;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Selector> for String {
    fn from(selector: Selector) -> Self {
        selector.0
    }
}

fn invalid(text: &str, error: Syntax) -> InvalidSelector {
    let Syntax { offset, reason } = error;
    let column = text.get(..offset).unwrap_or(text).chars().count() + 1;
    match unquoted::key(text, offset) {
        Some((key, quoted)) => InvalidSelector::Unquoted { column, key, quoted },
        None => InvalidSelector::Syntax { column, reason },
    }
}

fn unknown_function(ast: &Ast) -> Option<String> {
    first(ast, |ast| match ast {
        Ast::Function { name, .. } if !FUNCTIONS.contains(&name.as_str()) => Some(name.clone()),
        _ => None,
    })
}

fn large_index(ast: &Ast) -> Option<i32> {
    first(ast, |ast| match ast {
        Ast::Index { idx, .. } => Some(*idx).filter(|number| number.unsigned_abs() > MAX_INDEX),
        Ast::Slice { start, stop, step, .. } => {
            let mut numbers = start.iter().chain(stop).chain([step]);
            numbers.find(|number| number.unsigned_abs() > MAX_INDEX).copied()
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_expressions_are_accepted() {
        for text in ["password", "a.b[0].\"c d\"", "[a, b]", "join(',', hosts)", "items[?x > `1`]"]
        {
            assert_eq!(Selector::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn a_bad_expression_is_refused_with_its_column() {
        let error = Selector::parse("a..b").unwrap_err();
        assert!(matches!(error, InvalidSelector::Syntax { .. }), "{error}");
        assert!(error.to_string().contains("column 3"), "{error}");
    }

    #[test]
    fn a_number_that_no_machine_holds_is_no_text() {
        for text in ["`1e999`", "a[?b == `1e999`]", "`[1, 1e999]`"] {
            let error = Selector::parse(text).unwrap_err();
            assert!(matches!(error, InvalidSelector::Syntax { .. }), "{text}: {error}");
        }
        assert!(Selector::parse("a[?b == `text`]").is_ok());
    }

    #[test]
    fn indexes_and_slices_have_numbers_that_lists_can_have() {
        for text in [
            "a[1000001]",
            "a[-1000001]",
            "a[1000001:]",
            "a[:-1000001]",
            "a[0:1:1000001]",
            "[x, y[::1000001]]",
        ] {
            let error = Selector::parse(text).unwrap_err();
            assert!(matches!(error, InvalidSelector::Index(_)), "{text}: {error}");
        }
        assert!(Selector::parse("a[1000000:-1:2]").is_ok());
    }

    #[test]
    fn an_unknown_function_is_refused_wherever_it_stands() {
        for text in [
            "uuid()",
            "a.nope(b)",
            "nope(a).b",
            "nope(a) || b",
            "a && nope(b)",
            "[a, nope(b)]",
            "[?nope(@)]",
            "[?a].nope(b)",
            "{x: sort_by(y, &nope(z))}",
        ] {
            let error = Selector::parse(text).unwrap_err();
            assert!(matches!(error, InvalidSelector::UnknownFunction(_)), "{text}: {error}");
        }
    }

    #[test]
    fn nesting_up_to_the_cap_fits_into_half_of_a_worker_threads_stack() {
        let small_stack = std::thread::Builder::new().stack_size(1024 * 1024).spawn(|| {
            for (open, close, most) in
                [("[", "]", 63), ("(", ")", 63), ("!", "", 63), ("a.", "", 255), ("a[][].", "", 84)]
            {
                let nested = |depth| format!("{}a{}", open.repeat(depth), close.repeat(depth));
                let text = nested(most);
                assert!(text.len() <= MAX_SELECTOR_BYTES);
                Selector::parse(&text).unwrap_or_else(|error| panic!("{open}: {error}"));
                let deepest = MAX_SELECTOR_BYTES / (open.len() + close.len()) - 1;
                let deeper = Selector::parse(&nested(deepest));
                let is_told = |it: InvalidSelector| it.to_string().contains("deeper than 64");
                assert!(deepest == most || deeper.is_err_and(is_told), "{open}");
            }
        });
        small_stack.unwrap().join().unwrap();
        assert_eq!(
            Selector::parse(&"[".repeat(MAX_SELECTOR_BYTES + 1)),
            Err(InvalidSelector::TooLong(MAX_SELECTOR_BYTES + 1))
        );
    }

    #[test]
    fn nothing_and_control_characters_get_short_words() {
        for text in ["", " \n"] {
            assert_eq!(Selector::parse(text), Err(InvalidSelector::Empty), "{text:?}");
        }
        for text in ["\u{1b}[31m".to_owned(), format!("a.`{}", "x".repeat(500))] {
            let message = Selector::parse(&text).unwrap_err().to_string();
            assert!(message.len() < 250 && !message.contains('\u{1b}'), "{message}");
        }
    }
}
