//! What is refused before anything is fetched, and how it is said.

#![allow(clippy::unwrap_used, clippy::panic)]

use template::{Fault, Invalid, MAX_TEMPLATE_BYTES, Template};

fn invalid(text: &str) -> Vec<Invalid> {
    match Template::parse(text) {
        Ok(_) => panic!("accepted: {text}"),
        Err(invalid) => invalid,
    }
}

#[test]
fn sources_are_found_wherever_they_stand_each_once_with_its_first_line() {
    let text = r#"{# secret("kms://comment") #}{% raw %}{{ secret("kms://raw") }}{% endraw %}
{{ "secret('kms://text')" }}{{ secret("kms://a") }}
{% set x = json(secret('kms://b?stage=ACSPrevious#x.y')) %}{% if secret("oos://c") == "1" %}
{{ x.y[secret("d")] }}{% elif none is none %}{{ secret("kms://a") }}{% endif %}
{% set block %}{{ {"k": [secret("kms://e")]} | json }}{% endset %}
{{ x.a if secret("kms://f") else secret("kms://g") | default(secret("kms://h")) }}
"#;
    let template = Template::parse(text).unwrap();
    let found: Vec<_> =
        template.secrets().iter().map(|secret| (secret.source.as_str(), secret.line)).collect();
    let mut expected = vec![
        ("kms://a", 2),
        ("kms://b?stage=ACSPrevious#x.y", 3),
        ("oos://c", 3),
        ("d", 4),
        ("kms://e", 5),
        ("kms://f", 6),
        ("kms://g", 6),
        ("kms://h", 6),
    ];
    expected.sort_unstable();
    let mut sorted = found.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, expected);
    assert_eq!(found.first(), Some(&("kms://a", 2)));
}

#[test]
fn a_source_must_be_known_before_anything_is_rendered() {
    for call in [
        "secret()",
        "secret(x)",
        "secret(1)",
        "secret(\"kms://\" ~ \"a\")",
        "secret(\"kms://\" + \"a\")",
        "secret(\"a\", \"b\")",
        "secret([\"a\"])",
        "secret(name=\"a\")",
        "secret(*[\"a\"])",
        "secret(\"a\" | upper)",
        "secret(\"a\" if 1 else \"b\")",
    ] {
        let text = format!("\n{{% set x = secret(\"kms://x\") %}}\n{{{{ {call} }}}}\n");
        let expected = Invalid { line: 3, fault: Fault::Secret };
        assert_eq!(invalid(&text), [expected], "{call}");
    }
    for (text, fault) in [
        ("{% set s = secret %}", Fault::Undefined("secret".to_owned())),
        ("{{ [secret] | join }}", Fault::Undefined("secret".to_owned())),
        ("{{ \"a\" | default(secret) }}", Fault::Undefined("secret".to_owned())),
        ("{% set secret = \"x\" %}", Fault::Target),
        ("{% set json = \"x\" %}", Fault::Target),
        ("{{ \"kms://a\" | secret }}", Fault::Filter("secret".to_owned())),
        ("{{ {\"s\": 1}.s(\"kms://a\") }}", Fault::Method),
        ("{{ [1][0](\"kms://a\") }}", Fault::Method),
    ] {
        assert_eq!(invalid(text).first().unwrap().fault, fault, "{text}");
    }
}

