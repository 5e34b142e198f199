//! What one admission costs, without a network: bytes to bytes.

use std::hint::black_box;
use std::time::{Duration, Instant};

use webhook::settings::Inputs;
use webhook::wire::admit::admit;

use super::reviews;
use super::table::{Budget, Table};
use crate::samples::Samples;

pub(super) fn measure(table: &mut Table) {
    let flags = ["region=cn-hangzhou", "clusterId=c0123456789"].map(str::to_owned);
    let inputs = Inputs::new(None, &flags, []).ok();
    let settings = inputs.and_then(|inputs| inputs.load().ok()).unwrap_or_default();
    for (name, review, budget) in [
        ("admit, 8 KB review, median", reviews::typical(), Some(Budget::AtMost(60.0))),
        ("admit, 120 KB review, median", reviews::large(), Some(Budget::AtMost(500.0))),
        ("admit, 8 KB review not to be injected, median", reviews::not_injected(), None),
    ] {
        let samples = timed(|| {
            black_box(admit(black_box(&review), &settings));
        });
        table.add(name, micros(samples.median()), "us", budget);
    }
}

pub(super) fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

/// Single calls, timed for about two seconds after a warm-up.
fn timed(mut call: impl FnMut()) -> Samples {
    for _ in 0..2000 {
        call();
    }
    let end = Instant::now() + Duration::from_secs(2);
    let mut samples = Vec::new();
    while Instant::now() < end && samples.len() < 100_000 {
        let start = Instant::now();
        call();
        samples.push(start.elapsed());
    }
    Samples::new(samples)
}
