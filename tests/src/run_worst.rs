//! `secrets-lab worst` and `secrets-lab decide`.

use std::io::Write as _;
use std::time::Duration;

use lab::worst::{Worst, measure, search};

use crate::args::{DecideArgs, WorstArgs};

pub(crate) fn run(args: &WorstArgs) -> anyhow::Result<()> {
    let time = Duration::from_secs(args.minutes * 60);
    let Worst { time, memory, ordinary, tried } = search(time, args.seed)?;
    let mut out = std::io::stdout();
    writeln!(out, "\n{tried} admissions tried")?;
    writeln!(out, "most time:   {} us, {}", time.1.cpu_micros, time.0.named())?;
    let words = ordinary.0.named();
    writeln!(out, "with ordinary settings: {} us, {words}", ordinary.1.cpu_micros)?;
    writeln!(out, "most memory: {} KB, {}", memory.1.peak_bytes / 1024, memory.0.named())?;
    Ok(())
}

pub(crate) fn decide(args: &DecideArgs) -> anyhow::Result<()> {
    measure::run(&args.cases, args.times)
}
