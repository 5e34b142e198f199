//! A fleet in virtual time: many Pods that start in one second, are kept current, sit through an
//! outage. The rules are those of the fetcher; clock, dice and services are ours. Prints what came of
//! it beside what is promised, and ends with 1 where a promise is not kept.
//!
//! Nobody knows how several secrets in one call count: the life of the fleet is simulated as if there were
//! no such calls, and its start in each way.
//!
//! `make simulate`; PODS, SECRETS, INTERVAL, KMS and STS (requests a second) can be given.

#![allow(clippy::print_stdout, reason = "a program that prints")]

mod fleet;
mod plan;
mod pod;
mod service;

use std::fmt::Display;
use std::process::ExitCode;
use std::time::Duration;

use fleet::Fleet;
use plan::{Batches, Limit, Plan};

/// What is promised beside what came of it.
struct Report {
    kept: bool,
}

impl Report {
    fn line(&mut self, what: &str, value: impl Display, promise: &str, is_kept: bool) {
        self.kept &= is_kept;
        let mark = if is_kept { "" } else { "  NOT KEPT" };
        let value = value.to_string();
        println!("{what:<64} {value:>12}  {promise}{mark}");
    }

    fn fact(&mut self, what: &str, value: impl Display) {
        self.line(what, value, "", true);
    }
}

fn main() -> ExitCode {
    let number = |name: &str, usual: u64| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
    };
    let plan = Plan {
        pods: number("PODS", 10_000),
        secrets: number("SECRETS", 3),
        interval: Duration::from_secs(number("INTERVAL", 300)),
        batches: Batches::Never,
        kms: number("KMS", 450),
        sts: Limit { requests: number("STS", 100), per: Duration::from_secs(1) },
        timeout: Duration::from_secs(300),
        restarts: false,
        outage: None,
    };
    let mut report = Report { kept: true };
    kept_current(&plan, &mut report);
    for batches in [Batches::AsOne, Batches::AsMany, Batches::Never] {
        thirty_secrets(&Plan { secrets: 30, batches, ..plan }, &mut report);
    }
    let sts = Limit { requests: 500, per: Duration::from_secs(60) };
    let timeout = Duration::from_secs(1500);
    few_exchanges(
        &Plan { secrets: 30, batches: Batches::AsOne, sts, timeout, ..plan },
        &mut report,
    );
    if report.kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The whole life of a fleet.
fn kept_current(plan: &Plan, report: &mut Report) {
    println!("{} Pods with {} secrets start in one second", plan.pods, plan.secrets);
    let interval = plan.interval.as_secs();
    let mut fleet = Fleet::new(*plan);
    fleet.run_until(Duration::from_secs(360));
    let least = plan.least().as_secs_f64();
    let last = fleet.last_ready().map_or(f64::INFINITY, |last| last.as_secs_f64());
    let offered = ratio(fleet.for_starts(), plan.answers());
    report.fact("theoretical minimum until the last is ready", format!("{least:.1} s"));
    report.line(
        "the last Pod is ready after",
        format!("{last:.1} s"),
        "<= 1.3 x the minimum",
        last <= 1.3 * least,
    );
    report.line(REQUESTS, format!("{offered:.2}"), "<= 3", offered <= 3.0);
    report.fact("throttled", fleet.throttled());
    report.line("Pods that gave up", fleet.given_up(), "0", fleet.given_up() == 0);

    println!("the same, kept current every {interval} s");
    let settled = Duration::from_secs(360 + 2 * interval);
    let end = settled + Duration::from_secs(6 * interval);
    fleet.run_until(end);
    let (peak, mean) = fleet.load(settled, end);
    report.fact("requests a second after two intervals, mean", format!("{mean:.1}"));
    let (most, promise) = (format!("{peak:.1}"), "<= 1.2 x the mean");
    report.line("… the most in 10 s", most, promise, peak <= 1.2 * mean);
    let soon = plan.interval + Duration::from_secs(5);
    let (oldest, promise) = (fleet.oldest(), "<= the interval and a fetch");
    report.line("oldest value at any time", seconds(oldest), promise, oldest <= soon);
    fleet.mark(end);
    fleet.run_until(end + Duration::from_secs(2 * interval));
    let seen = fleet.all_seen_after();
    let what = "all secrets rotate at once: the last Pod sees it after";
    report.line(what, seconds(seen), promise, seen <= soon);

    println!("a regional outage of 10 minutes");
    let (from, to) = (settled, settled + Duration::from_secs(600));
    let mut fleet = Fleet::new(Plan { outage: Some((from, to)), ..*plan });
    fleet.mark(to);
    let end = to + Duration::from_secs(4 * interval);
    fleet.run_until(end);
    let (during, _) = fleet.load(from, to);
    let (peak, _) = fleet.load(to, end);
    report.fact("requests a second meanwhile, the most in 10 s", format!("{during:.1}"));
    report.line(
        "… afterwards",
        format!("{peak:.1}"),
        "<= 2 x the mean before: no herd",
        peak <= 2.0 * mean,
    );
    let throttled = fleet.throttled_since(to);
    report.line("throttled afterwards", throttled, "0", throttled == 0);
    let seen = fleet.all_seen_after();
    report.line("the last Pod is current again after", seconds(seen), promise, seen <= soon);
    report.fact("oldest value at any time", seconds(fleet.oldest()));
}

