//! What can only fail, whatever the secrets hold, and is refused before anything is fetched.

#![allow(clippy::unwrap_used, clippy::panic)]

use template::{Fault, Invalid, Template};

fn invalid(text: &str) -> Vec<Invalid> {
    match Template::parse(text) {
        Ok(_) => panic!("accepted: {text}"),
        Err(invalid) => invalid,
    }
}

fn fails(words: &str) -> Fault {
    Fault::Operation(words.to_owned())
}

#[test]
fn arguments_and_operands_that_can_only_fail_are_refused_by_filter_and_name() {
    for (expression, words) in [
        ("\"a\" | replace(\"M\")", "the arguments do not fit replace(FROM, TO)"),
        ("\"a\" | replace", "the arguments do not fit replace(FROM, TO)"),
        ("\"a\" | replace(\"\", \"x\")", "FROM is empty, in the filter replace"),
        (
            "\"a\" | replace(\"x\", none)",
            "the filter replace takes as TO a text, a number or a boolean, not null",
        ),
        ("\"a\" | indent(\"x\")", "the filter indent takes as WIDTH a number or null, not a text"),
        ("\"a\" | indent(65)", "WIDTH is not a number of spaces"),
        ("\"a\" | indent(-1)", "WIDTH is not a number of spaces"),
        ("\"a\" | indent(secret(\"s\"))", "takes as WIDTH a number or null, not a text"),
        (
            "\"a\" | indent(2, \"x\")",
            "the filter indent takes as FIRST a boolean or null, not a text",
        ),
        (
            "\"a\" | default(1, \"M\")",
            "filter default takes as EMPTY a boolean or null, not a text",
        ),
        ("\"a\" | default(\"x\", 1)", "takes as EMPTY a boolean or null, not a number"),
        ("\"a\" | default(1, true, 2)", "the arguments do not fit default(OTHER, EMPTY)"),
        (
            "[1] | join(none)",
            "filter join takes as BETWEEN a text, a number or a boolean, not null",
        ),
        ("[1] | join(1, 2)", "the arguments do not fit join(BETWEEN)"),
        ("secret(\"s\") | join", "the filter join takes a list, not a text"),
        ("5 | length", "the filter length takes a text, a list or a mapping, not a number"),
        (
            "\"abc\" | fromjson",
            "a value is not JSON (its line 1, column 1), in the filter fromjson",
        ),
        ("json(\"abc\")", "a value is not JSON (its line 1, column 1), in json()"),
        (
            "\"[1]\" | dotenv",
            "takes a JSON object or a mapping {\"KEY\": VALUE}, in the filter dotenv",
        ),
        ("[1] | yaml", "the filter yaml takes a text or a mapping, not a list"),
        ("\"?\" | b64decode", "a value is not base64, in the filter b64decode"),
        ("none | upper", "the filter upper takes a text, a number or a boolean, not null"),
        ("secret(\"s\") is defined(1)", "the arguments do not fit defined()"),
        ("secret(\"s\") < 5", "a comparison with a text takes a text, not a number"),
        ("1 in secret(\"s\")", "in with a number takes a list or a mapping, not a text"),
        ("secret(\"s\") in 5", "in with a text takes a text, a list or a mapping, not a number"),
        ("(1 == 1) ~ secret(\"s\")", "~ takes a text or a number, not a boolean"),
        ("-\"a\" ~ secret(\"s\")", "does not calculate"),
        ("none", "null cannot be written; use default(\"…\", true)"),
        ("json(\"{}\").a", "\"a\" is not defined"),
    ] {
        let found = invalid(&format!("\n{{{{ {expression} }}}}"));
        let [Invalid { line: 2, fault }] = found.as_slice() else { panic!("{found:?}") };
        assert!(fault.to_string().contains(words), "{expression}: {fault}");
        assert!(!fault.remedy().is_empty());
    }
}

