//! JMESPath as users' other tools have it: the official cases, and expressions that are made up,
//! beside the official library in Python.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code outside of test functions"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use injector::{Document, SelectError};
use lab::python::{interpreter, run};
use plan::Selector;
use secret::Sensitive;
use serde_json::{Value, json};
use tokio::process::Command;

mod made;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/sdk/expressions.py");
const PATIENCE: Duration = Duration::from_secs(300);

/// Why ours differs from an official case, which is then no failure.
const OTHERWISE: [(&str, &str); 0] = [];

/// What came of an expression: a value, nothing, or a refusal.
#[derive(Debug, PartialEq)]
enum Outcome {
    Value(Value),
    Error,
}

#[derive(Debug, serde::Serialize)]
struct Case {
    given: Value,
    expression: String,
}

impl Case {
    /// What the fetcher makes of it. A text and its JSON look alike in a file, so that the list around
    /// it tells them apart.
    fn ours(&self) -> Outcome {
        let Ok(selector) = Selector::parse(&self.expression) else { return Outcome::Error };
        let value = Sensitive::new(self.given.to_string().into_bytes());
        let document = Document::parse(&value).unwrap();
        let read = |part: Sensitive| serde_json::from_slice(part.expose());
        match document.extract(&selector) {
            Ok(part) => {
                let text = String::from_utf8(part.expose().to_vec()).unwrap();
                let listed = Selector::parse(&format!("[{}]", self.expression));
                match listed.map(|listed| document.extract(&listed)) {
                    Ok(Ok(listed)) => match read(listed).unwrap() {
                        Value::Array(mut items) => Outcome::Value(items.remove(0)),
                        other => Outcome::Value(other),
                    },
                    // In a list it is too long.
                    _ => Outcome::Value(serde_json::from_str(&text).unwrap_or(Value::String(text))),
                }
            }
            Err(SelectError::Nothing | SelectError::Dotted(_)) => Outcome::Value(Value::Null),
            Err(_) => Outcome::Error,
        }
    }
}

/// Numbers are the same whether they are written with a fraction or not.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, a)| b.get(k).is_some_and(|b| same(a, b)))
        }
        _ => left == right,
    }
}

fn agree(ours: &Outcome, theirs: &Outcome) -> bool {
    match (ours, theirs) {
        (Outcome::Value(ours), Outcome::Value(theirs)) => same(ours, theirs),
        _ => ours == theirs,
    }
}

/// The official cases, which the package of the library that we use has beside its code.
fn official() -> Vec<PathBuf> {
    let mut cargo = std::process::Command::new(env!("CARGO"));
    cargo.args(["metadata", "--format-version=1", "--locked", "--offline"]);
    let output = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|package| package["name"] == "jmespath").unwrap();
    let manifest = Path::new(package["manifest_path"].as_str().unwrap());
    let folder = fs::read_dir(manifest.with_file_name("tests").join("compliance")).unwrap();
    folder.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn the_official_cases_come_out_as_they_should() {
    let (mut count, mut wrong) = (0, Vec::new());
    for file in official() {
        let suites: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        for suite in suites.as_array().unwrap() {
            for case in suite["cases"].as_array().unwrap() {
                if case.get("bench").is_some() {
                    continue;
                }
                let expression = case["expression"].as_str().unwrap().to_owned();
                let theirs = match case.get("error") {
                    Some(_) => Outcome::Error,
                    None => Outcome::Value(case["result"].clone()),
                };
                let case = Case { given: suite["given"].clone(), expression };
                let ours = case.ours();
                count += 1;
                let is_known = OTHERWISE.iter().any(|(known, _)| *known == case.expression);
                if agree(&ours, &theirs) == is_known {
                    wrong.push(format!("{}: {ours:?}, not {theirs:?}", case.expression));
                }
            }
        }
    }
    assert!(count > 700, "{count} cases");
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn what_the_python_library_makes_of_an_expression_we_make_too() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let python = match interpreter(target).await {
        Ok(python) => python,
        Err(why) => {
            let ci = std::env::var("CI").is_ok_and(|value| value == "true");
            assert!(!ci, "the official library must be run: {why}");
            eprintln!("skipped: the official library cannot be run: {why}");
            return;
        }
    };
    let cases = made::cases();
    let files = tempfile::tempdir().unwrap();
    let path = files.path().join("cases.json");
    fs::write(&path, json!(cases).to_string()).unwrap();
    let mut command = Command::new(python);
    command.env_clear().env("PYTHONDONTWRITEBYTECODE", "1").arg(SCRIPT).arg(&path);
    let output = run(&mut command, PATIENCE).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let theirs: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(theirs.len(), cases.len());
    let (mut values, mut failed, mut wrong) = (0, 0, Vec::new());
    for (case, theirs) in cases.iter().zip(theirs) {
        if theirs.get("failed").is_some() {
            failed += 1;
            continue;
        }
        let theirs = match theirs.get("result") {
            Some(result) => Outcome::Value(result.clone()),
            None => Outcome::Error,
        };
        values += usize::from(!matches!(theirs, Outcome::Error | Outcome::Value(Value::Null)));
        let ours = case.ours();
        if !agree(&ours, &theirs) {
            wrong.push(format!("{} of {}: {ours:?}, not {theirs:?}", case.expression, case.given));
        }
    }
    assert!(failed * 50 < cases.len(), "{failed} of {}", cases.len());
    // What is nothing on both sides proves little.
    assert!(values * 3 > cases.len(), "{values} of {}", cases.len());
    let shown: Vec<_> = wrong.iter().take(20).map(String::as_str).collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), shown.join("\n"));
}