#[test]
fn loops_other_templates_and_everything_unknown_are_refused_by_line_and_name() {
    for (statement, words) in [
        ("for a in \"abc\" %}{% endfor", "no statement for"),
        ("include \"/etc/passwd\"", "no statement include"),
        ("import \"x\" as y", "no statement import"),
        ("from \"x\" import y", "no statement from"),
        ("extends \"x\"", "no statement extends"),
        ("block x %}{% endblock", "no statement block"),
        ("macro x() %}{% endmacro", "no statement macro"),
        ("call x() %}{% endcall", "no statement call"),
        ("with a = 1 %}{% endwith", "no statement with"),
        ("filter upper %}{% endfilter", "no statement filter"),
        ("autoescape true %}{% endautoescape", "no statement autoescape"),
        ("do x()", "no statement do"),
        ("nonsense", "no statement nonsense"),
        ("break", "no statement break"),
    ] {
        let found = invalid(&format!("a\nb\n{{% {statement} %}}{{{{ secret(\"a\") }}}}"));
        let [Invalid { line: 3, fault }] = found.as_slice() else { panic!("{found:?}") };
        assert!(fault.to_string().contains(words), "{statement}: {fault}");
        assert!(!fault.remedy().is_empty());
    }
    for (expression, words) in [
        ("range(10)", "no function range()"),
        ("debug()", "no function debug()"),
        ("namespace()", "no function namespace()"),
        ("env(\"HOME\")", "no function env()"),
        ("x", "x is not defined"),
        ("loop.index", "loop is not defined"),
        ("self.x", "self is not defined"),
        ("\"a\".upper()", "no methods"),
        ("\"a\" | nope", "no filter \"nope\""),
        ("\"a\" | safe", "no filter \"safe\""),
        ("\"a\" | map(\"x\")", "no filter \"map\""),
        ("\"a\" | trim(1)", "the arguments do not fit trim()"),
        ("\"a\" | indent(width=2)", "by name"),
        ("json()", "the arguments do not fit json(VALUE)"),
        ("json(\"1\", \"2\")", "the arguments do not fit json(VALUE)"),
        ("1 is odd", "no test \"odd\""),
        ("{secret(\"a\"): 1} | dotenv", "a key in {…} is not"),
        ("{1: 1} | dotenv", "a key in {…} is not"),
        ("(\"a\" | nope) ~ secret(\"b\")", "no filter"),
    ] {
        let found = invalid(&format!("\n{{{{ {expression} }}}}"));
        let [Invalid { line: 2, fault }] = found.as_slice() else { panic!("{found:?}") };
        assert!(fault.to_string().contains(words), "{expression}: {fault}");
        assert!(!fault.remedy().is_empty());
    }
}

#[test]
fn nothing_calculates_cuts_or_builds_what_could_grow() {
    let doubling =
        format!("{{% set a = [secret(\"s\")] %}}{}", "{% set a = [a, a, a] %}".repeat(200));
    let adding = format!("{{% set a = json(secret(\"s\")) %}}{}", "{% set a = a + a %}".repeat(60));
    for (text, words) in [
        ("{{ secret(\"s\") * 1000000 }}", "does not calculate"),
        ("{{ [secret(\"s\")] * 100000000 | tojson }}", "does not calculate"),
        ("{{ ([1] * 100000000) ~ secret(\"s\") }}", "does not calculate"),
        ("{{ ([1] * 100000000) == ([1] * 100000000) }}", "does not calculate"),
        ("{{ secret(\"s\") ~ 9 ** 9 ** 9 }}", "does not calculate"),
        ("{{ secret(\"s\") + \"a\" }}", "does not calculate"),
        ("{{ secret(\"s\") - 1 }}", "does not calculate"),
        ("{{ -secret(\"s\") }}", "does not calculate"),
        ("{{ secret(\"s\") / 2 }}", "does not calculate"),
        ("{{ secret(\"s\") // 2 }}", "does not calculate"),
        ("{{ secret(\"s\") % 2 }}", "does not calculate"),
        ("{{ secret(\"s\")[::-9223372036854775808] }}", "does not cut"),
        ("{{ json(secret(\"s\"))[1:] }}", "does not cut"),
        ("{{ [1] | default(secret(\"s\")) }}", "a list or mapping stands where"),
        ("{{ secret(\"s\") | default([1], true) }}", "a list or mapping stands where"),
        ("{{ secret(\"s\") in [\"a\"] }}", "a list or mapping stands where"),
        ("{% if (1, 2) == secret(\"s\") %}{% endif %}", "a list or mapping stands where"),
        ("{{ {\"a\": secret(\"s\")} }}", "a list or mapping stands where"),
        ("{{ {\"a\": 1}[secret(\"s\")] }}", "a list or mapping stands where"),
        ("{{ [[1] * 9] | join ~ secret(\"s\") }}", "does not calculate"),
        ("{{ ([1] | fromjson) ~ secret(\"s\") }}", "a list or mapping stands where"),
        ("{{ \"a\" < secret(\"s\") < \"b\" }}", "cannot be chained"),
        ("{{ secret(\"s\") ~ true }}", "~ with a text takes a text or a number, not a boolean"),
        ("{{ none ~ secret(\"s\") }}", "~ takes a text or a number, not null"),
        ("{{ {\"A\": secret(\"s\"), \"A\": 1} | dotenv }}", "\"A\" is written twice"),
        (&doubling, "a list or mapping stands where"),
        (&adding, "does not calculate"),
    ] {
        let found = invalid(&format!("\n{text}"));
        let first = found.first().unwrap();
        assert_eq!(first.line, 2, "{text:.60}: {found:?}");
        assert!(first.fault.to_string().contains(words), "{text:.60}: {found:?}");
        assert!(!first.fault.remedy().is_empty());
    }
}