#[test]
fn a_filter_of_literals_is_refused_or_cannot_fail() {
    let operands = [
        "\"a\"",
        "\"\"",
        "\"W10=\"",
        "\"{}\"",
        "\" {} \"",
        "\"[]\"",
        "5",
        "1.5",
        "-1",
        "true",
        "none",
        "[1, \"a\"]",
        "{\"A\": 1}",
        "x",
    ];
    let arguments = [
        "",
        "()",
        "(1)",
        "(-1)",
        "(65)",
        "(1.5)",
        "(\"x\")",
        "(\"\")",
        "(none)",
        "(true)",
        "(x)",
        "(1, true)",
        "(1, 1)",
        "(1, none)",
        "(\"M\", \"x\")",
        "(\"\", \"x\")",
        "(\"x\", none)",
        "(none, \"x\")",
        "(1, 2, 3)",
    ];
    let filters = [
        "trim",
        "upper",
        "lower",
        "replace",
        "indent",
        "default",
        "join",
        "length",
        "fromjson",
        "tojson",
        "b64encode",
        "b64decode",
        "urlencode",
        "quote_shell",
        "quote_dotenv",
        "quote_docker_env",
        "quote_properties",
        "quote_json",
        "quote_yaml",
        "dotenv",
        "docker_env",
        "shell",
        "properties",
        "json",
        "yaml",
    ];
    let (mut accepted, mut refused) = (0, 0);
    for operand in operands {
        // Whether a number is base64, its digits decide.
        for filter in filters.into_iter().filter(|it| operand != "x" || *it != "b64decode") {
            for arguments in arguments {
                let set = format!("{{% set y = {operand} | {filter}{arguments} %}}");
                let parse = |set: &str| {
                    Template::parse(&format!("{{% set x = secret(\"s\") | length %}}{set}"))
                };
                match parse(&set) {
                    Ok(template) => {
                        accepted += 1;
                        let made = template.render(|_| Some("abc"));
                        assert!(made.is_ok(), "{operand} | {filter}{arguments}: {made:?}");
                    }
                    Err(_) => {
                        refused += 1;
                        // It is accepted where it may never run, unless it never can.
                        let behind = parse(&format!("{{% if true %}}{set}{{% endif %}}"));
                        let made = behind.map(|template| template.render(|_| Some("abc")));
                        assert!(!matches!(made, Ok(Ok(_))), "{operand} | {filter}{arguments}");
                    }
                }
            }
        }
    }
    assert!(accepted > 600 && refused > 3000, "{accepted} {refused}");
}

#[test]
fn a_name_is_refused_before_it_is_set_and_only_where_that_certainly_fails() {
    for text in [
        "\n{{ x }}{% set x = secret(\"a\") %}",
        "\n{{ x | upper }}{% set x = secret(\"a\") %}",
        "{% set x = secret(\"a\")\n ~ x %}",
        "{% set x %}\n{{ x }}{{ secret(\"a\") }}{% endset %}",
        "{% set y = secret(\"a\") %}{% if\nx %}{% endif %}{% set x = 1 %}",
        "{{ [secret(\"a\"),\nx] | join }}{% set x = 1 %}",
    ] {
        let expected = Invalid { line: 2, fault: fails("\"x\" is used before it is set") };
        assert_eq!(invalid(text), [expected], "{text}");
    }
    for (text, made) in [
        ("{{ x | default(\"d\") }}{% set x = secret(\"a\") %}", "d"),
        ("{{ x is defined }}{% set x = secret(\"a\") %}", "false"),
        ("{{ secret(\"a\") if true else x }}{% set x = 1 %}", "v"),
        ("{% set y = x %}{% set x = secret(\"a\") %}{{ x }}", "v"),
        ("{% if secret(\"a\") %}{% set x = 1 %}{% endif %}{{ x }}", "1"),
        ("{% if secret(\"a\") %}{% else %}{% set x = 1 %}{% endif %}{{ x is defined }}", "false"),
        ("{% set x %}{% set y = secret(\"a\") %}{% endset %}{{ y }}{{ x }}", "v"),
        ("{% if secret(\"a\") %}{% set x = 1 %}{% else %}{{ x }}{% endif %}{{ x }}", "1"),
        ("{% if x is defined %}{{ x | upper }}{% endif %}{% set x = secret(\"a\") %}{{ x }}", "v"),
        ("{{ (x | upper) if x is defined else \"d\" }}{% set x = secret(\"a\") %}", "d"),
        ("{% if x is defined and x == \"a\" %}q{% endif %}{% set x = secret(\"a\") %}", ""),
        (
            "{% set x = secret(\"a\") %}{% if true %}{% set x = json(\"{}\") %}{% endif %}{{ x.a is defined }}",
            "false",
        ),
    ] {
        let template = Template::parse(text).unwrap_or_else(|e| panic!("{text}: {e:?}"));
        let bytes = template.render(|_| Some("v"));
        assert_eq!(bytes.unwrap().as_slice(), made.as_bytes(), "{text}");
    }
}

