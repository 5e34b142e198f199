//! A JMESPath expression, read as at admission and evaluated as in the fetcher.
#![no_main]

use injector::Document;
use plan::{MAX_SELECTOR_BYTES, Selector};
use secret::Sensitive;

const VALUE: &str = r#"{"a": [1, 1.50, 123456789012345678901234567890, {"b": "c", "d": null}], "b.c": true,
    "users": [{"name": "bob", "age": 31}, {"name": "eve", "age": 19}], "s": "text", "n": -0.5}"#;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let Ok(selector) = Selector::parse(text) else { return };
    assert!(selector.as_str().len() <= MAX_SELECTOR_BYTES);
    assert_eq!(Selector::parse(selector.as_str()).expect("it reads again"), selector);
    let document = Document::parse(&Sensitive::from(VALUE.to_owned())).expect("it is JSON");
    let first = document.extract(&selector).map(|part| part.expose().to_vec());
    let again = document.extract(&selector).map(|part| part.expose().to_vec());
    assert_eq!(first, again, "an expression leaves the value as it was");
});
