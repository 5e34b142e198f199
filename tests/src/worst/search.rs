//! A search for the dearest admission: from each thing alone and from what earlier searches found, by
//! small changes of the dearest.

use std::io::Write;
use std::time::{Duration, Instant};

use super::axes::axes;
use super::measure::{Cost, measure};
use super::mixture::Mixture;
use super::operator::ordinary;
use super::shapes::bodies;

/// The dearest that was found, by time and by memory.
#[derive(Clone, Debug, Default)]
pub struct Worst {
    pub time: (Mixture, Cost),
    pub memory: (Mixture, Cost),
    /// The dearest by time for an operator who sets what most do.
    pub ordinary: (Mixture, Cost),
    pub tried: usize,
}

/// Searches of thirty minutes ended with these, so that a short one does not begin from nothing.
const FOUND: [&str; 3] = [
    "35:16,61:16,72:16,55:16,18:16,31:8",
    "35:16,28:16,61:16,72:16,54:2,33:1",
    "20:16,61:16,85:1,72:16,33:16,26:16",
];

/// Tries what is known, and then changes for so long. What is dearer than all before is written.
pub fn search(time: Duration, seed: u64) -> anyhow::Result<Worst> {
    let mut out = std::io::stdout();
    let mut random = fastrand::Rng::with_seed(seed);
    let mut worst = Worst::default();
    let end = Instant::now() + time;
    let alone = (0..axes().len()).map(Mixture::whole);
    let found = FOUND.into_iter().map(Mixture::parse).collect::<Result<Vec<_>, _>>()?;
    for mixture in alone.chain(found) {
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
        if cost.cpu_micros > self.ordinary.1.cpu_micros && mixture.settings() == ordinary(0) {
            self.ordinary = (mixture.clone(), cost);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A place in the list of axes that is none any more would say less than it seems to.
    #[test]
    fn all_parts_of_what_was_found_are_there_and_some_of_it_wants_nothing_rare_of_the_settings() {
        let found: Vec<_> = FOUND.iter().map(|text| Mixture::parse(text).unwrap()).collect();
        for (text, mixture) in FOUND.iter().zip(&found) {
            assert_eq!(mixture.named().split(" + ").count(), text.split(',').count(), "{text}");
        }
        assert!(found.iter().any(|mixture| mixture.settings() == ordinary(0)));
    }
}
