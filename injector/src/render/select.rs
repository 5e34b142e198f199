//! Picks a part out of a JSON value. What goes wrong is told by place, never by content.
//!
//! Honest limit: the parser's scratch buffer and numbers are not wiped; strings, keys and results
//! are, as soon as the document goes.

use std::io::{self, Write};
use std::sync::Arc;

use jmespath::functions::{ArgumentType, CustomFunction, Signature};
use jmespath::{Context, DEFAULT_RUNTIME, Rcvar, Runtime, Variable, interpret};
use plan::Selector;
use plan::contract::MAX_VALUE_BYTES;
use secret::Sensitive;
use zeroize::Zeroize;

/// A value that is JSON, parsed once for all of its extracts.
pub(crate) struct Document {
    root: Option<Rcvar>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SelectError {
    #[error("the value is empty, so nothing can be selected")]
    Empty,
    #[error("the value is not JSON (line {line}, column {column}), so nothing can be selected")]
    NotJson { line: usize, column: usize },
    #[error("the JMESPath gives nothing: null, or a key that the value does not have")]
    Nothing,
    #[error("the JMESPath does not fit the value (column {0} of the expression)")]
    Mismatch(usize),
    #[error("the JMESPath makes more than {MAX_VALUE_BYTES} bytes")]
    TooLarge,
    #[error(
        "the JMESPath may make too much of this value to be evaluated: it doubles, joins or turns into text what is large"
    )]
    TooMuch,
}

impl Document {
    pub(crate) fn parse(value: &Sensitive) -> Result<Self, SelectError> {
        if value.expose().trim_ascii().is_empty() {
            return Err(SelectError::Empty);
        }
        let variable: Variable = serde_json::from_slice(value.expose())
            .map_err(|error| SelectError::NotJson { line: error.line(), column: error.column() })?;
        Ok(Self { root: Some(Rcvar::new(variable)) })
    }

    /// Extracts a string as it is, and anything else as compact JSON.
    pub(crate) fn extract(&self, selector: &Selector) -> Result<Sensitive, SelectError> {
        let root = self.root.as_ref().ok_or(SelectError::Nothing)?;
        let mismatch =
            |error: &jmespath::JmespathError| SelectError::Mismatch(error.column.saturating_add(1));
        if !selector.bears(root) {
            return Err(SelectError::TooMuch);
        }
        let expression = jmespath::parse(selector.as_str()).map_err(|error| mismatch(&error))?;
        let own = selector.as_str().contains(TO_NUMBER).then(runtime);
        // The library's own search copies the whole document first.
        let mut context = Context::new(selector.as_str(), own.as_ref().unwrap_or(&DEFAULT_RUNTIME));
        let found = interpret(root, &expression, &mut context).map_err(|error| mismatch(&error))?;
        let text = text(&found);
        wipe(found);
        text
    }
}

const TO_NUMBER: &str = "to_number";

/// The functions of JMESPath. The library's own `to_number` makes a tree of any text that is JSON,
/// of a size that nothing bounds; by the specification what is no number is null.
fn runtime() -> Runtime {
    let to_number = |args: &[Rcvar], _: &mut Context<'_>| {
        let Some(value) = args.first() else { return Ok(Rcvar::new(Variable::Null)) };
        Ok(match &**value {
            Variable::Number(_) => Rcvar::clone(value),
            Variable::String(text) => {
                let number = serde_json::from_str(text).map(Variable::Number);
                Rcvar::new(number.unwrap_or(Variable::Null))
            }
            _ => Rcvar::new(Variable::Null),
        })
    };
    let mut runtime = Runtime::new();
    runtime.register_builtin_functions();
    let signature = Signature::new(vec![ArgumentType::Any], None);
    runtime.register_function(
        TO_NUMBER,
        Box::new(CustomFunction::new(signature, Box::new(to_number))),
    );
    runtime
}

impl Drop for Document {
    fn drop(&mut self) {
        if let Some(root) = self.root.take() {
            wipe(root);
        }
    }
}

fn text(found: &Variable) -> Result<Sensitive, SelectError> {
    match found {
        Variable::Null | Variable::Expref(_) => Err(SelectError::Nothing),
        Variable::String(text) if text.len() > MAX_VALUE_BYTES => Err(SelectError::TooLarge),
        Variable::String(text) => Ok(Sensitive::new(text.as_bytes().to_vec())),
        other => {
            // The size is counted first: a buffer that grows leaves copies behind that nobody
            // wipes.
            let mut counted = Counted(0);
            serde_json::to_writer(&mut counted, other).map_err(|_| SelectError::TooLarge)?;
            let mut bytes = Vec::with_capacity(counted.0);
            serde_json::to_writer(&mut bytes, other).map_err(|_| SelectError::TooLarge)?;
            Ok(Sensitive::new(bytes))
        }
    }
}

/// Overwrites what nobody else holds. It uses a list of its own and no recursion: the value's
/// author picks the depth.
fn wipe(root: Rcvar) {
    let mut rest = vec![root];
    while let Some(shared) = rest.pop() {
        match Arc::into_inner(shared) {
            Some(Variable::String(mut text)) => text.zeroize(),
            Some(Variable::Array(items)) => rest.extend(items),
            Some(Variable::Object(members)) => {
                for (mut key, member) in members {
                    key.zeroize();
                    rest.push(member);
                }
            }
            _ => {}
        }
    }
}