#[test]
fn all_unknown_names_are_told_at_once() {
    let found = invalid("{{ a }}\n{{ b | c }}\n{{ d() }}{{ secret(e) }}");
    let lines: Vec<_> = found.iter().map(|invalid| invalid.line).collect();
    assert_eq!(lines, [1, 2, 2, 3, 3], "{found:?}");
    let (name, known) = found.get(2).unwrap().fault.unknown().unwrap();
    assert!(name == "c" && known.contains(&"dotenv"));
}

#[test]
fn a_text_that_is_cut_off_is_refused_with_its_line() {
    for text in [
        "\n{{ secret(\"a\")",
        "\n{{ secret(\"a }}",
        "\n{{ secret(\"a\" }}",
        "\n{% if secret(\"a\") %}",
        "\n{% endif %}",
        "\n{% else %}",
        "\n{% if %}{% endif %}",
        "\n{% set %}",
        "\n{% %}",
        "\n{{ }}",
        "\n{{ a b }}",
        "\n{# ",
        "\n{{ § }}",
        "\n{% raw %}",
    ] {
        let found = invalid(text);
        let [Invalid { line, fault: Fault::Syntax }] = found.as_slice() else {
            panic!("{text}: {found:?}")
        };
        assert!((1..=2).contains(line), "{text}: {line}");
    }
}

#[test]
fn a_text_without_secrets_with_nul_or_too_long_is_refused() {
    for text in ["", "only text", "{{ \"secret\" }}", "${kms://db}"] {
        assert_eq!(invalid(text), [Invalid { line: 1, fault: Fault::NoSecret }], "{text}");
    }
    assert_eq!(invalid("a\n\0"), [Invalid { line: 2, fault: Fault::Nul }]);
    let call = "{{ secret(\"a\") }}";
    let fits = format!("{}{call}", "x".repeat(MAX_TEMPLATE_BYTES - call.len()));
    assert!(Template::parse(&fits).is_ok());
    let found = invalid(&format!("x{fits}"));
    assert_eq!(found, [Invalid { line: 1, fault: Fault::TooLong(MAX_TEMPLATE_BYTES + 1) }]);
}

#[test]
fn the_deepest_template_fits_into_half_of_a_worker_threads_stack() {
    let small_stack = std::thread::Builder::new().stack_size(1024 * 1024).spawn(|| {
        let mut accepted = 0;
        for (open, part, close) in [
            ("s", ".b", ""),
            ("s", "|trim", ""),
            ("", "[", "]"),
            ("", "(", ")"),
            ("", "{'k':", "}"),
            ("", "not ", ""),
            ("s", "~s", ""),
            ("s", "[s]", ""),
            ("s", " if s else s", ""),
            ("s", " is none", ""),
            ("s", " and s", ""),
            ("s", "<s", ""),
        ] {
            for depth in [20, 60, 80, 120, 240, 1000, 4000] {
                let inner = if open.is_empty() { "s" } else { "" };
                let text = format!(
                    "{{% set s = secret(\"a\") %}}{{{{ {open}{}{inner}{} | tojson }}}}",
                    part.repeat(depth),
                    close.repeat(depth)
                );
                if let Ok(template) = Template::parse(&text) {
                    accepted += 1;
                    let _ = template.render(|_| Some("1"));
                }
            }
        }
        for depth in [10, 16, 31, 1000] {
            let text = format!(
                "{{% set s = secret(\"a\") %}}{}{}",
                "{% if s %}".repeat(depth),
                "{% endif %}".repeat(depth)
            );
            if let Ok(template) = Template::parse(&text) {
                accepted += 1;
                let _ = template.render(|_| Some("1"));
            }
        }
        accepted
    });
    let accepted = small_stack.unwrap().join().unwrap();
    assert!(accepted > 25, "{accepted}");
}

#[test]
fn what_nests_too_deeply_for_the_parser_is_told_as_that() {
    for text in [
        format!("{{{{ {}secret(\"a\"){} }}}}", "(".repeat(120), ")".repeat(120)),
        "{%set a%}".repeat(700),
        format!("{}{{{{ secret(\"a\") }}}}{}", "{%set a%}".repeat(200), "{% endset %}".repeat(200)),
    ] {
        assert_eq!(invalid(&text), [Invalid { line: 1, fault: Fault::TooDeep }], "{text:.60}");
    }
}

#[test]
fn a_message_repeats_no_long_name() {
    let found = invalid(&format!("{{{{ {} }}}}", "x".repeat(5000)));
    assert!(found.first().unwrap().to_string().len() < 300);
}
