//! What the formats write, read by programs and rules that are not ours.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use template::Template;

/// Text that formats like to get wrong; NUL is left to those that can have it.
const NASTY: [&str; 22] = [
    "plain",
    "",
    " ",
    " both ends ",
    "it's",
    "'''",
    "a\"b",
    "back\\slash \\n \\\\ \\",
    "$HOME ${HOME} $(id) `id` !! ~",
    "line\nbreak\n\n",
    "windows\r\nbreak\r",
    "tab\tformfeed\u{c}bell\u{7}",
    "#hash ; semicolon & amp | pipe > x",
    "key=value: {a: [1, 2]}",
    "%25 %s {{ x }} {% y %}",
    "密码 é 😀",
    "\u{7f}\u{85}\u{a0}\u{2028}\u{feff}\u{ffff}",
    "yes",
    "null",
    "0123",
    "1e3",
    "- x",
];

fn nasty() -> BTreeMap<String, String> {
    let named = |(index, text): (usize, &&str)| (format!("K{index}"), (*text).to_owned());
    NASTY.iter().enumerate().map(named).collect()
}

fn written(format: &str, values: &BTreeMap<String, String>) -> Vec<u8> {
    let json = serde_json::to_string(values).unwrap();
    let template = Template::parse(&format!("{{{{ secret(\"app\") | {format} }}}}")).unwrap();
    template.render(|_| Some(&json)).unwrap().to_vec()
}

/// What a program prints that gets these bytes as its input.
fn output(program: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut command = Command::new(program);
    command.args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}");
    output.stdout
}

#[test]
fn a_shell_reads_the_variables_of_a_file_for_it() {
    let values = nasty();
    // `env -0` would be no standard; printf writes each variable and a NUL.
    let names: Vec<_> = values.keys().map(|key| format!("\"${key}\"")).collect();
    let script = format!("set -a; . /dev/stdin; printf '%s\\0' {}", names.join(" "));
    let read = output("sh", &["-c", &script], &written("shell", &values));
    let read = String::from_utf8(read).unwrap();
    let read: Vec<_> = read.split_terminator('\0').collect();
    assert_eq!(read, values.values().collect::<Vec<_>>());
}

#[test]
fn a_shell_reads_what_is_quoted_for_it() {
    for text in NASTY {
        let template = Template::parse("printf '%s' {{ secret(\"s\") | quote_shell }}").unwrap();
        let script = template.render(|_| Some(text)).unwrap();
        assert_eq!(output("sh", &["-s"], &script), text.as_bytes(), "{text:?}");
    }
}

#[test]
fn python_reads_the_json() {
    let mut values = nasty();
    values.insert("NUL \"key\"".to_owned(), "a\0b".to_owned());
    let script = "import json, sys; print(json.dumps(sorted(json.load(sys.stdin).items())))";
    for format in ["json", "fromjson | tojson"] {
        let read = output("python3", &["-c", script], &written(format, &values));
        let read: Vec<(String, String)> = serde_json::from_slice(&read).unwrap();
        assert_eq!(read.into_iter().collect::<BTreeMap<_, _>>(), values, "{format}");
    }
}

#[test]
fn a_yaml_parser_reads_the_yaml() {
    let mut values = nasty();
    values.insert("NUL: \"key\" #".to_owned(), "a\0b".to_owned());
    let text = String::from_utf8(written("yaml", &values)).unwrap();
    let read: BTreeMap<String, String> = serde_saphyr::from_str(&text).unwrap();
    assert_eq!(read, values);

    let json = r#"{"i": -5, "f": 1.5, "e": 1e30, "t": true, "n": null}"#;
    let template = Template::parse("{{ secret(\"app\") | yaml }}").unwrap();
    let text = String::from_utf8(template.render(|_| Some(json)).unwrap().to_vec()).unwrap();
    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Kinds {
        i: i64,
        f: f64,
        e: f64,
        t: bool,
        n: Option<u8>,
    }
    let read: Kinds = serde_saphyr::from_str(&text).unwrap();
    assert_eq!(read, Kinds { i: -5, f: 1.5, e: 1e30, t: true, n: None });
}

#[test]
fn a_yaml_parser_reads_keys_of_any_length() {
    let lengths = [1, 1000, 1020, 1021, 1022, 1023, 1024, 1025, 5000];
    let of = |length: usize| ("k".repeat(length), format!("value of {length}"));
    let mut values: BTreeMap<String, String> = lengths.into_iter().map(of).collect();
    values.insert("\u{7f}".repeat(400), "each is four characters".to_owned());
    let text = String::from_utf8(written("yaml", &values)).unwrap();
    for line in text.lines().filter(|line| !line.starts_with(['?', ':'])) {
        let (key, _) = line.rsplit_once(": ").unwrap();
        assert!(key.chars().count() < 1024, "a parser looks no further for the colon");
    }
    let read: BTreeMap<String, String> = serde_saphyr::from_str(&text).unwrap();
    assert_eq!(read, values);
}

/// `java.util.Properties.load`, from the rules in its documentation.
fn load_properties(text: &str) -> BTreeMap<String, String> {
    let mut loaded = BTreeMap::new();
    for line in text.lines() {
        let line = line.trim_start_matches([' ', '\t', '\u{c}']);
        if line.is_empty() || line.starts_with(['#', '!']) {
            continue;
        }
        let mut units: Vec<u16> = Vec::new();
        let mut key = None;
        let mut characters = line.chars().peekable();
        while let Some(c) = characters.next() {
            let ends = matches!(c, '=' | ':' | ' ' | '\t' | '\u{c}');
            if ends && key.is_none() {
                let mut separated = matches!(c, '=' | ':');
                while let Some(next) = characters.peek() {
                    let blank = matches!(next, ' ' | '\t' | '\u{c}');
                    if !(blank || (!separated && matches!(next, '=' | ':'))) {
                        break;
                    }
                    separated |= !blank;
                    characters.next();
                }
                key = Some(String::from_utf16(&units).unwrap());
                units.clear();
                continue;
            }
            let c = if c == '\\' {
                match characters.next().unwrap() {
                    'u' => {
                        let digits: String = characters.by_ref().take(4).collect();
                        units.push(u16::from_str_radix(&digits, 16).unwrap());
                        continue;
                    }
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'f' => '\u{c}',
                    other => other,
                }
            } else {
                c
            };
            assert!(c.is_ascii(), "ISO 8859-1 readers see it otherwise");
            units.push(c as u16);
        }
        let value = String::from_utf16(&units).unwrap();
        loaded.insert(key.unwrap_or_default(), value);
    }
    loaded
}

#[test]
fn java_reads_the_properties() {
    let mut values = nasty();
    values.insert(" # a=b: !\n".to_owned(), "a\0b".to_owned());
    let text = String::from_utf8(written("properties", &values)).unwrap();
    assert_eq!(text.lines().count(), values.len());
    assert_eq!(load_properties(&text), values);
}
