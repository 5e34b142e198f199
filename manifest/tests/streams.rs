//! Several documents in one text, some of them with other values.

#![cfg(test)]

use manifest::{append, read};
use serde_json::{Value, json};

/// The text with other values for some of its documents.
fn with(text: &str, values: &[Option<Value>]) -> Option<String> {
    let stream = read(text);
    assert_eq!((stream.unreadable.len(), stream.documents.len()), (0, values.len()), "{text}");
    let rewritten: Vec<_> = stream
        .documents
        .iter()
        .zip(values)
        .map(|(document, value)| document.rewrite(value.clone()?).ok())
        .collect();
    stream.text_with(&rewritten).ok()
}

#[test]
fn documents_without_a_change_keep_every_byte() {
    let before = "%YAML 1.2\n---\n# settings,   oddly   written\n{ \"kind\" : A,\n data: {a: ~} }\n...\n---\n# nothing\n---\n\n";
    let after = "\n--- # the last\nkind:   B\nc: {\"a\": 'b'}\n...\n";
    let text = format!("{before}a: 1{after}");
    let values = [None, None, Some(json!({"a": 1, "b": 2})), None];
    assert_eq!(with(&text, &values), Some(format!("{before}a: 1\nb: 2{after}")));
}

#[test]
fn objects_of_json_are_changed_among_others() {
    let text = "{\"a\": 1}\n{\"b\": 2}{\"c\": 3}\n";
    let values = [None, Some(json!({"b": [2]})), Some(json!({"c": 3, "d": 4}))];
    assert_eq!(with(text, &values).unwrap(), "{\"a\": 1}\n{\"b\": [2]}{\"c\": 3, \"d\": 4}\n");
}

#[test]
fn without_a_change_the_text_is_what_was_read() {
    for text in [
        "",
        "\n",
        "# only a comment",
        "---\n---\n# two\n...\n",
        "just text\n",
        "- a list\n- of things\n",
        "a: b",
        "\u{feff}kind: A\r\n",
        "kind: List\nitems: []\n",
        "{\"a\": 1} {\"b\": 2}",
        "a: [\n",
    ] {
        assert_eq!(read(text).text_with(&[]).as_deref(), Ok(text));
    }
}

#[test]
fn a_document_that_would_not_be_read_between_its_neighbours_is_refused() {
    // Nothing stands between objects of JSON.
    assert_eq!(with("{\"a\": 1}{\"b\": 2}", &[Some(json!(1)), None]), None);
    // A carriage return alone ends the line of the divider.
    assert_eq!(with("a: 1\n---\rb: 2\n", &[None, Some(json!({"c": 3}))]), None);
}

#[test]
fn texts_are_put_behind_each_other() {
    for (texts, whole) in [
        (["a: 1", "b: 2\n"], "a: 1\n---\nb: 2\n"),
        (["a: 1\n", "--- # b\nb: 2\n"], "a: 1\n--- # b\nb: 2\n"),
        (["{\"a\": 1}\n", " {\"b\": 2}"], "{\"a\": 1}\n {\"b\": 2}"),
        (["{\"a\": 1}", "b: 2\n"], "{\"a\": 1}\n---\nb: 2\n"),
        (["", "a: 1"], "a: 1"),
    ] {
        let mut output = String::new();
        texts.into_iter().for_each(|text| append(&mut output, text));
        assert_eq!(output, whole);
    }
}
