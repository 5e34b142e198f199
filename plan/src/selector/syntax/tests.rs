use super::*;

/// The tree without the places of its parts.
fn tree(text: &str) -> String {
    let shown = format!("{:?}", parse(text).unwrap());
    let parts = shown.split("offset: ").enumerate().map(|(at, part)| match at {
        0 => part,
        _ => part.trim_start_matches(|c: char| c.is_ascii_digit()),
    });
    parts.collect()
}

#[test]
fn a_projection_ends_where_it_ends_for_others() {
    for (text, meant) in [
        ("a[*].{b: c}.d", "(a[*].{b: c}).d"),
        ("a[*].{b: c}[0]", "(a[*].{b: c})[0]"),
        ("a[?x].{b: c}.d", "(a[?x].{b: c}).d"),
        ("a[].{b: c}.d", "(a[].{b: c}).d"),
        ("a[1:].{b: c}.d", "(a[1:].{b: c}).d"),
        ("a[*].[b, c].d", "(a[*].[b, c]).d"),
        ("a[*] . {b: c} . d", "(a[*].{b: c}).d"),
        ("!a[*].{b: c}.d", "(!(a[*].{b: c})).d"),
        ("!(a[*].{b: c}.d)", "!((a[*].{b: c}).d)"),
        ("a[*].{b: c[*].{e: f}.g}.d", "(a[*].{b: (c[*].{e: f}).g}).d"),
        ("a.*.b.c", "(a.*.b).c"),
        ("a.*.b[?c]", "(a.*.b)[?c]"),
        ("a.*.{b: c}.d", "(a.*.{b: c}).d"),
        ("a.*.b[0].c", "(a.*.b[0]).c"),
        ("a[?x].b[?y]", "(a[?x].b)[?y]"),
        ("a[*].b[]", "(a[*].b)[]"),
        ("a[*].b | [0]", "(a[*].b) | [0]"),
    ] {
        assert_eq!(tree(text), tree(meant), "{text}");
    }
    for (text, other) in [
        ("a[*].b.c", "(a[*].b).c"),
        ("*.b.c", "(*.b).c"),
        ("a.*.b[*].c", "(a.*.b[*]).c"),
        ("a[*].b[?c]", "(a[*].b)[?c]"),
        ("a.*.*.b.c", "(a.*.*.b).c"),
    ] {
        assert_ne!(tree(text), tree(other), "{text}");
    }
}

#[test]
fn what_is_not_about_projections_is_read_as_the_evaluators_own_parser_reads_it() {
    for text in [
        "a",
        "\"a b\"",
        "a.b.c",
        "a[0]",
        "a[-1].b",
        "a[*].b",
        "a[]",
        "a[][0]",
        "*",
        "*.a",
        "[a, b]",
        "{a: b, \"c d\": e}",
        "a || b && c",
        "!a && b",
        "a == b",
        "a[?b == 'c' || d]",
        "f(a, &b.c)",
        "f()",
        "`{\"a\": [1, 2.5]}`",
        "`\"\\`\"`",
        "'it\\'s'",
        "@.a",
        "(a || b).c",
        "a | b | c",
        "[0]",
        "[*].a",
        "[?a]",
        "{a: b}.a",
        "a[?b == '.{c}'].d",
        "map(&{a: b}, c)",
        "a.[{b: c}]",
        " a . b ",
        "[*]",
        "a[?b][0]",
        "a[].b[]",
        "not_null(a, `null`)",
    ] {
        let theirs = jmespath::parse(text).unwrap();
        let shown = format!("{theirs:?}");
        let parts = shown.split("offset: ").enumerate().map(|(at, part)| match at {
            0 => part,
            _ => part.trim_start_matches(|c: char| c.is_ascii_digit()),
        });
        assert_eq!(tree(text), parts.collect::<String>(), "{text}");
    }
}

#[test]
fn a_mistake_is_found_where_it_stands() {
    for (text, offset) in [
        ("a..b", 2),
        ("a.{b: c}..d", 9),
        ("a.{b: c", 7),
        ("a.{b: c}}", 8),
        ("a.{b}", 4),
        ("a b", 2),
        ("a[b]", 2),
        ("a[1 2]", 4),
        ("a[1:2:3:4]", 7),
        ("f(a,)", 4),
        ("\"f\"(a)", 0),
        ("(f)(a)", 3),
        ("a.'b'", 2),
        ("a =", 2),
        ("'a", 0),
        ("[?a", 3),
        ("foo.\\n", 4),
        ("", 0),
        ("a[99999999999]", 2),
        ("`\"`", 0),
        ("é", 0),
    ] {
        assert_eq!(parse(text).unwrap_err().offset, offset, "{text}");
    }
}

#[test]
fn text_between_backticks_needs_no_quotes() {
    assert_eq!(tree("a[?b == `c`]"), tree("a[?b == 'c']"));
    assert_eq!(tree("` c`"), tree("'c'"));
}
