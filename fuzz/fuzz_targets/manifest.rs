//! A text of manifests, in which each document in turn gets the value of the next one.
#![no_main]

use manifest::read;
use serde_json::Value;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let stream = read(text);
    assert_eq!(
        stream.text_with(&[]).as_deref(),
        Ok(text),
        "without a change the text is what was read"
    );
    if !stream.unreadable.is_empty() {
        return;
    }
    let values: Vec<_> = stream.documents.iter().map(|document| document.root().value()).collect();
    for (index, document) in stream.documents.iter().enumerate().take(8) {
        for (_, value) in document.root().pairs() {
            assert!(document.line_within(value, 2) >= 1, "lines are counted from 1");
        }
        let with = |value: &Value| {
            let mut rewritten: Vec<_> = values.iter().map(|_| None).collect();
            rewritten[index] = Some(document.rewrite(value.clone()).ok()?);
            stream.text_with(&rewritten).ok()
        };
        assert_eq!(with(&values[index]).as_deref(), Some(text), "its own value changes nothing");
        let next = &values[(index + 1) % values.len()];
        let Some(changed) = with(next) else { continue };
        let again = read(&changed);
        assert_eq!(again.unreadable, [], "what is written is read again");
        let mut wanted = values.clone();
        wanted[index].clone_from(next);
        let found: Vec<_> =
            again.documents.iter().map(|document| document.root().value()).collect();
        assert_eq!(found, wanted, "the other documents stay");
    }
});
