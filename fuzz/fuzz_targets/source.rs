//! A source in its short form, `kms://NAME?version=ID#JMESPATH`.
#![no_main]

use plan::Reference;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let Ok(reference) = Reference::parse(text) else { return };
    let again = Reference::parse(&reference.to_string()).expect("what is printed can be read");
    assert_eq!(again, reference);
});
