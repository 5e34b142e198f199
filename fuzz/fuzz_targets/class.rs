//! A SecretProviderClass as the API server sends it, for a Pod that names it.
#![no_main]

use serde_json::Value;
use webhook::class::Class;
use webhook::facts::{Fact, Facts};
use webhook::wire::admit::Question;

libfuzzer_sys::fuzz_target!(|class: &[u8]| {
    let Ok(text) = std::str::from_utf8(class) else { return };
    let facts = Facts::default().with(Fact::Class(Class::read(text)));
    let review = fuzz::review_of("secret-provider-class", "db").to_string();
    let question = Question::read(review.as_bytes()).unwrap_or_else(|_| unreachable!());
    let reply = question.answer(&facts, &fuzz::settings());
    assert_eq!(reply.status, 200, "a review is answered whatever the class says");
    let answer: Value = serde_json::from_slice(&reply.body).expect("the answer is JSON");
    let response = &answer["response"];
    if response["allowed"] == true {
        assert!(response.get("patch").is_some(), "a Pod that names a class is injected");
    } else {
        let message = response["status"]["message"].as_str().unwrap_or_default();
        assert!(!message.is_empty() && message.len() < 64 * 1024, "a denial has a bounded message");
    }
});
