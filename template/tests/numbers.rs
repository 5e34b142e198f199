//! Numbers of JSON, which stay as they are written, and texts that look like them.

#![allow(clippy::unwrap_used, clippy::panic)]

use template::Template;

#[test]
fn a_number_stays_as_it_is_written() {
    let json = r#"{"N": [123456789012345678901234567890, 1e5, -0, 1.10, 2E-3, 7, -1.5],
        "T": "1e5, \" 1e5", "1e5": 1e5}"#;
    let made = |text: &str| {
        let bytes = Template::parse(text).unwrap().render(|_| Some(json)).unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    };
    let numbers = "[123456789012345678901234567890,1e5,-0,1.10,2E-3,7,-1.5]";
    assert_eq!(made("{{ json(secret(\"s\")).N }}"), numbers);
    assert_eq!(made("{{ json(secret(\"s\")).N[0] }}"), "123456789012345678901234567890");
    assert_eq!(made("{{ json(secret(\"s\")).N | join(' ') | upper }}").split(' ').count(), 7);
    assert_eq!(made("{{ json(secret(\"s\")).T }}"), "1e5, \" 1e5");
    assert_eq!(
        made("{{ {\"A\": json(secret(\"s\")).N[1], \"B\": json(secret(\"s\")).N[4]} | yaml }}"),
        "\"A\": 1.0e+5\n\"B\": 2.0e-3\n"
    );
    assert_eq!(made("{{ {\"A\": json(secret(\"s\"))[\"1e5\"]} | dotenv }}"), "A=1e5\n");
}

#[test]
fn a_number_too_large_for_a_machine_stays_as_it_is_written() {
    let long = "1".repeat(400);
    let json = format!(r#"{{"BIG":1e309,"LONG":{long},"MANY":[-1E400,{long}.5,1e-999]}}"#);
    let made = |text: &str| {
        let bytes = Template::parse(text).unwrap().render(|_| Some(&json)).unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    };
    assert_eq!(made("{{ json(secret(\"s\")) | tojson }}"), json);
    assert_eq!(made("{{ json(secret(\"s\")).LONG }}"), long);
    assert_eq!(
        made("{% set s = json(secret(\"s\")) %}{{ {\"A\": s.BIG, \"B\": s.LONG} | dotenv }}"),
        format!("A=1e309\nB={long}\n")
    );
    assert_eq!(made("{{ json(secret(\"s\")).BIG > 5 }}"), "true");
    for (bad, place) in [
        ("[1,\n1e]", "its line 2, column 3"),
        ("[01]", "its line 1, column 3"),
        ("[1e400,--1]", "its line 1, column 9"),
        ("[\"\\ud800\",1e400]", "half a character in it as \\uXXXX"),
    ] {
        let template = Template::parse("{{ json(secret(\"s\")) }}").unwrap();
        let failure = template.render(|_| Some(bad)).unwrap_err();
        assert!(failure.fault.to_string().contains(place), "{bad}: {failure}");
    }
}

#[test]
fn no_text_is_taken_for_a_number() {
    for text in ["\u{10fffd}number 5", "number 5", "n5", "t", "n", "5", "1e5", "", "\\", "\"n5"] {
        let json = serde_json::json!({text: text, "list": [text]}).to_string();
        for format in ["json", "fromjson | tojson"] {
            let template = Template::parse(&format!("{{{{ secret(\"s\") | {format} }}}}")).unwrap();
            let made = template.render(|_| Some(&json)).unwrap();
            let read: serde_json::Value = serde_json::from_slice(&made).unwrap();
            assert_eq!(read, serde_json::json!({text: text, "list": [text]}), "{format}: {text:?}");
        }
        let json = serde_json::json!({"K": text}).to_string();
        let template = Template::parse("{{ secret(\"s\") | properties }}").unwrap();
        let made = String::from_utf8(template.render(|_| Some(&json)).unwrap().to_vec()).unwrap();
        let template = Template::parse("K={{ secret(\"s\") | quote_properties }}\n").unwrap();
        let quoted = template.render(|_| Some(text)).unwrap();
        assert_eq!(made.as_bytes(), quoted.as_slice(), "{text:?}");
    }
}

#[test]
fn a_number_counts_as_its_value_however_it_is_written() {
    let made = |text: &str| {
        let json = r#"{"NONE": [0.00, 0e0, -0], "SOME": [1e-3, 1.50]}"#;
        let text = format!("{{% set it = json(secret(\"s\")) %}}{text}");
        let bytes = Template::parse(&text).unwrap().render(|_| Some(json)).unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    };
    for index in 0..3 {
        assert_eq!(made(&format!("{{{{ 1 if it.NONE[{index}] else 0 }}}}")), "0", "{index}");
    }
    assert_eq!(made("{{ 1 if it.SOME[0] else 0 }}"), "1");
    assert_eq!(made("{{ 1.5 in it.SOME }}{{ 2 in it.SOME }}"), "truefalse");
}

#[test]
fn json_is_read_and_written_as_deep_as_the_message_says() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let template = Template::parse("{{ json(secret(\"s\")) | tojson }}").unwrap();
    let (deep, deeper) = (nested(127), nested(128));
    assert_eq!(template.render(|_| Some(&deep)).unwrap().as_slice(), deep.as_bytes());
    let failure = template.render(|_| Some(&deeper)).unwrap_err();
    assert!(failure.fault.to_string().contains("nests deeper than 127"), "{failure}");
}
