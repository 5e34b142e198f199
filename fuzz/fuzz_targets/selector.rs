//! A JMESPath expression.
#![no_main]

use plan::{MAX_SELECTOR_BYTES, Selector};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let Ok(selector) = Selector::parse(text) else { return };
    assert!(selector.as_str().len() <= MAX_SELECTOR_BYTES);
    assert_eq!(Selector::parse(selector.as_str()).expect("it reads again"), selector);
});
