//! No Pod costs much: every list, text and setting is filled, and what the decision costs is counted
//! in instructions and bytes. No clock is read.

use std::path::{Path, PathBuf};
use std::process::Command;

use lab::binary::beside;
use lab::worst::measure::{Cost, arguments};
use lab::worst::{Axis, Mixture, axes, bodies};

/// Instructions of an unoptimised build. A release build has a tenth.
const MOST: f64 = 300e6;
/// Twice as much may cost a little more than twice as much: tables grow by doubling.
const GROWTH: f64 = 2.5;
/// Below this a decision is what it always costs.
const ORDINARY: f64 = 3e6;

/// Instructions for 64 KiB of a body, in the same build.
const MOST_OF_A_BODY: f64 = 100e6;

struct Sized {
    name: String,
    body: PathBuf,
    /// What it is made of, for its settings.
    mixture: String,
}

fn bodies_of(directory: &Path, sixteenths: &[usize]) -> Vec<Sized> {
    let mut all = Vec::new();
    for (axis, of) in axes().iter().enumerate() {
        for size in sixteenths {
            let body = directory.join(format!("{axis}-{size}"));
            std::fs::write(&body, of.review(of.most * size / 16)).unwrap();
            let (name, mixture) = (of.name.to_owned(), format!("{axis}:{size}"));
            all.push(Sized { name, body, mixture });
        }
    }
    all
}

/// Instructions of each decision, counted by valgrind in one process.
fn counted(directory: &Path, cases: &[Sized]) -> Vec<f64> {
    let mut command = Command::new("valgrind");
    command
        .current_dir(directory)
        .args(["--tool=callgrind", "--callgrind-out-file=out", "--compress-strings=yes"])
        .args(["--toggle-collect=lab::worst::measure::decide*"])
        // Where two options have one pattern, valgrind takes the last.
        .args(["--dump-after=*::measure::decide*"])
        .arg(beside("secrets-lab").unwrap());
    command.arg("decide");
    for Sized { body, mixture, .. } in cases {
        command.arg("--case").arg(format!("{mixture}={}", body.display()));
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let total = |number: usize| -> f64 {
        let dump = std::fs::read_to_string(directory.join(format!("out.{number}"))).unwrap();
        let line = dump.lines().find_map(|line| line.strip_prefix("totals:")).unwrap();
        line.trim().parse().unwrap()
    };
    (1..=cases.len()).map(total).collect()
}

fn has_valgrind() -> bool {
    Command::new("valgrind").arg("--version").output().is_ok_and(|output| output.status.success())
}

#[test]
fn twice_as_much_of_anything_costs_about_twice_as_much() {
    if !has_valgrind() {
        assert!(std::env::var_os("CI").is_none(), "valgrind is missing");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let cases = bodies_of(directory.path(), &[4, 8, 16]);
    let (one, other) = cases.split_at(cases.len() / 6 * 3);
    let costs = std::thread::scope(|scope| {
        let half = |name: &str, cases| {
            let directory = directory.path().join(name);
            std::fs::create_dir(&directory).unwrap();
            scope.spawn(move || counted(&directory, cases))
        };
        let halves = [half("one", one), half("other", other)];
        halves.map(|half| half.join().unwrap()).concat()
    });
    let mut dear = Vec::new();
    for (cases, costs) in cases.chunks(3).zip(costs.chunks(3)) {
        let [quarter, half, whole] = costs else { panic!("{costs:?}") };
        let grows = |less: f64, more: f64| more > ORDINARY && more > less * GROWTH;
        if grows(*quarter, *half) || grows(*half, *whole) || *whole > MOST {
            dear.push(format!("{}: {costs:.0?}", cases[0].name));
        }
    }
    assert!(dear.is_empty(), "{}", dear.join("\n"));
}

/// Whoever reaches the port sends what is no Pod within any limit.
#[test]
fn no_body_takes_more_than_its_length_asks_for_whatever_stands_in_it() {
    if !has_valgrind() {
        assert!(std::env::var_os("CI").is_none(), "valgrind is missing");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let sized = |(number, of): (usize, lab::worst::Body)| {
        let body = directory.path().join(number.to_string());
        std::fs::write(&body, (of.bytes)(64 * 1024)).unwrap();
        Sized { name: of.name.to_owned(), body, mixture: String::new() }
    };
    let cases: Vec<Sized> = bodies().into_iter().enumerate().map(sized).collect();
    let costs = counted(directory.path(), &cases);
    let costs = cases.iter().zip(costs).filter(|(_, cost)| *cost > MOST_OF_A_BODY);
    let dear: Vec<String> = costs.map(|(of, cost)| format!("{}: {cost:.0}", of.name)).collect();
    assert!(dear.is_empty(), "{}", dear.join("\n"));
}

fn measured(mixture: &Mixture, body: &[u8]) -> Cost {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), body).unwrap();
    let output = Command::new(beside("secrets-lab").unwrap())
        .args(arguments(mixture, file.path()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn no_pod_within_the_limits_takes_more_than_eight_megabytes() {
    let mut large = Vec::new();
    for (axis, Axis { name, most, .. }) in axes().iter().enumerate() {
        let mixture = Mixture::whole(axis);
        let cost = measured(&mixture, &mixture.review());
        if cost.peak_bytes > 8_000_000 {
            large.push(format!("{name} ({most}): {} bytes", cost.peak_bytes));
        }
    }
    assert!(large.is_empty(), "{}", large.join("\n"));
}

#[test]
fn no_body_of_three_mebibytes_takes_more_than_16_megabytes() {
    let mut large = Vec::new();
    for body in bodies() {
        let cost = measured(&Mixture::default(), &(body.bytes)(3 * 1024 * 1024 - 4096));
        if cost.peak_bytes > 16_000_000 {
            large.push(format!("{}: {} bytes", body.name, cost.peak_bytes));
        }
    }
    assert!(large.is_empty(), "{}", large.join("\n"));
}