#[test]
fn a_kind_is_no_reason_behind_a_condition_that_may_know_better() {
    for (text, made) in [
        ("{% set p = none %}{% if p is not none %}:{{ p ~ \"\" }}{% endif %}", ""),
        ("{% set d = none %}{% if d %}{{ d | upper }}{% endif %}", ""),
        ("{% set d = false %}{% if d %}{{ \"x\" ~ d }}{% endif %}", ""),
        ("{% set l = none %}{{ \"low\" if l is not none and l < 5 else \"any\" }}", "any"),
        ("{% set h = \"\" %}{% if h %}{{ h.name }}{% endif %}", ""),
        ("{% set d = none %}{% if true %}{% elif d < 1 %}{% endif %}", ""),
        ("{% set d = none %}{{ true or d < 1 }}", "true"),
    ] {
        let template = Template::parse(&format!("{text}{{{{ secret(\"a\") }}}}"));
        let template = template.unwrap_or_else(|e| panic!("{text}: {e:?}"));
        let bytes = template.render(|_| Some("v")).unwrap();
        assert_eq!(bytes.as_slice(), format!("{made}v").as_bytes(), "{text}");
    }
    for text in ["{% if d < 1 %}{% endif %}", "{{ d < 1 and true }}", "{{ 1 if d < 1 else 2 }}"] {
        let text = format!("{{% set d = none %}}{text}{{{{ secret(\"a\") }}}}");
        assert_eq!(
            invalid(&text),
            [Invalid { line: 1, fault: fails("a comparison takes a text or a number, not null") }],
            "{text}"
        );
    }
}

#[test]
fn a_key_of_a_text_is_refused_with_what_to_write() {
    for text in [
        "\n{{ secret(\"a\").host }}",
        "\n{{ secret(\"a\")[\"host\"] }}",
        "{% set db = secret(\"a\") %}\n{{ db.host }}",
        "{% set db = secret(\"a\") | trim %}\n{{ db.host | default(\"x\") }}",
    ] {
        let words = "\"host\" is not defined, as a text has no keys; json(TEXT) reads it";
        let expected = Invalid { line: 2, fault: fails(words) };
        assert_eq!(invalid(text), [expected], "{text}");
    }
    assert!(fails("").remedy().contains("docs/annotations.md"));
}

#[test]
fn a_key_with_a_dash_behind_a_dot_gets_its_brackets_shown() {
    for text in [
        "{{ json(secret(\"s\")).api-key }}",
        "{{ json(secret(\"s\")).a.tls-ca-crt }}",
        "{{ json(secret(\"s\")).key-1 }}",
    ] {
        let [Invalid { fault, .. }] = invalid(text).try_into().unwrap();
        assert_eq!(fault, Fault::Arithmetic, "{text}");
        assert!(fault.remedy().contains("VALUE[\"KEY-NAME\"]"));
    }
}
