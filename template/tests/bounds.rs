//! What a template may cost where it is judged: in proportion to its length, and capped.

#![allow(clippy::unwrap_used, clippy::panic)]

use allocation_counter::measure;
use template::{CheckFuel, Fault, MAX_TEMPLATE_BYTES, Template};

/// Bytes that are allocated while a text is judged: what is copied is counted, however fast.
fn copied(text: &str) -> u64 {
    assert!(text.len() <= MAX_TEMPLATE_BYTES, "{} {text:.60}", text.len());
    measure(|| drop(Template::parse(text))).bytes_total
}

/// Names of one length.
fn name(index: usize) -> String {
    let letter = |index: usize| char::from(b'a' + u8::try_from(index % 26).unwrap());
    ["v".to_owned(), letter(index / 26).into(), letter(index).into(), "_".to_owned()].concat()
}

fn each(count: usize, one: impl Fn(usize) -> String) -> String {
    (0..count).map(one).collect()
}

#[test]
fn what_a_template_costs_grows_as_its_text_does() {
    type Shape = fn(usize) -> String;
    let shapes: [(&str, Shape); 9] = [
        ("text", |n| "a { b\n".repeat(n)),
        ("names, then conditions", |n| {
            let names = each(n, |index| format!("{{%set {}=1%}}", name(index)));
            names + &"{%if s%}{%endif%}".repeat(n)
        }),
        ("names within conditions", |n| {
            let names = each(n, |index| format!("{{%set {}=1%}}", name(index)));
            format!("{}{names}{}", "{%if s%}".repeat(15), "{%else%}x{%endif%}".repeat(15))
        }),
        ("unknown filters", |n| each(n, |index| format!("{{{{s|{}}}}}", name(index)))),
        ("unknown names", |n| each(n, |index| format!("{{{{{}}}}}", name(index)))),
        ("items", |n| format!("{{{{[{}1]|join}}}}", "s,".repeat(n))),
        ("members", |n| {
            let members = each(n, |index| format!("\"{}\":s,", name(index)));
            format!("{{{{ {{{members}}}|json}}}}")
        }),
        ("sources", |n| each(n, |index| format!("{{{{secret(\"{}\")}}}}", name(index)))),
        ("open brackets", |n| {
            format!("{{{{{}{}1{}|join}}}}", "[".repeat(60), "s,".repeat(n), "]".repeat(60))
        }),
    ];
    for (what, shape) in shapes {
        let text = |n| format!("{{%set s=secret(\"s\")%}}{}", shape(n));
        let [once, twice] = [150, 300].map(|n| copied(&text(n)));
        assert!(once * 5 >= twice * 2, "{what}: {once}, and twice of it {twice}");
        assert!(twice < 2 * 1024 * 1024, "{what}: {twice}");
    }
}

#[test]
fn the_first_mistakes_are_told_and_more_are_not_looked_for() {
    for unit in ["{{ x }}\n", "{{ \"a\" | x }}\n", "{% set json = 1 %}\n", "{{ [1] + [2] }}\n"] {
        let found = Template::parse(&unit.repeat(300)).unwrap_err();
        let lines: Vec<_> = found.iter().map(|invalid| invalid.line).collect();
        assert!(found.len() == 8 && lines.first() == Some(&1), "{unit}: {lines:?}");
    }
}

#[test]
fn a_template_has_so_many_words_and_signs_and_no_more() {
    let list = |items: usize| format!("{{{{[{}secret(\"s\")]|join}}}}", "1,".repeat(items));
    // The list and its filter have 10 words and signs beside these.
    assert!(Template::parse(&list((3072 - 10) / 2)).is_ok());
    let found = Template::parse(&format!("\n{}", list(1600))).unwrap_err();
    let [invalid] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((invalid.line, &invalid.fault), (2, &Fault::TooMany));
    assert_eq!(
        invalid.fault.to_string(),
        "with it the templates of the Pod have more than 3072 words, signs and pieces of text together"
    );
    // As long as it may be, with a line for each value.
    let line = "NAME_OF_IT={{ secret(\"kms://shop/app-0000#key\") | quote_dotenv }}\n";
    assert!(Template::parse(&line.repeat(MAX_TEMPLATE_BYTES / line.len())).is_ok());
}

