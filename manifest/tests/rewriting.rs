//! Documents with a JSON patch applied to their text.

#![cfg(test)]

use manifest::{Unwritable, read};
use proptest::prelude::*;
use serde_json::{Value, json};

/// The text with the value `after` in its first document.
fn rewritten(text: &str, after: &Value) -> Option<String> {
    let stream = read(text);
    assert_eq!(stream.unreadable, [], "{text}");
    let rewritten = stream.documents[0].rewrite(after.clone()).ok()?;
    stream.text_with(&[Some(rewritten)]).ok()
}

/// The one document of `text` after a patch.
fn patched(text: &str, patch: &Value) -> String {
    let stream = read(text);
    let [document] = stream.documents.as_slice() else { panic!("{text}") };
    let mut after = document.root().value();
    let patch: json_patch::Patch = serde_json::from_value(patch.clone()).unwrap();
    json_patch::patch(&mut after, &patch).unwrap();
    rewritten(text, &after).unwrap()
}

fn add(path: &str, value: &Value) -> Value {
    json!([{"op": "add", "path": path, "value": value}])
}

#[test]
fn nothing_but_the_change_is_touched() {
    let text = "\
# a pod
metadata:   # with two spaces
    name: 'web'

    annotations: {}  # none yet
spec:
    mode: 0400
    version: 1.10
    enabled: yes
    containers:
    # the application
    - name: app   # first

      args: [\"a\", b]
# the end
";
    let patch = json!([
        {"op": "add", "path": "/metadata/annotations/k~1x", "value": "a\nb\n"},
        {"op": "add", "path": "/spec/containers/0", "value": {"name": "ours", "args": ["on", "0400"]}},
        {"op": "add", "path": "/spec/containers/1/args/-", "value": "c"},
        {"op": "add", "path": "/spec/containers/1/mounts", "value": [{"name": "m"}]},
        {"op": "add", "path": "/spec/volumes", "value": []},
    ]);
    assert_eq!(
        patched(text, &patch),
        "\
# a pod
metadata:   # with two spaces
    name: 'web'

    annotations:  # none yet
        k/x: |
            a
            b
spec:
    mode: 0400
    version: 1.10
    enabled: yes
    containers:
    - name: ours
      args:
      - \"on\"
      - \"0400\"
    # the application
    - name: app   # first

      args: [\"a\", b, \"c\"]
      mounts:
      - name: m
    volumes: []
# the end
"
    );
}

#[test]
fn what_comes_in_follows_the_layout_of_the_rest() {
    for (text, pointer, new, result) in [
        ("a:\n  - x\n", "/a/0", json!("z"), "a:\n  - z\n  - x\n"),
        ("a:\n- x\n", "/a/-", json!({"k": 1, "l": [true]}), "a:\n- x\n- k: 1\n  l:\n  - true\n"),
        ("a: 1", "/b", json!("c"), "a: 1\nb: c"),
        (
            "a: 1\r\nb:\r\n  c: 2\r\n",
            "/b/d",
            json!("x\ny"),
            "a: 1\r\nb:\r\n  c: 2\r\n  d: |-\r\n    x\r\n    y\r\n",
        ),
        ("a:\n", "/a", json!({"b": "c"}), "a:\n  b: c\n"),
        ("a: ~ # no\nb: 1\n", "/a", json!(["x"]), "a: # no\n  - x\nb: 1\n"),
        ("a: # no\nb: 1\n", "/a", json!("x"), "a: x # no\nb: 1\n"),
        ("a: {b: 1}\n", "/a/c", json!("x: y"), "a: {b: 1, \"c\": \"x: y\"}\n"),
        (
            "{\"a\":{\"b\":1}}\n",
            "/a/c",
            json!([1, {"d": 2}]),
            "{\"a\":{\"b\":1,\"c\":[1,{\"d\":2}]}}\n",
        ),
        ("{\"a\": [1]}", "/a/0", json!({"b": null}), "{\"a\": [{\"b\": null}, 1]}"),
        (
            "{\n\t\"a\": [],\n\t\"b\": {\n\t\t\"c\": 1\n\t}\n}\n",
            "/b/d",
            json!({"e": [1]}),
            "{\n\t\"a\": [],\n\t\"b\": {\n\t\t\"c\": 1,\n\t\t\"d\": {\n\t\t\t\"e\": [\n\t\t\t\t1\n\t\t\t]\n\t\t}\n\t}\n}\n",
        ),
        ("{\n  \"a\": []\n}\n", "/a/-", json!("x"), "{\n  \"a\": [\n    \"x\"\n  ]\n}\n"),
        (
            "{\n  \"a\": [\n    1\n  ]\n}\n",
            "/a/0",
            json!("x"),
            "{\n  \"a\": [\n    \"x\",\n    1\n  ]\n}\n",
        ),
        ("a: |\n  x\n\n\nb: 1\n", "/c", json!(2), "a: |\n  x\n\n\nb: 1\nc: 2\n"),
        (
            "m:\n  a: |\n    x\n\n# c\nb: 1\n",
            "/m/o",
            json!(2),
            "m:\n  a: |\n    x\n  o: 2\n\n# c\nb: 1\n",
        ),
        (
            "m:\n  a: |+\n    x\n\nb: 1 # c\n",
            "/m/o",
            json!(2),
            "m:\n  a: |+\n    x\n\n  o: 2\nb: 1 # c\n",
        ),
        ("a: 1\n", "/b", json!("x\n\n"), "a: 1\nb: |+\n  x\n\n"),
        ("m:\n  a: |-\n    x", "/m/o", json!(2), "m:\n  a: |-\n    x\n  o: 2"),
        ("- - a\n  - b\n", "/0/0", json!("x"), "- - x\n  - a\n  - b\n"),
        ("- a: 1\n", "/0/b", json!(2), "- a: 1\n  b: 2\n"),
        ("-\n  a: 1\n-\n  a: 2\n", "/1", json!({"b": 3}), "-\n  a: 1\n- b: 3\n-\n  a: 2\n"),
        ("\u{feff}a: 1\n", "/b", json!(2), "\u{feff}a: 1\nb: 2\n"),
        ("--- # first\na: 1\n...\n", "/b", json!(2), "--- # first\na: 1\nb: 2\n...\n"),
    ] {
        assert_eq!(patched(text, &add(pointer, &new)), result, "{text}");
    }
}

#[test]
fn values_are_replaced_and_removed_in_place() {
    let replace =
        |path: &str, value: Value| json!([{"op": "replace", "path": path, "value": value}]);
    let remove = |path: &str| json!([{"op": "remove", "path": path}]);
    for (text, patch, result) in [
        ("a: 'x' # c\nb: 1\n", replace("/a", json!("{\"y\": 1}")), "a: '{\"y\": 1}' # c\nb: 1\n"),
        ("a: \"x\n  y\"\n", replace("/a", json!(1)), "a: 1\n"),
        ("a: |\n  x\nb: 1 # c\n", replace("/a", json!("z")), "a: z\nb: 1 # c\n"),
        ("a:\n  b: 1\nc: 2\n", replace("/a", json!({})), "a: {}\nc: 2\n"),
        ("a:\n- b\n- c # d\n", replace("/a/1", json!("e")), "a:\n- b\n- e # d\n"),
        ("a:\n- b: 1\n- c\n", replace("/a/0", json!("e")), "a:\n- e\n- c\n"),
        ("# h\na: 1 # x\n# i\nb: 2\n", remove("/a"), "# h\n# i\nb: 2\n"),
        ("a:\n- b\n- c\n", remove("/a/0"), "a:\n- c\n"),
        ("a: {b: 1, c: 2}\n", remove("/a/b"), "a:\n  c: 2\n"),
        ("- a: 1\n  b: 2\n", remove("/0/a"), "- b: 2\n"),
    ] {
        assert_eq!(patched(text, &patch), result, "{text}");
    }
}

#[test]
fn anchors_stay_where_they_can_and_are_written_out_where_they_cannot() {
    // Only the place of the alias changes.
    let text = "a: &x\n  k: 1 # one\nb: *x\nc: 3\n";
    let result = "a: &x\n  k: 1 # one\nb:\n  k: 1\n  l: 2\nc: 3\n";
    assert_eq!(patched(text, &add("/b/l", &json!(2))), result);
    // What the alias stands for changes, the alias does not.
    let text = "# head\na: &x\n  k: 1\nb: *x\n# tail\n";
    let result = "# head\na:\n  k: 1\n  l: 2\nb:\n  k: 1\n# tail\n";
    assert_eq!(patched(text, &add("/a/l", &json!(2))), result);
    // A merged key is overridden.
    let text = "a: &x {k: 1, l: [1]}\nb:\n  <<: *x\n  m: 2\n";
    let result = "a: &x {k: 1, l: [1]}\nb:\n  <<: *x\n  m: 2\n  l:\n    - 1\n    - 2\n";
    assert_eq!(patched(text, &add("/b/l/-", &json!(2))), result);
}

#[test]
fn strings_that_look_like_something_else_are_quoted() {
    for (content, written) in [
        ("plain/text_1.0", "plain/text_1.0"),
        ("registry.example:5000/a@sha256:0f", "registry.example:5000/a@sha256:0f"),
        ("10m", "10m"),
        ("yes", "\"yes\""),
        ("0400", "\"0400\""),
        ("1e3", "\"1e3\""),
        ("2026-11-22", "\"2026-11-22\""),
        ("12:30", "\"12:30\""),
        ("", "\"\""),
        ("- a", "\"- a\""),
        ("a: b", "\"a: b\""),
        ("a #b", "\"a #b\""),
        ("{\"a\":\"\\u0024\"}", "'{\"a\":\"\\u0024\"}'"),
        ("it's \"q\"", "\"it's \\\"q\\\"\""),
        ("\u{1}\t", "\"\\u0001\\t\""),
        (" x\ny", "\" x\\ny\""),
        ("长", "\"长\""),
    ] {
        assert_eq!(patched("a: 1\n", &add("/b", &json!(content))), format!("a: 1\nb: {written}\n"));
    }
}

/// Values with the strings that YAML makes difficult.
fn values() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "[ab1yn:#' \"\\n,{}&*!|>%@`~\t.\\-?=<\\[\\]\\\\]{0,8}",
        "(true|no|~|0x1f|1e3|<<|-|---|\\.\\.\\.|é长\u{85}|\u{2028}|\u{feff}|\u{1}| \n)",
        any::<String>(),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let key = prop_oneof!["[a-d]", "[a-d]", text.clone()];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key, inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_value_can_become_any_other(
        before in prop::collection::btree_map("[a-d]", values(), 1..4),
        after in prop::collection::btree_map("[a-d]", values(), 1..4),
        layout in 0..4,
    ) {
        let before = Value::Object(before.into_iter().collect());
        let after = Value::Object(after.into_iter().collect());
        let written = match layout {
            0 => rewritten("a:\n  - b\n", &before),
            1 => rewritten("a:\r\n- b\r\n", &before),
            2 => serde_json::to_string_pretty(&before).ok(),
            _ => Some(before.to_string()),
        };
        let text = written.unwrap();
        let stream = read(&text);
        prop_assert_eq!(&stream.unreadable, &[], "{}", text);
        prop_assert_eq!(&stream.documents[0].root().value(), &before, "{}", text);
        let written = rewritten(&text, &after);
        prop_assert!(written.is_some(), "{text}\n{after}");
        prop_assert_eq!(&read(&written.unwrap()).documents[0].root().value(), &after);
    }
}

#[test]
fn what_would_be_too_large_to_be_read_again_says_so() {
    let text = format!("a: [{}]\n", "1,".repeat(999_000));
    let stream = read(&text);
    assert_eq!(stream.unreadable, []);
    let mut after = stream.documents[0].root().value();
    after["b"] = vec![json!(1); 2_000].into();
    let why = stream.documents[0].rewrite(after).unwrap_err();
    assert_eq!(why, Unwritable::TooMany);
    assert!(why.to_string().contains("more than a million values"));
}
