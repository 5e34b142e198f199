//! What a template costs with values of any size, counted in instructions. No clock is read.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::process::Command;

/// Twice as much may cost a little more than twice as much.
const GROWTH: f64 = 2.5;

/// A template of two values, and these at a size.
struct Case {
    template: &'static str,
    values: fn(usize) -> [String; 2],
}

const CASES: [Case; 7] = [
    Case {
        template: "{{ 'y' if json(secret('a')).n in json(secret('b')) else 'n' }}",
        values: |n| [format!(r#"{{"n":1.{}1}}"#, "0".repeat(n)), list(n / 2, "1")],
    },
    Case {
        template: "{{ 'y' if json(secret('a')).n in json(secret('b')) else 'n' }}",
        values: |n| [format!(r#"{{"n":0.{}1}}"#, "0".repeat(n)), list(n / 2, "1")],
    },
    Case {
        template: "{{ 'y' if json(secret('a')).n in json(secret('b')) else 'n' }}",
        values: |n| [format!(r#"{{"n":{}}}"#, "7".repeat(n)), list(n / 2, "1")],
    },
    Case {
        template: "{{ 'y' if json(secret('b'))[0] in json(secret('a')) else 'n' }}",
        values: |n| [list(n / 2, "1"), format!("[{}]", "1".repeat(n))],
    },
    Case {
        template: "{{ 'y' if secret('a') in json(secret('b')) else 'n' }}",
        values: |n| ["x".repeat(n), list(n / 4, r#""x""#)],
    },
    Case {
        template: "{{ 'y' if secret('a') in secret('b') else 'n' }}",
        values: |n| ["x".repeat(n / 2) + "y", "x".repeat(n)],
    },
    Case {
        template: "{{ secret('a') | b64encode | trim }}{{ secret('b') | dotenv }}",
        values: |n| ["x".repeat(n), format!(r#"{{"A":"{}"}}"#, "y".repeat(n / 2))],
    },
];

fn list(items: usize, item: &str) -> String {
    format!("[{}]", vec![item; items].join(","))
}

/// The instructions of the whole process, which valgrind counts.
fn instructions(case: &Case, size: usize) -> f64 {
    // Each test has a thread, with its name.
    let thread = std::thread::current();
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(thread.name().unwrap());
    std::fs::create_dir_all(&directory).unwrap();
    let files = ["a", "b"].map(|name| directory.join(name));
    for (file, value) in files.iter().zip((case.values)(size)) {
        std::fs::write(file, value).unwrap();
    }
    let test = std::env::current_exe().unwrap();
    let program = test.parent().unwrap().parent().unwrap().join("examples/render");
    let mut command = Command::new("valgrind");
    command
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .arg(case.template)
        .args(files);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", case.template);
    let total = said.lines().find_map(|line| line.split_once("Collected : "));
    total.unwrap().1.trim().parse().unwrap()
}

fn has_valgrind() -> bool {
    Command::new("valgrind").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// To read a number half way between two of a machine as such a one costs a hundred times more.
#[test]
fn numbers_cost_about_the_same_whatever_their_digits_are() {
    if !has_valgrind() {
        return;
    }
    let case = |values| Case {
        template: "{% set l = json(secret('a')) %}{{ 'y' if 2 in l or l[0] < l[1] else 'n' }}",
        values,
    };
    let half_way = case(|n| [list(n, "1.1000000000000001321061e300"), "".to_owned()]);
    let plain = case(|n| [list(n, "1.1000000000000000000000e300"), "".to_owned()]);
    let [half_way, plain] = [half_way, plain].map(|case| instructions(&case, 2_000));
    assert!(half_way < plain * 1.1, "{half_way} {plain}");
}

#[test]
fn values_of_twice_the_size_cost_about_twice_as_much() {
    if !has_valgrind() {
        return;
    }
    for case in &CASES {
        let [small, half, whole] = [16, 8_000, 16_000].map(|size| instructions(case, size));
        let growth = (whole - small) / (half - small);
        assert!(growth < GROWTH, "{}: {small} {half} {whole}", case.template);
    }
}