#[test]
fn a_check_tries_the_first_operations_on_what_is_written_out_and_leaves_the_rest_to_the_start() {
    let mistake = "{{ secret(\"s\") }}{{ \"x\" | fromjson }}";
    assert!(Template::parse(mistake).is_err());
    let many = "{{ \"a\" | upper }}".repeat(200);
    let template = Template::parse(&format!("{many}{mistake}")).unwrap();
    assert!(template.render(|_| Some("v")).is_err());
    // Operations on secrets count for nothing.
    let many = "{{ secret(\"s\") | upper }}".repeat(200);
    assert!(Template::parse(&format!("{many}{mistake}")).is_err());
}

fn is_too_deep(text: &str) -> bool {
    let found = Template::parse(text).err().unwrap_or_default();
    found.iter().any(|invalid| invalid.fault == Fault::TooDeep)
}

#[test]
fn a_long_list_is_not_deep_and_a_long_chain_is() {
    let items = "secret(\"kms://a\"), ".repeat(700);
    assert!(!is_too_deep(&format!("{{{{ [{items}] | join }}}}")));
    for (open, part, close) in [
        ("a", ".b", ""),
        ("a", " | trim", ""),
        ("a", " | default(1, 2)", ""),
        ("", "[", ""),
        ("", "[1, ", ""),
        ("", "not ", "a"),
        ("a", " ~ a", ""),
        ("a", " if a else a", ""),
    ] {
        let text = format!("{{{{ {open}{}{close} }}}}", part.repeat(300));
        assert!(is_too_deep(&text), "{part}");
    }
}

#[test]
fn branches_are_counted_where_they_are_open() {
    let one = "{% if a %}{% elif b %}{% else %}{% endif %}";
    assert!(!is_too_deep(&one.repeat(100)));
    assert!(is_too_deep(&"{% if a %}".repeat(40)));
    assert!(is_too_deep(&format!("{{% if a %}}{}", "{% elif b %}".repeat(40))));
}

#[test]
fn a_name_that_nobody_misspelled_is_compared_with_none() {
    for (name, is_compared) in [("x".repeat(25), false), ("quote_proprerties".to_owned(), true)] {
        let found = Template::parse(&format!("{{{{ secret(\"s\") | {name} }}}}")).unwrap_err();
        let [invalid] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(invalid.fault.unknown().is_some(), is_compared, "{name}");
        assert!(!invalid.fault.remedy().is_empty());
    }
}

/// Twenty copies of a value of 64 KiB, each read into thousands of small lists or objects.
#[test]
fn values_of_many_small_parts_do_not_grow_without_end() {
    let sets: String = (0..20).map(|n| format!("{{%set v{n}=json(s)%}}")).collect();
    let template = Template::parse(&format!("{{%set s=secret(\"s\")%}}{sets}x")).unwrap();
    for part in ["{\"\":0},", "[],", "[0],", "{},", "0,"] {
        let value = format!("[{}0]", part.repeat(64 * 1024 / part.len() - 1));
        let peak = measure(|| drop(template.render(|_| Some(value.as_str())))).bytes_max;
        assert!(peak < 11 * 1024 * 1024, "{part}: {peak}");
    }
}

/// A check goes on where something fails behind a condition.
#[test]
fn an_operation_that_fails_is_paid_for_like_any_other() {
    let texts = format!("{{%set a={:?}%}}{{%set b={:?}%}}", "x".repeat(700), "y".repeat(1_500));
    let bad = format!("{{%set c={:?}%}}", "QUFB".repeat(1_000) + "!");
    for operation in [r#"{{a|replace("x",b)}}"#, "{{c|b64decode}}", r#"{{{"A":b,"9":b}|shell}}"#] {
        let operations = operation.repeat(50);
        let text = format!("{texts}{bad}{{%if secret(\"s\")%}}{operations}{{%endif%}}");
        let bytes = copied(&text);
        assert!(bytes < 400_000, "{operation}: {bytes}");
    }
}

