//! A search for the dearest admission: from each thing alone, by small changes of the dearest found.

use std::io::Write;
use std::time::{Duration, Instant};

use super::axes::axes;
use super::measure::{Cost, measure};
use super::mixture::Mixture;
use super::shapes::bodies;

/// The dearest that was found, by time and by memory.
#[derive(Clone, Debug, Default)]
pub struct Worst {
    pub time: (Mixture, Cost),
    pub memory: (Mixture, Cost),
    pub tried: usize,
}

/// Tries each thing alone, and then changes for so long. What is dearer than all before is written.
pub fn search(time: Duration, seed: u64) -> anyhow::Result<Worst> {
    let mut out = std::io::stdout();
    let mut random = fastrand::Rng::with_seed(seed);
    let mut worst = Worst::default();
    let end = Instant::now() + time;
    let alone = (0..axes().len()).map(Mixture::whole);
    for mixture in alone {
        worst.consider(mixture, &mut out)?;
    }
    while Instant::now() < end {
        let from = if random.bool() { &worst.time.0 } else { &worst.memory.0 };
        let mut mixture = from.changed(&mut random);
        for _ in 0..random.usize(0..3) {
            mixture = mixture.changed(&mut random);
        }
        worst.consider(mixture, &mut out)?;
    }
    Ok(worst)
}

impl Worst {
    fn consider(&mut self, mixture: Mixture, out: &mut impl Write) -> anyhow::Result<()> {
        let review = mixture.review();
        let mut cost = measure(&mixture, &review)?;
        self.tried += 1;
        // One that is only dear while the machine does something else is no find.
        for _ in 0..CONFIRMED {
            if cost.cpu_micros <= self.time.1.cpu_micros {
                break;
            }
            cost.cpu_micros = cost.cpu_micros.min(measure(&mixture, &review)?.cpu_micros);
        }
        let by_time = cost.cpu_micros > self.time.1.cpu_micros;
        let by_memory = cost.peak_bytes > self.memory.1.peak_bytes;
        if by_time || by_memory {
            let (micros, kilobytes) = (cost.cpu_micros, cost.peak_bytes / 1024);
            writeln!(out, "{micros:>9} us {kilobytes:>9} KB  {mixture}  {}", mixture.named())?;
        }
        if by_time {
            self.time = (mixture.clone(), cost);
        }
        if by_memory {
            self.memory = (mixture, cost);
        }
        Ok(())
    }
}

/// How often a find is measured again, in processes of their own.
const CONFIRMED: usize = 3;

/// The dearest body of this size, by time and by memory.
pub fn dearest_body(bytes: usize) -> anyhow::Result<(Cost, &'static str, &'static str)> {
    let mut dearest = (Cost::default(), "", "");
    for body in bodies() {
        let cost = measure(&Mixture::default(), &(body.bytes)(bytes))?;
        if cost.cpu_micros > dearest.0.cpu_micros {
            (dearest.0.cpu_micros, dearest.1) = (cost.cpu_micros, body.name);
        }
        if cost.peak_bytes > dearest.0.peak_bytes {
            (dearest.0.peak_bytes, dearest.2) = (cost.peak_bytes, body.name);
        }
    }
    Ok(dearest)
}
