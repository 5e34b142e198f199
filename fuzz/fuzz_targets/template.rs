//! The template of a file, checked as at admission and rendered as in the fetcher.
#![no_main]

use template::{CheckFuel, MAX_OUTPUT_BYTES, MAX_TEMPLATE_BYTES, Template};

/// What a source may give.
const VALUES: [&str; 4] = [
    "text\nof 'two' lines",
    r#"{"user": "app", "n": 1.5, "on": true, "none": null, "list": [1, {"a": "b"}]}"#,
    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    "",
];

libfuzzer_sys::fuzz_target!(|text: &str| {
    let template = match Template::parse(text) {
        Ok(template) => template,
        Err(invalid) => {
            assert!(!invalid.is_empty(), "a refusal says why");
            for invalid in invalid {
                assert!(invalid.line >= 1 && !invalid.fault.remedy().is_empty());
                assert!(invalid.to_string().len() < 1000);
            }
            return;
        }
    };
    assert!(text.len() <= MAX_TEMPLATE_BYTES && !template.secrets().is_empty());
    assert_eq!(Template::parse(template.as_str()).as_ref(), Ok(&template));
    // The fetcher's check tries less than the webhook's, and so refuses nothing more.
    assert_eq!(Template::parse_one_of(text, &mut CheckFuel::none()).as_ref(), Ok(&template));
    for value in VALUES {
        match template.render(|_| Some(value)) {
            Ok(bytes) => assert!(bytes.len() <= MAX_OUTPUT_BYTES),
            Err(failure) => {
                assert!(failure.line >= 1 && failure.fault.to_string().len() < 20_000);
                let names_nothing = failure.fault.to_string().contains("a value is not known");
                assert!(!names_nothing, "what is wrong is told: {failure}");
            }
        }
    }
});
