//! What a template makes of values, and how it fails.

#![allow(clippy::unwrap_used, clippy::panic)]

use template::{Invalid, MAX_OUTPUT_BYTES, Template};

const APP: &str = r#"{"user": "app", "password": "p'a\"s\\s", "port": 5432, "on": true,
    "none": null, "list": ["a", "b"], "deep": {"x": {"y": "z"}}, "float": 1.50, "empty": ""}"#;

fn try_render(text: &str) -> Result<String, Invalid> {
    let template = Template::parse(text).unwrap_or_else(|invalid| panic!("{text}: {invalid:?}"));
    let value = |source: &str| match source {
        "a" => Some("alpha"),
        "b" => Some("be\nta\n"),
        "app" => Some(APP),
        "empty" => Some(""),
        _ => None,
    };
    let bytes = template.render(value)?;
    Ok(String::from_utf8(bytes.to_vec()).unwrap())
}

fn render(text: &str) -> String {
    try_render(text).unwrap_or_else(|failure| panic!("{text}: {failure}"))
}

/// An expression in which `app` is the parsed secret.
fn expression(expression: &str) -> Result<String, Invalid> {
    try_render(&format!("{{% set app = json(secret(\"app\")) %}}{{{{ {expression} }}}}"))
}

#[test]
fn text_is_kept_exactly_and_values_stand_where_they_belong() {
    assert_eq!(render("x {{ secret(\"a\") }}\n"), "x alpha\n");
    assert_eq!(render("{{ secret(\"a\") }}\n\n"), "alpha\n\n");
    assert_eq!(render("\r\n{{ secret('a') }}\r\n"), "\r\nalpha\r\n");
    assert_eq!(render("{{ secret(\"b\") }}"), "be\nta\n");
    assert_eq!(render("a {{- secret(\"a\") -}} \n b"), "aalphab");
    assert_eq!(render("<{{ secret(\"a\") ~ '<&\"' }}>"), "<alpha<&\">");
    assert_eq!(render("{{ secret(\"empty\") }}"), "");
    assert_eq!(render("{% if secret(\"a\") == \"alpha\" %}1{% else %}2{% endif %}"), "1");
    assert_eq!(render("{{ secret(\"a\") if false }}"), "");
    assert_eq!(render("{{ (secret(\"a\") if false) or secret(\"b\") }}"), "be\nta\n");
}

#[test]
fn comparisons_are_of_texts_and_single_values() {
    for (text, expected) in [
        ("app.user == 'app'", "true"),
        ("app.user != 'app'", "false"),
        ("app.port == 5432", "true"),
        ("app.port == '5432'", "false"),
        ("app.float == 1.5", "true"),
        ("app.on == true", "true"),
        ("app.none == none", "true"),
        ("app.port < 6000", "true"),
        ("app.port <= 5432 and app.port >= 5432 and not app.port > 5432", "true"),
        ("'a' < 'b'", "true"),
        ("app.user < 'b'", "true"),
        ("'pp' in app.user", "true"),
        ("'x' not in app.user", "true"),
        ("'a' in app.list", "true"),
        ("'c' in app.list", "false"),
        ("'user' in app", "true"),
        ("'nope' in app", "false"),
    ] {
        assert_eq!(expression(text).as_deref(), Ok(expected), "{text}");
    }
    for (text, words) in [
        ("app == app", "a comparison takes a text, a number, a boolean or null, not a mapping"),
        ("app.list != 1", "or null, not a list"),
        ("app.deep in app.list", "in takes a text, a number, a boolean or null, not a mapping"),
        ("app.user < 1", "a comparison with a text takes a text, not a number"),
        ("app.none > 1", "a comparison takes a text or a number, not null"),
        ("1 in app.user", "in with a number takes a list or a mapping, not a text"),
        ("'a' in app.port", "in with a text takes a text, a list or a mapping, not a number"),
        ("app.nope == 1", "is not defined"),
        ("1 in app.nope", "is not defined"),
    ] {
        let failure = expression(text).unwrap_err();
        assert!(failure.fault.to_string().contains(words), "{text}: {failure}");
    }
}

#[test]
fn texts_and_numbers_are_put_together_and_nothing_else() {
    assert_eq!(expression("app.user ~ ':' ~ app.port").as_deref(), Ok("app:5432"));
    assert_eq!(expression("app.user ~ app.float").as_deref(), Ok("app1.50"));
    assert_eq!(expression("(app.empty or 'x') ~ 1").as_deref(), Ok("x1"));
    for name in ["on", "none", "list", "deep"] {
        let failure = try_render(&format!("\n{{{{ \"a\" ~ json(secret(\"app\")).{name} }}}}"));
        assert_eq!(failure.unwrap_err().line, 2, "{name}");
    }
}

