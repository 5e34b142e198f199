//! What is read of a text, where, and what is refused.

#![cfg(test)]

use manifest::{Node, read};
use serde_json::{Value, json};

fn values(text: &str) -> Vec<Value> {
    let stream = read(text);
    assert_eq!(stream.unreadable, [], "{text}");
    stream.documents.iter().map(|document| document.root().value()).collect()
}

#[test]
fn values_are_those_that_kubernetes_reads() {
    let text = "a: 0400\nb: yes\nc: !!str yes\nd: '1'\ne:\n1: |\n  x\nyes: [~, 1.0]\n";
    let value = json!({"a": 256, "b": true, "c": "yes", "d": "1", "e": null, "1": "x\n", "true": [null, 1.0]});
    assert_eq!(values(text), [value]);
}

#[test]
fn aliases_and_merge_keys_are_written_out_and_the_first_of_a_name_wins() {
    let text = "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz:\n  <<: [*x, *y]\n  a: 0\nl: *x\n";
    let z = json!({"a": 0, "b": 1, "c": 2});
    assert_eq!(values(text)[0]["z"], z);
    let stream = read(text);
    let root = stream.documents[0].root();
    assert_eq!(root.at(&["z", "c"]).and_then(Node::scalar), Some("2"));
    let pairs = root.field("z").unwrap().pairs();
    assert_eq!(pairs.map(|(key, _)| key.scalar().unwrap()).collect::<Vec<_>>(), ["<<", "a"]);
    let alias = root.field("l").unwrap();
    assert_eq!((alias.line(), alias.target().line()), (6, 1));
}

#[test]
fn documents_follow_each_other_in_yaml_and_json() {
    assert_eq!(
        values("a: 1\n---\nb: 2\n...\n--- # c\nc: 3"),
        [json!({"a": 1}), json!({"b": 2}), json!({"c": 3})]
    );
    assert_eq!(
        values("{\"a\": 1}{\"b\": 2}\n{\"c\": 3}\n"),
        [json!({"a": 1}), json!({"b": 2}), json!({"c": 3})]
    );
    assert_eq!(values("# nothing\n"), Vec::<Value>::new());
}

#[test]
fn values_know_their_lines() {
    let text = "\u{feff}# head\na: 1\nb:\n- x\n-\n  y: z\n---\n{c: {d:\n  e}}\n";
    let stream = read(text);
    let line =
        |document: usize, path: &[&str]| stream.documents[document].root().at(path).unwrap().line();
    assert_eq!((line(0, &["a"]), line(0, &["b"]), line(1, &["c", "d"])), (2, 4, 9));
    let mut items = stream.documents[0].root().field("b").unwrap().items().unwrap();
    assert_eq!(items.len(), 2);
    assert_eq!(items.nth(1).unwrap().line(), 6);
    let stream = read("{\"a\": 1}\n{\n\"b\": 2}");
    assert_eq!(stream.documents[1].root().field("b").unwrap().line(), 3);
}

#[test]
fn lines_within_a_value_are_found_in_the_text() {
    for (text, lines) in [
        ("a: |\n  x\n  y\n\n  z\n", [(1, 2), (2, 3), (4, 5)]),
        ("a: |\n\n  y\n  z\n", [(1, 2), (2, 3), (3, 4)]),
        ("a: \"x\n\n  y\n\n  z\"\n", [(1, 1), (2, 3), (3, 5)]),
        ("a: 'x\n\n  y\n\n  z'\n", [(1, 1), (2, 3), (3, 5)]),
        ("a: >\n  x\n\n  y\n\n  z\n", [(1, 2), (2, 4), (3, 6)]),
        ("{\"a\":\n\"x\\ny\\nz\"}", [(1, 2), (2, 2), (3, 2)]),
    ] {
        let stream = read(text);
        let document = &stream.documents[0];
        let node = document.root().field("a").unwrap();
        for (line, found) in lines {
            assert_eq!(document.line_within(node, line), found, "{text}: {line}");
        }
    }
}

#[test]
fn no_line_within_a_value_is_counted_below_the_first() {
    let stream = read("|+\n\n\n\n");
    let document = &stream.documents[0];
    assert_eq!(document.root().scalar(), Some("\n\n\n"));
    assert!((1..=3).all(|line| document.line_within(document.root(), line) >= 1));
}

#[test]
fn what_cannot_be_read_is_refused_with_its_line_and_never_quoted() {
    let bomb = {
        let level = |index: usize| {
            let names = vec![format!("*a{}", index - 1); 10].join(", ");
            format!("a{index}: &a{index} [{names}]\n")
        };
        let levels: String = (1..9).map(level).collect();
        format!("a0: &a0 [canary]\n{levels}")
    };
    let chain: String = (1..2_000).map(|i| format!("b{i}: &b{i} [*b{}]\n", i - 1)).collect();
    for (text, line, what) in [
        ("a: 1\nb: [canary\n".to_owned(), 2, "bracket"),
        ("a: \"canary\n".to_owned(), 2, "quote"),
        ("a: \"\\canary\"\n".to_owned(), 1, "backslash"),
        ("a:\n\tb: canary\n".to_owned(), 2, "tab"),
        ("a: 1\n  canary: 2\n".to_owned(), 2, "not YAML"),
        ("a: *canary\n".to_owned(), 1, "anchor"),
        ("canary: 1\nb: 2\ncanary: 3\n".to_owned(), 3, "twice"),
        ("{\"canary\": 1, \"canary\": 2}".to_owned(), 1, "twice"),
        ("? [canary]\n: 1\n".to_owned(), 1, "key"),
        ("<<: canary\n".to_owned(), 1, "merge"),
        ("a: &a [*a]\n".to_owned(), 1, "alias"),
        ("[".repeat(100_000), 1, "100 levels"),
        ("- ".repeat(10_000), 1, "100 levels"),
        (bomb, 7, "million"),
        (format!("b0: &b0 [canary]\n{chain}"), 100, "100 levels"),
        ("a: 1\n---\nkind: {{ canary }}\n".to_owned(), 3, "not rendered"),
    ] {
        let start = text.chars().take(40).collect::<String>();
        let unreadable = read(&text).unreadable;
        assert_eq!(unreadable[0].line, line, "{start}");
        assert!(unreadable[0].what.contains(what), "{start}: {unreadable:?}");
        assert!(unreadable.iter().all(|it| !it.to_string().contains("canary")), "{unreadable:?}");
    }
}

#[test]
fn documents_around_an_unreadable_one_are_read() {
    let stream = read("a: 1\n---\nb: [\n---\nc: 3\n");
    assert_eq!(stream.unreadable.len(), 1);
    let found: Vec<_> = stream.documents.iter().map(|document| document.root().value()).collect();
    assert_eq!(found, [json!({"a": 1}), json!({"c": 3})]);
}
