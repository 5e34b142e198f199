//! The operator's settings file.
#![no_main]

use webhook::ask::rules;
use webhook::settings::Inputs;

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    match rules::resolve(&Inputs::default(), Some(content)) {
        // Settings that were accepted serve an admission.
        Ok(settings) => {
            let review = fuzz::review_of("secrets", "db: kms://db").to_string();
            fuzz::check_admission(review.as_bytes(), &settings);
        }
        Err(error) => assert!(!error.to_string().is_empty(), "a refusal says why"),
    }
});