#[test]
fn parts_of_json_are_text_as_they_are_and_everything_else_compact_json() {
    for (text, expected) in [
        ("app.user", "app"),
        ("app[\"password\"]", "p'a\"s\\s"),
        ("app.port", "5432"),
        ("app.float", "1.50"),
        ("app.on", "true"),
        ("app.list", "[\"a\",\"b\"]"),
        ("app.list[1]", "b"),
        ("app.deep", "{\"x\":{\"y\":\"z\"}}"),
        ("app.deep.x.y", "z"),
        ("(secret(\"app\") | fromjson).user", "app"),
        ("json(app).user", "app"),
        ("app.missing is defined", "false"),
        ("app.none is none", "true"),
        ("app.missing | default(\"d\")", "d"),
        ("app.empty | default(\"d\")", ""),
        ("app.empty | default(\"d\", true)", "d"),
        ("app.none | default(\"d\", true)", "d"),
        ("app.missing | default(app.nope) | default(\"d\")", "d"),
        ("{\"b\": 1, \"a\": app.on} | tojson", "{\"a\":true,\"b\":1}"),
    ] {
        assert_eq!(expression(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn filters_do_what_jinja_says() {
    for (text, expected) in [
        ("' x\n' | trim", "x"),
        ("'aé' | upper", "AÉ"),
        ("'AÉ' | lower", "aé"),
        ("'aXbX' | replace('X', '--')", "a--b--"),
        ("secret('b') | indent(2)", "be\n  ta\n"),
        ("secret('b') | indent(2, true)", "  be\n  ta\n"),
        ("'a\n\nb' | indent", "a\n\n    b"),
        ("['a', 1, true] | join('-')", "a-1-true"),
        ("['a', 'b'] | join", "ab"),
        ("'aé' | length", "2"),
        ("app.list | length", "2"),
        ("app | length", "9"),
        ("'é?' | b64encode", "w6k/"),
        ("'w6k/\n' | b64decode", "é?"),
        ("'a b/é~' | urlencode", "a%20b%2F%C3%A9~"),
        ("app.password | quote_shell", "'p'\\''a\"s\\s'"),
        ("'plain' | quote_shell", "'plain'"),
        ("'plain' | quote_dotenv", "plain"),
        ("'a b' | quote_dotenv", "'a b'"),
        ("'' | quote_dotenv", ""),
        ("'a+/=%@:.,_-==' | quote_dotenv", "a+/=%@:.,_-=="),
        ("'a $b \"c\" C:\\\\d `e`\n#f' | quote_dotenv", "'a $b \"c\" C:\\d `e`\n#f'"),
        ("\"it's #1\nor 2\" | quote_dotenv", "\"it's #1\nor 2\""),
        ("' \"a\" $b #c C:\\\\d=`e` ' | quote_docker_env", " \"a\" $b #c C:\\d=`e` "),
        ("'' | quote_docker_env", ""),
        ("app.password | quote_json", "\"p'a\\\"s\\\\s\""),
        ("app.port | quote_json", "\"5432\""),
        ("app.port | tojson", "5432"),
        ("app.list | tojson", "[\"a\",\"b\"]"),
        ("'<é>' | tojson", "\"<é>\""),
        ("'a\tb\u{7f}\u{2028}' | quote_yaml", "\"a\\tb\\x7F\\u2028\""),
        ("' a=é\n' | quote_properties", "\\ a\\=\\u00E9\\n"),
    ] {
        assert_eq!(expression(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn whole_formats_sort_their_keys_and_end_each_line() {
    let mapping = r#"{"b": secret("b"), "a_1": "x y", "c": 1, "d": true}"#;
    assert_eq!(
        expression(&format!("{mapping} | dotenv")).unwrap(),
        "a_1='x y'\nb='be\nta\n'\nc=1\nd=true\n"
    );
    assert_eq!(
        expression("{\"b\": \" 'x' \", \"a\": none | default(1, true), \"c\": true} | docker_env")
            .unwrap(),
        "a=1\nb= 'x' \nc=true\n"
    );
    assert_eq!(
        expression(&format!("{mapping} | shell")).unwrap(),
        "a_1='x y'\nb='be\nta\n'\nc='1'\nd='true'\n"
    );
    assert_eq!(
        expression(&format!("{mapping} | properties")).unwrap(),
        "a_1=x y\nb=be\\nta\\n\nc=1\nd=true\n"
    );
    assert_eq!(
        expression(&format!("{mapping} | yaml")).unwrap(),
        "\"a_1\": \"x y\"\n\"b\": \"be\\nta\\n\"\n\"c\": 1\n\"d\": true\n"
    );
    assert_eq!(
        expression("{\"b\": [1, {}], \"a\": none, \"l\": []} | json").unwrap(),
        "{\n  \"a\": null,\n  \"b\": [\n    1,\n    {}\n  ],\n  \"l\": []\n}\n"
    );
    assert_eq!(expression("{} | yaml").unwrap(), "{}\n");
    assert_eq!(expression("{} | dotenv").unwrap(), "");
    assert_eq!(
        expression("{\" k:\": 1e30, \"n\": none} | yaml").unwrap(),
        "\" k:\": 1.0e+30\n\"n\": null\n"
    );
    assert_eq!(expression("{\" k:\": \" v :\"} | properties").unwrap(), "\\ k\\:=\\ v \\:\n");
}

#[test]
fn a_json_secret_becomes_a_whole_file() {
    let text = "{{ secret(\"app\") | dotenv }}";
    let failure = try_render(text).unwrap_err();
    assert!(failure.fault.to_string().starts_with("key \"deep\": a list or mapping"), "{failure}");
    let template = Template::parse(text).unwrap();
    let bytes = template.render(|_| Some(r#"{"B": "2", "A": 1}"#)).unwrap();
    assert_eq!(bytes.as_slice(), b"A=1\nB=2\n");
}

#[test]
fn an_undefined_name_is_an_error_that_says_which_and_where() {
    for (text, line, words) in [
        ("\n{{ json(secret(\"app\")).nope }}", 2, "\"nope\" is not defined"),
        ("{{ json(secret(\"app\"))[\"nope\"] }}", 1, "\"nope\" is not defined"),
        ("\n\n{{ json(secret(\"app\")).nope.more }}", 3, "\"nope\""),
        ("{{ json(secret(\"app\")).list[7] }}", 1, "not defined"),
        ("{{ json(secret(\"app\")).nope | upper }}", 1, "\"nope\" is not defined"),
        ("{% if json(secret(\"app\")).nope %}{% endif %}", 1, "\"nope\" is not defined"),
        ("{{ {\"A\": json(secret(\"app\")).nope} | dotenv }}", 1, "\"nope\" is not defined"),
        (
            "{% if json(secret(\"app\")).empty %}{% set x = 1 %}{% endif %}\n{{ x }}",
            2,
            "\"x\" is not defined",
        ),
        ("{{ secret(\"a\") ~ json(secret(\"app\")).nope }}", 1, "\"nope\" is not defined"),
        ("{{ [json(secret(\"app\")).nope] | tojson }}", 1, "\"nope\" is not defined"),
        ("{{ [json(secret(\"app\")).nope] | length }}", 1, "\"nope\" is not defined"),
        ("{{ \"a\" | default(\"\", json(secret(\"app\")).nope) }}", 1, "\"nope\" is not defined"),
        ("{{ \"a\" | indent(json(secret(\"app\")).nope) }}", 1, "\"nope\" is not defined"),
        ("{{ [1] | join(json(secret(\"app\")).nope) }}", 1, "\"nope\" is not defined"),
        ("{{ json(secret(\"app\")).x | default(json(secret(\"app\")).nope) }}", 1, "\"nope\" is"),
    ] {
        let failure = try_render(text).unwrap_err();
        assert_eq!(failure.line, line, "{text}: {failure}");
        assert!(failure.fault.to_string().contains(words), "{text}: {failure}");
    }
    let failure = try_render("a\n{{ secret(\"gone\") }}").unwrap_err();
    assert_eq!((failure.line, failure.fault.to_string().as_str()), (2, "a source gave no value"));
}

#[test]
fn only_what_is_not_there_is_told_and_why() {
    for (expression, words) in [
        ("app.user ~ app.port ~ app.nope ~ app.float", "\"nope\" is not defined"),
        ("app.x | default(\"d\") ~ app.nope", "\"nope\" is not defined"),
        ("app.nope ~ (app.x | default(\"d\"))", "\"nope\" is not defined"),
        ("(app.nope | default(app.x)) ~ app.user", "\"x\" is not defined"),
        ("(app.user | default(app.x)) ~ app.nope", "\"nope\" is not defined"),
        ("(app.x is defined) == app.nope", "\"nope\" is not defined"),
        ("(\"a\" if app.user else app.x) ~ app.nope", "\"nope\" is not defined"),
        ("[app.user, app.nope.x] | join", "\"nope\" is not defined"),
        ("app.list[7]", "[7] is not defined"),
        ("app[app.user]", "[…] is not defined"),
        ("app[\"user\" if app.none else \"nope\"]", "[…] is not defined"),
        ("app[app.user if app.on else \"nope\"]", "[…] is not defined"),
        ("app.user.name", "\"name\" is not defined, as a text has no keys; json(TEXT) reads it"),
        ("app.port.x", "\"x\" is not defined, as a number has no keys"),
        ("app.list.x", "\"x\" is not defined, as a list has no keys"),
    ] {
        let failure = self::expression(expression).expect_err(expression);
        assert_eq!(failure.fault.to_string(), words, "{expression}");
    }
    for (text, line, words) in [
        ("{{ app.user }}{{ app.x is defined }}{{ app.nope }}", 1, "\"nope\" is not defined"),
        ("{{ app.user\n ~ app.nope\n ~ app.port }}", 2, "\"nope\" is not defined"),
        ("{% set x = app.nope %}\n\n{{ app.y | default(1) ~ x }}", 3, "\"x\" is not defined"),
        ("\n{% if app.on and app.nope %}{% endif %}", 2, "\"nope\" is not defined"),
        ("\n{% set x %}{{ app.nope }}{% endset %}", 2, "\"nope\" is not defined"),
        ("\n{{ (1 if app.none) ~ 2 }}", 2, "an if without else gives a value that is not defined"),
    ] {
        let text = format!("{{% set app = json(secret(\"app\")) %}}{text}");
        let failure = try_render(&text).unwrap_err();
        assert_eq!((failure.line, failure.fault.to_string().as_str()), (line, words), "{text}");
    }
    let many: String = (0..20).map(|index| format!("app.k{index}, ")).collect();
    let failure = expression(&format!("[{many}] | join")).unwrap_err();
    assert_eq!(failure.fault.to_string(), "\"k0\" is not defined");
    // A key that a value names may be the value of a secret.
    let template = Template::parse("{{ json(secret(\"s\"))[json(secret(\"s\")).KEY] }}").unwrap();
    let failure = template.render(|_| Some(r#"{"KEY": "CANARY"}"#)).unwrap_err();
    assert_eq!(failure.fault.to_string(), "[…] is not defined");
}

#[test]
fn what_cannot_be_written_is_an_error_that_names_the_key_and_no_value() {
    let nul = r#"{"K": "CANARY\u0000"}"#;
    for (text, value, words) in [
        ("{{ secret(\"s\") | dotenv }}", nul, "key \"K\": a NUL character"),
        (
            "{{ secret(\"s\") | dotenv }}",
            r#"{"K": "CANARY\r\n"}"#,
            "key \"K\": readers make a newline of a carriage return",
        ),
        (
            "{{ secret(\"s\") | dotenv }}",
            r#"{"K": "CANARY's \""}"#,
            "key \"K\": readers differ on ' beside \", \\, $ or `; shell, json and yaml can write it",
        ),
        (
            "{{ secret(\"s\") | dotenv }}",
            r#"{"K": "${CANARY}"}"#,
            "key \"K\": some readers fill in ${",
        ),
        ("{{ secret(\"s\") | quote_dotenv }}", "CANARY\\\\", "readers differ on two \\ in a row"),
        (
            "{{ secret(\"s\") | dotenv }}",
            r#"{"__proto__": "CANARY"}"#,
            "JavaScript loses a variable",
        ),
        (
            "{{ secret(\"s\") | dotenv }}",
            r#"{"UID": "CANARY"}"#,
            "key \"UID\": a shell keeps this name",
        ),
        ("{{ secret(\"s\") | shell }}", r#"{"BASH_ENV": "CANARY"}"#, "a shell keeps this name for"),
        ("{{ secret(\"s\") | shell }}", r#"{"a-b": "CANARY"}"#, "key \"a-b\": it is no name"),
        ("{{ secret(\"s\") | shell }}", nul, "key \"K\": a NUL character cannot be written"),
        ("{{ secret(\"s\") | dotenv }}", r#"{"a-b": "CANARY"}"#, "key \"a-b\": it is no name"),
        ("{{ secret(\"s\") | dotenv }}", r#"{"": "CANARY"}"#, "key \"\": it is no name"),
        ("{{ secret(\"s\") | dotenv }}", r#"{"K": null, "A": "CANARY"}"#, "key \"K\": null"),
        ("{{ secret(\"s\") | properties }}", r#"{"K": ["CANARY"]}"#, "key \"K\": a list"),
        ("{{ secret(\"s\") | yaml }}", r#"{"K": {"CANARY": 1}}"#, "key \"K\": a list or mapping"),
        ("{{ secret(\"s\") | yaml }}", "[\"CANARY\"]", "takes a JSON object"),
        ("{{ secret(\"s\") | json }}", "CANARY", "not JSON (its line 1, column 1)"),
        ("{{ secret(\"s\") | json }}", "{\"CANARY\": CANARY}", "not JSON"),
        ("{{ json(secret(\"s\")).a }}", "CANARY", "not JSON"),
        ("{{ json(secret(\"s\")).a }}", "{\"CANARY\": 1}", "\"a\" is not defined"),
        ("{{ json(secret(\"s\")).a }}", "{\"a\": null, \"b\": \"CANARY\"}", "null cannot"),
        ("{{ json(secret(\"s\")) | upper }}", "{\"CANARY\": 1}", "not a mapping"),
        ("{{ secret(\"s\") | b64decode }}", "CANARY!", "not base64"),
        ("{{ secret(\"s\") | b64decode }}", "/w==", "not UTF-8"),
        ("{{ secret(\"s\") | quote_shell }}", "CANARY\0", "NUL"),
        (
            "{{ json(secret(\"s\")).a | join }}",
            "{\"a\": \"CANARY\"}",
            "the filter join takes a list, not a text",
        ),
        (
            "{{ json(secret(\"s\")) | length }}",
            "1234509876",
            "the filter length takes a text, a list or a mapping, not a number",
        ),
        (
            "{{ \"a\" | replace(secret(\"s\"), \"CANARY\") }}",
            "",
            "FROM is empty, in the filter replace",
        ),
        (
            "{{ \"x\" | indent(json(secret(\"s\"))) }}",
            "\"CANARY\"",
            "the filter indent takes as WIDTH a number or null, not a text",
        ),
        (
            "{{ \"x\" | indent(1, json(secret(\"s\"))) }}",
            "\"CANARY\"",
            "the filter indent takes as FIRST a boolean or null, not a text",
        ),
        (
            "{{ \"x\" | default(1, json(secret(\"s\"))) }}",
            "\"CANARY\"",
            "the filter default takes as EMPTY a boolean or null, not a text",
        ),
        ("{{ json(secret(\"s\")) }}", "CANARY", "column 1), in json()"),
        ("{{ secret(\"s\") | fromjson }}", "CANARY", "column 1), in the filter fromjson"),
        ("{{ json(secret(\"s\")) | upper }}", "null", "the filter upper takes"),
        ("{{ secret(\"s\") | pem_bundle }}", r#"{"CERT": "CANARY"}"#, "key \"CERT\": a bundle"),
    ] {
        let template = Template::parse(text).unwrap_or_else(|e| panic!("{text}: {e:?}"));
        let failure = template.render(|_| Some(value)).unwrap_err();
        assert!(failure.fault.to_string().contains(words), "{text}: {failure}");
        assert!(!format!("{failure} {failure:?}").contains("CANARY"), "{text}: {failure:?}");
    }
}

#[test]
fn what_would_grow_without_end_is_stopped() {
    let large = "x".repeat(64 * 1024);
    let doubling =
        format!("{{% set a = secret(\"s\") %}}{}{{{{ a }}}}", "{% set a = a ~ a %}".repeat(350));
    let capturing = format!(
        "{{% set a = secret(\"s\") %}}{}{{{{ a }}}}",
        "{% set a %}{{ a }}{{ a }}{% endset %}".repeat(200)
    );
    for text in [
        "{{ secret(\"s\") }}".repeat(2),
        "{{ secret(\"s\") }}".repeat(500),
        "{{ secret(\"s\") ~ 1 }}".to_owned(),
        format!("{{{{ secret(\"s\"){} }}}}", " | tojson".repeat(100)),
        format!("{{{{ secret(\"s\"){} }}}}", " | b64encode".repeat(100)),
        format!("{{{{ secret(\"s\"){} }}}}", " | urlencode | quote_yaml".repeat(60)),
        format!("{{{{ secret(\"s\"){} }}}}", " | replace('x', 'xx')".repeat(40)),
        doubling,
        capturing,
        format!("{{{{ [{}] | join }}}}", "secret(\"s\"), ".repeat(500)),
        format!(
            "{{{{ secret(\"s\") | length }}}}{}",
            "{{ secret(\"s\") | upper | lower }}".repeat(250)
        ),
    ] {
        let template = Template::parse(&text).unwrap_or_else(|e| panic!("{text:.60}: {e:?}"));
        let failure = template.render(|_| Some(&large)).unwrap_err();
        assert!(failure.fault.to_string().len() < 100, "{text:.60}: {failure}");
    }
    let fits = Template::parse("{{ secret(\"s\") }}").unwrap();
    assert_eq!(fits.render(|_| Some(&large)).unwrap().len(), MAX_OUTPUT_BYTES);
}

#[test]
fn a_file_that_would_be_too_long_is_an_error_of_the_line_where_it_is() {
    let half = "x".repeat(MAX_OUTPUT_BYTES / 2);
    let template = Template::parse("{{ secret(\"s\") }}\n{{ secret(\"s\") }}").unwrap();
    let failure = template.render(|_| Some(&half)).unwrap_err();
    assert_eq!(failure.to_string(), "line 2: the file would have more than 65536 bytes");
}

#[test]
fn a_value_of_many_small_parts_is_not_read_often() {
    let many = format!("[{}1]", "1,".repeat(30_000));
    let sets = |count| {
        let sets: String = (0..count).fold(String::new(), |sets, index| {
            sets + &format!("{{% set a{index} = json(secret(\"s\")) %}}")
        });
        Template::parse(&sets).unwrap().render(|_| Some(&many))
    };
    assert!(sets(2).is_ok());
    assert_eq!(
        sets(4).unwrap_err().fault.to_string(),
        "it takes too much work or makes too much text"
    );
    let often =
        "{% set x = secret(\"s\") | length %}{% set y = secret(\"s\") == \"\" %}".repeat(100);
    let often = Template::parse(&often).unwrap();
    assert!(often.render(|_| Some(&many)).is_err());
}

#[test]
fn json_deeper_than_the_parser_goes_is_not_json() {
    let template = Template::parse("{{ json(secret(\"s\")) }}").unwrap();
    for (depth, ok) in [(100, true), (1000, false), (100_000, false)] {
        let deep = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(template.render(|_| Some(&deep)).is_ok(), ok, "{depth}");
    }
}

#[test]
fn what_docker_does_not_take_as_it_is_names_the_key_and_no_value() {
    let long = format!("CANARY{}", "x".repeat(65_535));
    for (value, words) in [
        ("CANARY\nB=1", "docker ends a value at a newline"),
        ("CANARY\r", "docker drops a carriage return"),
        ("CANARY\0", "no variable can hold a NUL character"),
        (&long, "docker reads no line of more than 65535 bytes"),
    ] {
        for (text, place) in [
            ("{{ {\"K\": secret(\"s\")} | docker_env }}", "key \"K\": "),
            ("K={{ secret(\"s\") | quote_docker_env }}", ""),
        ] {
            let failure = Template::parse(text).unwrap().render(|_| Some(value)).unwrap_err();
            assert!(
                failure.fault.to_string().starts_with(&format!("{place}{words}")),
                "{text}: {failure}"
            );
            assert!(!format!("{failure:?}").contains("CANARY"), "{failure:?}");
        }
    }
    for (key, words) in [
        ("", "it is no name of a variable"),
        ("a b", "it is no name of a variable"),
        (" a", "it is no name of a variable"),
        ("#a", "it is no name of a variable"),
        ("a=b", "it is no name of a variable"),
        ("\u{feff}a", "it is no name of a variable"),
        ("UID", "a shell keeps this name for itself"),
        ("__proto__", "JavaScript loses a variable of this name"),
    ] {
        let value = format!("{{\"{key}\": \"CANARY\"}}");
        let template = Template::parse("{{ secret(\"s\") | docker_env }}").unwrap();
        let failure = template.render(|_| Some(&value)).unwrap_err();
        assert!(failure.fault.to_string().contains(words), "{key}: {failure}");
        assert!(!format!("{failure:?}").contains("CANARY"), "{failure:?}");
    }
}