/// Takes bytes and keeps their number, up to the limit.
struct Counted(usize);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        if self.0 > MAX_VALUE_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extract(value: &str, selector: &str) -> Result<String, SelectError> {
        let document = Document::parse(&Sensitive::new(value.as_bytes().to_vec()))?;
        let part = document.extract(&Selector::parse(selector).unwrap())?;
        Ok(String::from_utf8(part.expose().to_vec()).unwrap())
    }

    #[test]
    fn a_string_is_written_as_it_is_and_anything_else_as_compact_json() {
        let value = r#"{"s": "a\"b\n密", "n": 5432, "f": 1.50, "big": 18446744073709551615,
            "t": true, "e": "", "l": [1, {"x": null}], "o": {"b": 1, "a": [ ]}}"#;
        for (selector, expected) in [
            ("s", "a\"b\n密"),
            ("n", "5432"),
            ("f", "1.5"),
            ("big", "18446744073709551615"),
            ("t", "true"),
            ("e", ""),
            ("l", r#"[1,{"x":null}]"#),
            ("o", r#"{"a":[],"b":1}"#),
            ("l[1]", r#"{"x":null}"#),
            ("[s, n]", r#"["a\"b\n密",5432]"#),
            ("join('-', ['x', s])", "x-a\"b\n密"),
            ("length(l)", "2"),
        ] {
            assert_eq!(extract(value, selector).unwrap(), expected, "{selector}");
        }
        assert_eq!(extract("\"text\"", "@").unwrap(), "text");
    }

    #[test]
    fn null_and_a_missing_key_are_nothing() {
        for selector in ["missing", "x", "a.b.c", "l[7]", "l[?@ == `9`] | [0]"] {
            let found = extract(r#"{"x": null, "a": 1, "l": [1]}"#, selector);
            assert_eq!(found, Err(SelectError::Nothing), "{selector}");
        }
    }

    #[test]
    fn a_text_becomes_a_number_and_nothing_that_could_be_large() {
        let value = r#"{"n": "5432", "big": "18446744073709551615", "f": "-1.5e3", "i": 7,
            "l": "[1,2]", "o": "{}", "t": "true", "q": "\"a\"", "s": "x"}"#;
        for (key, expected) in
            [("n", "5432"), ("big", "18446744073709551615"), ("f", "-1500.0"), ("i", "7")]
        {
            assert_eq!(extract(value, &format!("to_number({key})")).unwrap(), expected, "{key}");
        }
        for key in ["l", "o", "t", "q", "s", "missing"] {
            let made = extract(value, &format!("to_number({key})"));
            assert_eq!(made, Err(SelectError::Nothing), "{key}");
        }
    }

    #[test]
    fn one_document_serves_many_extracts() {
        let value = Sensitive::from(String::from(r#"{"a": {"b": "1"}, "c": "2"}"#));
        let document = Document::parse(&value).unwrap();
        for (selector, expected) in [("a", r#"{"b":"1"}"#), ("a.b", "1"), ("c", "2"), ("a.b", "1")]
        {
            let part = document.extract(&Selector::parse(selector).unwrap()).unwrap();
            assert_eq!(part.expose(), expected.as_bytes(), "{selector}");
        }
    }

    #[test]
    fn an_error_tells_the_place_and_never_the_content() {
        for (value, selector) in [
            ("CANARY", "a"),
            ("{\"a\": CANARY}", "a"),
            ("{\"CANARY\": \"CANARY", "a"),
            ("", "a"),
            ("\u{feff}{\"a\": \"CANARY\"}", "a"),
            (r#"{"a": "CANARY"}"#, "sum(a)"),
            (r#"{"a": "CANARY"}"#, "sort_by(a, &b)"),
            (r#"{"a": ["CANARY", 1]}"#, "sort(a)"),
            (r#"{"a": {"CANARY": 1}}"#, "join('', a)"),
            (r#"{"a": "CANARY"}"#, "b.CANARY2"),
        ] {
            let error = extract(value, selector).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("CANARY"), "{value}: {error}");
        }
        assert_eq!(extract("{\n \"a\": x", "a"), Err(SelectError::NotJson { line: 2, column: 7 }));
    }

    #[test]
    fn an_empty_value_is_said_to_be_empty() {
        for value in ["", " \n"] {
            assert_eq!(extract(value, "a"), Err(SelectError::Empty), "{value:?}");
        }
    }

    #[test]
    fn an_expression_that_repeats_its_input_without_end_is_stopped() {
        let selector = format!("[@,@]{}", "|[@,@]".repeat(60));
        let value = "\"0123456789abcdef\"";
        assert_eq!(extract(value, &selector), Err(SelectError::TooLarge));
        let long = format!("[\"{}\"]", "x".repeat(MAX_VALUE_BYTES));
        assert_eq!(extract(&long, "@"), Err(SelectError::TooLarge));
        assert_eq!(extract(&long, "[0]").unwrap().len(), MAX_VALUE_BYTES);
    }

    #[test]
    fn an_expression_that_would_make_too_much_of_this_value_is_not_evaluated() {
        let selector = "@|[@,@][]|[@,@][]|[@,@][]";
        assert!(extract(r#"["a"]"#, selector).is_ok());
        let large = format!("[{}]", vec!["1"; 30_000].join(","));
        assert_eq!(extract(&large, selector), Err(SelectError::TooMuch));
    }

    #[test]
    fn json_nested_deeper_than_the_parser_goes_is_not_json() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(matches!(extract(&deep, "@"), Err(SelectError::NotJson { .. })));
    }
}
