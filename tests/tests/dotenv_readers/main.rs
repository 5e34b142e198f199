//! Files of the formats `dotenv`, `docker_env` and `shell`, read back by the programs that people read them with:
//! each takes every value as it was, and finds no variable beside ours.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::fs;
use std::path::Path;

use template::Template;

use self::readers::{Found, Reader, Variables};

mod readers;

/// Values that everybody has.
const ORDINARY: [&str; 24] = [
    "",
    "plain",
    "two words",
    " both ends ",
    "it's",
    "rock'n'roll at 5 o'clock",
    "say \"hello\"",
    "{\"a\": [1, {\"b\": \"c # d\"}]}",
    "postgres://app:p%40ss@db.shop:5432/shop?sslmode=require&x=1",
    "dGhlIHF1aWNrIGJyb3duIGZveA==",
    "a+b/c=d==",
    "#hash",
    "before #after",
    "$HOME and $(id) and $5",
    "`id`",
    "C:\\Program Files\\app",
    "a;b&c|d>e<f(g)h*i?j[k]l~m!n",
    "-----BEGIN PRIVATE KEY-----\nMIIB+/==\n-----END PRIVATE KEY-----\n",
    "one\n\ntwo # three\n",
    "tab\there",
    "密码 é 😀",
    "\u{7f}\u{85}\u{a0}\u{2028}\u{feff}",
    "=",
    "export A=b",
];

/// What the readers take in different ways, however it is written.
const REFUSED: [&str; 10] = [
    "a\rb",
    "a\r\n",
    "'\"",
    "it's $5",
    "a'\\b",
    "`it's`",
    "'\nB=\"",
    "${HOME}",
    "\\\\server\\share",
    "ends in \\",
];

/// Values of what readers give a meaning of its own, the same at each run.
fn made() -> Vec<String> {
    const PIECES: [&str; 26] = [
        "'", "\"", "\\", "$", "`", "{", "}", "(", ")", "#", "=", "\n", "\r", " ", "\t", "a", "B",
        "1", "\\n", "export ", "B=1", ": ", "\u{85}", "\u{feff}", "é", "\n#",
    ];
    let mut random = fastrand::Rng::with_seed(7);
    let mut value = || {
        // Few kinds in one value, so that not each one has something that is refused.
        let few: Vec<_> = (0..4).filter_map(|_| random.choice(PIECES)).collect();
        (0..random.usize(1..12)).filter_map(|_| random.choice(&few)).copied().collect()
    };
    (0..600).map(|_| value()).collect()
}

/// One value between two others.
fn variables(value: &str) -> Variables {
    let values = [("A", "1"), ("VALUE", value), ("Z", "2")];
    values.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

/// The file of one value between two others, or nothing where it is refused.
fn file(format: &str, value: &str) -> Option<(Variables, Vec<u8>)> {
    let values = variables(value);
    let json = serde_json::to_string(&values).unwrap();
    let template = Template::parse(&format!("{{{{ secret(\"s\") | {format} }}}}")).unwrap();
    let file = template.render(|_| Some(&json)).ok()?;
    Some((values, file.to_vec()))
}

fn write(folder: &Path, files: &[&(Variables, Vec<u8>)]) {
    for (index, (_, text)) in files.iter().enumerate() {
        fs::write(folder.join(format!("{index:05}")), text).unwrap();
    }
}

fn are_as_written(reader: &str, files: &[&(Variables, Vec<u8>)], found: &Found) {
    assert_eq!(found.len(), files.len(), "{reader}");
    for ((values, text), found) in files.iter().zip(found.values()) {
        let text = String::from_utf8_lossy(text);
        assert_eq!(found.as_ref(), Some(values), "{reader} reads\n{text}");
    }
}

/// Where nothing may be left out.
fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}

/// Those that can be run here: all of them in CI.
#[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
async fn installed() -> Vec<Reader> {
    readers::installed().await.unwrap_or_else(|why| {
        assert!(!is_ci(), "the readers of .env files must be run: {why}");
        eprintln!("skipped: the readers of .env files cannot be run: {why}");
        Vec::new()
    })
}

#[tokio::test]
async fn every_reader_of_env_files_takes_each_value_as_it_was() {
    let written = |value: &str| file("dotenv", value);
    let ordinary = ORDINARY.iter().filter_map(|value| written(value));
    let mut files: Vec<_> = ordinary.collect();
    assert_eq!(files.len(), ORDINARY.len(), "all of them can be written");
    files.extend(made().iter().filter_map(|value| written(value)));
    assert!(files.len() > 300, "{}", files.len());

    let is_bare = |text: &[u8]| !text.iter().any(|byte| b"'\"".contains(byte));
    for reader in installed().await {
        let can_be_read = |it: &&(Variables, Vec<u8>)| reader.has_quotes || is_bare(&it.1);
        let files: Vec<_> = files.iter().filter(can_be_read).collect();
        assert!(files.len() > 20, "{}: {}", reader.name, files.len());
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &files);
        are_as_written(reader.name, &files, &reader.read(folder.path()).await);
    }
}