/// More than the limits allow in the time, where each secret counts.
fn thirty_secrets(plan: &Plan, report: &mut Report) {
    let words = match plan.batches {
        Batches::AsOne => "in batches that count as one call",
        Batches::AsMany => "in batches that count as a call for each secret",
        Batches::Never => "one by one",
    };
    println!("{} Pods with {} secrets, {words}, start in one second", plan.pods, plan.secrets);
    let mut fleet = Fleet::new(*plan);
    fleet.run_until(Duration::from_secs(330));
    let (ready, gone) = (fleet.ready_by(Duration::from_secs(330)), fleet.given_up());
    if plan.batches == Batches::AsOne {
        let least = plan.least().as_secs_f64();
        let last = fleet.last_ready().map_or(f64::INFINITY, |last| last.as_secs_f64());
        report.fact("theoretical minimum until the last is ready", format!("{least:.1} s"));
        let is_kept = ready == plan.pods && last <= 1.3 * least;
        let last = format!("{last:.1} s");
        report.line("the last Pod is ready after", last, "<= 1.3 x the minimum", is_kept);
    } else {
        let soon = fleet.ready_by(Duration::from_secs(300));
        // What the limit allows is a secret for each request.
        let best = plan.kms * 300 / plan.secrets.max(1);
        let wanted = best.min(plan.pods) * 7 / 9;
        let promise = format!(">= {wanted} of {} that could be", best.min(plan.pods));
        report.line("ready within 5 minutes", soon, &promise, soon >= wanted);
        let offered = ratio(fleet.for_starts(), fleet.got());
        report.line(REQUESTS, format!("{offered:.2}"), "<= 3", offered <= 3.0);
    }
    let others = ready + gone == plan.pods;
    report.line("gave up, with exit code 14", gone, "all others", others);
    if plan.batches != Batches::AsOne {
        let mut fleet = Fleet::new(Plan { restarts: true, ..*plan });
        fleet.run_until(Duration::from_secs(1800));
        let ready = fleet.ready_by(Duration::from_secs(1800));
        let last = fleet.last_ready().map_or(f64::INFINITY, |last| last.as_secs_f64());
        report.fact("theoretical minimum until the last is ready", seconds(plan.least()));
        let what = "where they start again with what they got: the last is ready after";
        report.line(what, format!("{last:.1} s"), "all", ready == plan.pods);
    }
}

/// STS as the page of the KMS Agent has it.
fn few_exchanges(plan: &Plan, report: &mut Report) {
    let timeout = plan.timeout.as_secs();
    println!(
        "{} Pods with {} secrets, STS at {} in a minute, timeout {timeout} s",
        plan.pods, plan.secrets, plan.sts.requests
    );
    let mut fleet = Fleet::new(*plan);
    fleet.run_until(plan.timeout + Duration::from_secs(10));
    let least = plan.least().as_secs_f64();
    let last = fleet.last_ready().map_or(f64::INFINITY, |last| last.as_secs_f64());
    report.fact("theoretical minimum until the last is ready", format!("{least:.1} s"));
    let promise = "<= 1.1 x the minimum";
    let is_kept = fleet.given_up() == 0 && last <= 1.1 * least;
    report.line("the last Pod is ready after", format!("{last:.1} s"), promise, is_kept);
    let offered = ratio(fleet.for_starts(), plan.answers());
    report.line(REQUESTS, format!("{offered:.2}"), "<= 1.1", offered <= 1.1);
}

const REQUESTS: &str = "requests for each answer that is needed";

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

fn ratio(of: u64, to: u64) -> f64 {
    let float = |number: u64| u32::try_from(number).map_or(f64::INFINITY, f64::from);
    float(of) / float(to)
}
