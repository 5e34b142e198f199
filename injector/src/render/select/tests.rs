use super::*;

fn extract(value: &str, selector: &str) -> Result<String, SelectError> {
    let document = Document::parse(&Sensitive::new(value.as_bytes().to_vec()))?;
    let part = document.extract(&Selector::parse(selector).unwrap())?;
    Ok(String::from_utf8(part.expose().to_vec()).unwrap())
}

#[test]
fn a_string_is_written_as_it_is_and_anything_else_as_compact_json() {
    let value = r#"{"s": "a\"b\n密", "n": 5432, "f": 1.50, "big": 18446744073709551615,
        "t": true, "e": "", "l": [1, {"x": null}], "o": {"b": 1, "a": [ ]}}"#;
    for (selector, expected) in [
        ("s", "a\"b\n密"),
        ("n", "5432"),
        ("f", "1.50"),
        ("big", "18446744073709551615"),
        ("t", "true"),
        ("e", ""),
        ("l", r#"[1,{"x":null}]"#),
        ("o", r#"{"a":[],"b":1}"#),
        ("l[1]", r#"{"x":null}"#),
        ("[s, n]", r#"["a\"b\n密",5432]"#),
        ("join('-', ['x', s])", "x-a\"b\n密"),
        ("length(l)", "2"),
    ] {
        assert_eq!(extract(value, selector).unwrap(), expected, "{selector}");
    }
    assert_eq!(extract("\"text\"", "@").unwrap(), "text");
}

#[test]
fn null_and_a_missing_key_are_nothing() {
    for selector in ["missing", "x", "a.b.c", "l[7]", "l[?@ == `9`] | [0]"] {
        let found = extract(r#"{"x": null, "a": 1, "l": [1]}"#, selector);
        assert_eq!(found, Err(SelectError::Nothing), "{selector}");
    }
}

#[test]
fn a_text_becomes_a_number_and_nothing_that_could_be_large() {
    let value = r#"{"n": "5432", "big": "18446744073709551615", "f": "-1.5e3", "i": 7,
        "l": "[1,2]", "o": "{}", "t": "true", "q": "\"a\"", "s": "x"}"#;
    for (key, expected) in
        [("n", "5432"), ("big", "18446744073709551615"), ("f", "-1500.0"), ("i", "7")]
    {
        assert_eq!(extract(value, &format!("to_number({key})")).unwrap(), expected, "{key}");
    }
    for key in ["l", "o", "t", "q", "s", "missing"] {
        let made = extract(value, &format!("to_number({key})"));
        assert_eq!(made, Err(SelectError::Nothing), "{key}");
    }
}

#[test]
fn one_document_serves_many_extracts() {
    let value = Sensitive::from(String::from(r#"{"a": {"b": "1"}, "c": "2"}"#));
    let document = Document::parse(&value).unwrap();
    for (selector, expected) in [("a", r#"{"b":"1"}"#), ("a.b", "1"), ("c", "2"), ("a.b", "1")] {
        let part = document.extract(&Selector::parse(selector).unwrap()).unwrap();
        assert_eq!(part.expose(), expected.as_bytes(), "{selector}");
    }
}

#[test]
fn an_error_tells_the_place_and_never_the_content() {
    for (value, selector) in [
        ("CANARY", "a"),
        ("{\"a\": CANARY}", "a"),
        ("{\"CANARY\": \"CANARY", "a"),
        ("", "a"),
        ("\u{feff}{\"a\": \"CANARY\"}", "a"),
        (r#"{"a": "CANARY"}"#, "sum(a)"),
        (r#"{"a": "CANARY"}"#, "sort_by(a, &b)"),
        (r#"{"a": ["CANARY", 1]}"#, "sort(a)"),
        (r#"{"a": {"CANARY": 1}}"#, "join('', a)"),
        (r#"{"a": "CANARY"}"#, "b.CANARY2"),
    ] {
        let error = extract(value, selector).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("CANARY"), "{value}: {error}");
    }
    assert_eq!(extract("{\n \"a\": x", "a"), Err(SelectError::NotJson { line: 2, column: 7 }));
}

#[test]
fn an_empty_value_is_said_to_be_empty() {
    for value in ["", " \n"] {
        assert_eq!(extract(value, "a"), Err(SelectError::Empty), "{value:?}");
    }
}

#[test]
fn an_expression_that_repeats_its_input_without_end_is_stopped() {
    let selector = format!("[@,@]{}", "|[@,@]".repeat(60));
    let value = "\"0123456789abcdef\"";
    assert_eq!(extract(value, &selector), Err(SelectError::TooLarge));
    let long = format!("[\"{}\"]", "x".repeat(MAX_VALUE_BYTES));
    assert_eq!(extract(&long, "@"), Err(SelectError::TooLarge));
    assert_eq!(extract(&long, "[0]").unwrap().len(), MAX_VALUE_BYTES);
}

#[test]
fn the_members_of_an_object_are_no_larger_together_than_one_text() {
    let value = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_VALUE_BYTES / 2));
    let document = Document::parse(&Sensitive::new(value.into_bytes())).unwrap();
    let members = |selector: &str| {
        let found = document.members(Some(&Selector::parse(selector).unwrap()));
        found.map(|members| members.len())
    };
    assert_eq!(members("{b: a, c: a, d: nothing}"), Ok(3));
    assert_eq!(members("{b: a, c: a, d: 'x'}"), Err(SelectError::TooLarge));
}

#[test]
fn an_expression_that_would_make_too_much_of_this_value_is_not_evaluated() {
    let selector = "@|[@,@][]|[@,@][]|[@,@][]";
    assert!(extract(r#"["a"]"#, selector).is_ok());
    let large = format!("[{}]", vec!["1"; 30_000].join(","));
    assert_eq!(extract(&large, selector), Err(SelectError::TooMuch));
}

#[test]
fn json_nested_deeper_than_the_parser_goes_is_too_deep() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(matches!(extract(&deep, "@"), Err(SelectError::TooDeep(127))));
}

#[test]
fn numbers_that_are_picked_stay_as_they_are_written() {
    let value = r#"{"a": 1.50, "b": 1e5, "c": 123456789012345678901234567890, "d": [-0, 1.0, {"e": 1E-7}],
        "huge": 1e999}"#;
    for (selector, expected) in [
        ("a", "1.50"),
        ("b", "1e5"),
        ("c", "123456789012345678901234567890"),
        ("d", r#"[-0,1.0,{"e":1E-7}]"#),
        ("d[-1].e", "1E-7"),
        ("[a, c] | [1]", "123456789012345678901234567890"),
        ("{x: b}", r#"{"x":1e5}"#),
        ("huge", "1e999"),
        ("to_string(a)", "1.50"),
        ("to_string([c])", "[123456789012345678901234567890]"),
        ("max([a, c])", "123456789012345678901234567890"),
        ("sort([c, a])[0]", "1.50"),
        ("[c, huge][?@ > `1e300`]", "[1e999]"),
        ("c == `1`", "false"),
    ] {
        assert_eq!(extract(value, selector).unwrap(), expected, "{selector}");
    }
}

#[test]
fn what_is_calculated_stays_whole_or_is_an_error() {
    let value = r#"{"l": [1, 2, 3], "f": [0.5, 1.5], "m": [1, 2], "n": -7, "x": -1.5, "w": 2.0, "e": [],
        "big": [18446744073709551615, 1], "lost": 0.12345678901234567891, "s": "1.50"}"#;
    for (selector, expected) in [
        ("sum(l)", "6"),
        ("sum(f)", "2"),
        ("avg(l)", "2"),
        ("avg(m)", "1.5"),
        ("abs(n)", "7"),
        ("abs(x)", "1.5"),
        ("ceil(x)", "-1"),
        ("floor(x)", "-2"),
        ("ceil(w)", "2"),
        ("ceil(n)", "-7"),
        ("sum(e)", "0"),
        ("to_string(sum(l))", "6"),
        ("to_number(s)", "1.5"),
    ] {
        assert_eq!(extract(value, selector).unwrap(), expected, "{selector}");
    }
    assert_eq!(extract(value, "avg(e)"), Err(SelectError::Nothing));
    for selector in [
        "sum(big)",
        "abs(lost)",
        "ceil(lost)",
        "sum([lost, `1`])",
        "to_number('0.12345678901234567891')",
        "sum([big[0], `0.5`])",
    ] {
        let error = extract(value, selector).unwrap_err();
        assert!(matches!(error, SelectError::Digits(_)), "{selector}: {error:?}");
    }
}

#[test]
fn all_digits_count_in_a_comparison() {
    let value = r#"{"ids": [9007199254740993, 9007199254740992, 123456789012345678901234567891,
        123456789012345678901234567890], "u": [{"i": 9007199254740993}, {"i": 9007199254740992}],
        "same": [1.0, 1]}"#;
    for (selector, expected) in [
        ("ids[?@ == `9007199254740992`]", "[9007199254740992]"),
        ("ids[0] == ids[1]", "false"),
        ("ids[2] > ids[3]", "true"),
        ("min(ids)", "9007199254740992"),
        ("sort(ids)[-1]", "123456789012345678901234567891"),
        ("min_by(u, &i).i", "9007199254740992"),
        ("sort_by(u, &i)[0].i", "9007199254740992"),
        ("contains(ids, `9007199254740994`)", "false"),
        ("same[0] == same[1]", "true"),
        ("u[0] == u[1]", "false"),
    ] {
        assert_eq!(extract(value, selector).unwrap(), expected, "{selector}");
    }
}

#[test]
fn a_hash_ends_the_projection_before_it() {
    let value = r#"{"users": [{"name": "eve"}, {"name": "bob"}]}"#;
    for (selector, expected) in [
        ("users[?name=='bob'].{u: name}[0].u", "bob"),
        ("users[*].{u: name}[1]", r#"{"u":"bob"}"#),
        ("users[*].{u: name}[?u=='bob'] | [0].u", "bob"),
    ] {
        assert_eq!(extract(value, selector).unwrap(), expected, "{selector}");
    }
    assert_eq!(extract(value, "users[*].{u: name}.u"), Err(SelectError::Nothing));
}

#[test]
fn a_key_with_dots_that_was_meant_is_shown_in_quotes() {
    let value = r#"{"spring.datasource.password": "x", "a": {"b.c": {"d": 1}}, "a.b": {"q": 1}, "n.m": null, "a b": {"c.d": 1}}"#;
    for (selector, meant) in [
        ("spring.datasource.password", "\"spring.datasource.password\""),
        ("a.b.c.d", "a.\"b.c\".d"),
        ("a.b.q", "\"a.b\".q"),
        ("\"a b\".c.d", "\"a b\".\"c.d\""),
    ] {
        assert_eq!(extract(value, selector), Err(SelectError::Dotted(meant.to_owned())));
        assert!(extract(value, meant).is_ok(), "{meant}");
    }
    for selector in ["spring.datasource.user", "a.x.y", "n.m", "a[0].b"] {
        assert_eq!(extract(value, selector), Err(SelectError::Nothing), "{selector}");
    }
}

#[test]
fn json_that_nests_too_deeply_or_has_half_a_character_is_refused_by_its_place() {
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    assert_eq!(extract(&deep, "[0]"), Err(SelectError::TooDeep(127)));
    let half = "{\n \"a\": \"\\ud800\"}";
    assert_eq!(extract(half, "a"), Err(SelectError::NotJson { line: 2, column: 7 }));
}

#[test]
fn digits_of_numbers_count_for_what_an_expression_may_make() {
    let value = format!(r#"{{"n": {}}}"#, "1".repeat(60_000));
    assert_eq!(extract(&value, "n").unwrap().len(), 60_000);
    let selector = format!("to_string([n,n]{})", "|[@,@]".repeat(8));
    assert_eq!(extract(&value, &selector), Err(SelectError::TooMuch));
}