/// Values that docker takes differently, beside those that are made.
const REFUSED_FOR_DOCKER: [&str; 6] = ["a\nB=1", "\n", "a\n#b", "a\n", "a\r", "\r\n"];

#[tokio::test]
async fn docker_takes_each_value_as_it_was_and_what_it_would_not_is_refused() {
    let ordinary = ORDINARY.iter().chain(&REFUSED).filter(|value| !value.contains(['\n', '\r']));
    let ordinary: Vec<_> = ordinary.filter_map(|value| file("docker_env", value)).collect();
    assert_eq!(ordinary.len(), 29, "all of them can be written");
    let mut values = made();
    values.extend(ORDINARY.iter().chain(&REFUSED).map(|value| (*value).to_owned()));
    values.extend(REFUSED_FOR_DOCKER.iter().map(|value| (*value).to_owned()));
    let written: Vec<_> = values.iter().filter_map(|value| file("docker_env", value)).collect();
    assert!(written.len() > 300, "{}", written.len());
    // Each of the values as it is behind its name, whether or not it may be written.
    let raw = |value: &String| {
        let text = format!("A=1\nVALUE={value}\nZ=2\n");
        (variables(value), text.into_bytes())
    };
    let raw: Vec<_> = values.iter().map(raw).collect();

    for reader in installed().await.iter().filter(|reader| !reader.has_quotes) {
        let folder = tempfile::tempdir().unwrap();
        let written: Vec<_> = written.iter().collect();
        write(folder.path(), &written);
        are_as_written(reader.name, &written, &reader.read(folder.path()).await);

        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &raw.iter().collect::<Vec<_>>());
        let found = reader.read(folder.path()).await;
        assert_eq!(found.len(), raw.len());
        let mut differ = 0;
        for ((variables, _), found) in raw.iter().zip(found.values()) {
            let value = &variables["VALUE"];
            let is_refused = file("docker_env", value).is_none();
            if found.as_ref() == Some(variables) {
                // It would keep a carriage return that is not the last character.
                assert!(!is_refused || value.contains('\r'), "{value:?} is refused for nothing");
            } else {
                differ += 1;
                assert!(is_refused, "{value:?} is read as {found:?}");
            }
        }
        assert!(differ > 50, "{differ}");
    }
}

#[tokio::test]
async fn the_longest_line_that_docker_reads_is_written_and_no_longer_one() {
    let template = Template::parse("{{ {\"V\": secret(\"s\")} | docker_env }}").unwrap();
    let value = |line: usize| "x".repeat(line - "V=".len());
    let (longest, longer) = (value(64 * 1024 - 1), value(64 * 1024));
    let written = template.render(|_| Some(&longest)).unwrap().to_vec();
    let failure = template.render(|_| Some(&longer)).unwrap_err();
    assert!(failure.fault.to_string().contains("65535 bytes"), "{failure}");

    let longest = Variables::from([("V".to_owned(), longest)]);
    let refused = (Variables::new(), format!("V={longer}\n").into_bytes());
    for reader in installed().await.iter().filter(|reader| !reader.has_quotes) {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &[&(longest.clone(), written.clone()), &refused]);
        let found = reader.read(folder.path()).await;
        let is_longest = |found: &Option<Variables>| found.as_ref() == Some(&longest);
        let read: Vec<_> = found.values().map(is_longest).collect();
        assert_eq!(read, [true, false], "{}", reader.name);
        assert_eq!(found.values().last(), Some(&None), "docker refuses the whole file");
    }
}

#[tokio::test]
async fn shells_take_each_value_of_both_formats_as_it_was() {
    let made = made();
    let values = || ORDINARY.iter().chain(&REFUSED).copied().chain(made.iter().map(String::as_str));
    let mut files: Vec<_> = values().filter_map(|value| file("shell", value)).collect();
    assert_eq!(files.len(), values().count(), "all of them can be written");
    files.extend(values().filter_map(|value| file("dotenv", value)));
    let files: Vec<_> = files.iter().collect();
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &files);
    for (shell, found) in readers::sourced(folder.path()).await {
        match found {
            Ok(found) => are_as_written(shell, &files, &found),
            Err(why) => {
                assert!(!is_ci(), "{shell} must be run: {why}");
                eprintln!("skipped: {shell} cannot be run: {why}");
            }
        }
    }
}

#[test]
fn what_readers_take_in_different_ways_is_refused() {
    for value in REFUSED {
        assert!(file("dotenv", value).is_none(), "{value:?}");
    }
}

#[test]
fn every_sign_of_a_keyboard_can_be_written() {
    for sign in (' '..='~').chain(['\n', '\t']).filter(|sign| *sign != '\\') {
        let value = format!("{sign} {sign}a{sign}b{sign}");
        assert!(file("dotenv", &value).is_some(), "{value:?}");
    }
}