#[test]
fn templates_of_one_pod_are_checked_with_what_one_of_them_leaves() {
    let operations = "{{\"a\"|upper}}".repeat(16);
    let text = format!("{{{{secret(\"s\")}}}}{operations}{{{{\"x\"|fromjson}}}}");
    let mut fuel = CheckFuel::default();
    assert!(Template::parse_one_of(&text, &mut fuel).is_err());
    let accepted = (0..20).position(|_| Template::parse_one_of(&text, &mut fuel).is_ok());
    assert!(accepted.is_some_and(|at| at > 4), "{accepted:?}");
}

/// Each member is looked at, however little it holds.
#[test]
fn members_of_nothing_are_paid_for() {
    let members: String = ('a'..='p').map(|key| format!("\"{key}\":\"\",")).collect();
    let map = format!("{{%set m=json('{{{members}\"A\":\"\"}}')%}}");
    for operation in ["{{m|dotenv}}", "{{m|docker_env}}", "{{m|shell}}"] {
        let text = format!("{{{{secret(\"s\")}}}}{map}{}", operation.repeat(50));
        let [with, without] = [CheckFuel::default(), CheckFuel::none()]
            .map(|mut fuel| measure(|| drop(Template::parse_one_of(&text, &mut fuel))).count_total);
        assert!(with < without + 120, "{operation}: {with} {without}");
    }
}

#[test]
fn without_fuel_only_kinds_are_checked() {
    let parse = |text: &str| Template::parse_one_of(text, &mut CheckFuel::none());
    let late = parse("{{secret(\"s\")}}{{\"x\"|fromjson}}").unwrap();
    assert!(late.render(|_| Some("v")).unwrap_err().fault.to_string().contains("is not JSON"));
    assert!(parse("{{secret(\"s\").host}}").is_err());
}

/// What is written out may be asked for a key that it does not have, as only a secret's text may not.
#[test]
fn without_fuel_nothing_is_refused_that_is_accepted_with_it() {
    for text in [
        "{{ (\"x\" ~ \"y\").c | default(\"z\") }}",
        "{% set a = (\"\" | quote_docker_env).c %}",
        "{{ (\"x\" | upper).c is defined }}",
        "{% set a = (\"x\" | indent(2)).c %}",
        "{% set a = (5 | tojson).c %}",
        "{{ (\"1\" ~ \"2\") < 5 }}",
    ] {
        let text = format!("{{{{secret(\"s\")}}}}{text}");
        let [with, without] = [CheckFuel::default(), CheckFuel::none()]
            .map(|mut fuel| Template::parse_one_of(&text, &mut fuel).is_ok());
        assert!(without || !with, "{text}");
    }
}

#[test]
fn a_long_number_or_text_is_paid_for_wherever_it_is_looked_at() {
    let digits = |length: usize| "1".repeat(length);
    for operation in
        ["{{ 1 if n else 2 }}", "{{ n == 1 }}", "{{ n and 1 }}", "{{ t[5] }}", "{{ t ~ t }}"]
    {
        let parse = |length: usize| {
            let names = format!("{{%set t=\"{0}\"%}}{{%set n=json(\"{0}\")%}}", digits(length));
            let operations = operation.repeat(8);
            Template::parse(&format!(
                "{{{{secret(\"s\")}}}}{names}{operations}{{{{\"x\"|fromjson}}}}"
            ))
        };
        assert!(parse(8).is_err(), "{operation}: a mistake is not found behind it");
        assert!(parse(1_000).is_ok(), "{operation}: it is free");
    }
}
