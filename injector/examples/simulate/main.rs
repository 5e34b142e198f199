//! A fleet in virtual time: many Pods that start in one second, are kept current, sit through an
//! outage. The rules are those of the fetcher; clock, dice and services are ours. Prints what came of
//! it beside what is promised, and ends with 1 where a promise is not kept.
//!
//! `make simulate`; PODS, SECRETS, INTERVAL, KMS and STS (requests a second) can be given.

#![allow(clippy::print_stdout, reason = "a program that prints")]

mod fleet;
mod service;

use std::process::ExitCode;
use std::time::Duration;

use fleet::{Fleet, Plan};

fn main() -> ExitCode {
    let number = |name: &str, usual: u64| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
    };
    let plan = Plan {
        pods: number("PODS", 10_000),
        secrets: number("SECRETS", 3),
        interval: Duration::from_secs(number("INTERVAL", 300)),
        kms: number("KMS", 450),
        sts: number("STS", 100),
        outage: None,
    };
    let mut kept = true;
    let mut line = |what: &str, value: String, promise: &str, is_kept: bool| {
        kept &= is_kept;
        let mark = if is_kept { "" } else { "  NOT KEPT" };
        println!("{what:<64} {value:>12}  {promise}{mark}");
    };

    println!("{} Pods with {} secrets start in one second", plan.pods, plan.secrets);
    let interval = plan.interval.as_secs();
    let mut fleet = Fleet::new(plan);
    fleet.run_until(Duration::from_secs(360));
    let least = plan.least().as_secs_f64();
    let last = fleet.last_ready().map_or(f64::INFINITY, |last| last.as_secs_f64());
    let answers = plan.pods * (1 + plan.secrets);
    let offered = ratio(fleet.for_starts(), answers);
    line("theoretical minimum until the last is ready", format!("{least:.1} s"), "", true);
    line(
        "the last Pod is ready after",
        format!("{last:.1} s"),
        "<= 1.3 x the minimum",
        last <= 1.3 * least,
    );
    line(
        "requests for each answer that is needed",
        format!("{offered:.2}"),
        "<= 3",
        offered <= 3.0,
    );
    line("throttled", fleet.throttled().to_string(), "", true);
    line("Pods that gave up", fleet.given_up().to_string(), "0", fleet.given_up() == 0);

    println!("the same, kept current every {interval} s");
    let settled = Duration::from_secs(360 + 2 * interval);
    let end = settled + Duration::from_secs(6 * interval);
    fleet.run_until(end);
    let (peak, mean) = fleet.load(settled, end);
    line("requests a second after two intervals, mean", format!("{mean:.1}"), "", true);
    line("… the most in 10 s", format!("{peak:.1}"), "<= 1.2 x the mean", peak <= 1.2 * mean);
    let oldest = fleet.oldest();
    line(
        "oldest value at any time",
        seconds(oldest),
        "<= the interval and a fetch",
        oldest <= plan.interval + Duration::from_secs(5),
    );
    fleet.mark(end);
    fleet.run_until(end + Duration::from_secs(2 * interval));
    let seen = fleet.all_seen_after();
    line(
        "all secrets rotate at once: the last Pod sees it after",
        seconds(seen),
        "<= the interval and a fetch",
        seen <= plan.interval + Duration::from_secs(5),
    );

    println!("a regional outage of 10 minutes");
    let (from, to) = (settled, settled + Duration::from_secs(600));
    let mut fleet = Fleet::new(Plan { outage: Some((from, to)), ..plan });
    fleet.mark(to);
    let end = to + Duration::from_secs(4 * interval);
    fleet.run_until(end);
    let (during, _) = fleet.load(from, to);
    let (peak, _) = fleet.load(to, end);
    line("requests a second meanwhile, the most in 10 s", format!("{during:.1}"), "", true);
    line(
        "… afterwards",
        format!("{peak:.1}"),
        "<= 2 x the mean before: no herd",
        peak <= 2.0 * mean,
    );
    line(
        "throttled afterwards",
        fleet.throttled_since(to).to_string(),
        "0",
        fleet.throttled_since(to) == 0,
    );
    let seen = fleet.all_seen_after();
    line(
        "the last Pod is current again after",
        seconds(seen),
        "<= the interval and a fetch",
        seen <= plan.interval + Duration::from_secs(5),
    );
    line("oldest value at any time", seconds(fleet.oldest()), "", true);

    println!("{} Pods with 30 secrets start in one second", plan.pods);
    let mut fleet = Fleet::new(Plan { secrets: 30, ..plan });
    fleet.run_until(Duration::from_secs(330));
    let (ready, gone) = (fleet.ready(), fleet.given_up());
    line("ready within 5 minutes", ready.to_string(), "", ready > 0);
    line("gave up, with exit code 14", gone.to_string(), "all others", ready + gone == plan.pods);

    if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

fn ratio(of: u64, to: u64) -> f64 {
    let float = |number: u64| u32::try_from(number).map_or(f64::INFINITY, f64::from);
    float(of) / float(to)
}
