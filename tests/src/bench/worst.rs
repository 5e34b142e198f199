//! The dearest admissions that are found: what one Pod within the limits costs, and what a body costs
//! that nobody's API server would send.

use std::time::Duration;

use super::table::{Budget, Table};
use crate::worst::{dearest_body, search};

/// `secrets-lab worst --minutes 30` looks longer.
const SEARCH: Duration = Duration::from_secs(20);
const BODY: usize = 3 * 1024 * 1024 - 4096;

/// Returns the review of the dearest Pod that needs nothing rare of the operator's settings.
pub(super) fn measure(table: &mut Table) -> anyhow::Result<Vec<u8>> {
    let worst = search(SEARCH, 1)?;
    let (time, memory) = (worst.time.1, worst.memory.1);
    let budget = |most| Some(Budget::AtMost(most));
    table.add("worst admission found, CPU", millis(time.cpu_micros), "ms", budget(5.0));
    table.add("worst admission found, memory", megabytes(memory.peak_bytes), "MB", budget(8.0));
    let (dearest, _, _) = dearest_body(BODY)?;
    table.add("a body of 3 MiB of anything, CPU", millis(dearest.cpu_micros), "ms", budget(100.0));
    let memory = megabytes(dearest.peak_bytes);
    table.add("a body of 3 MiB of anything, memory", memory, "MB", budget(48.0));
    Ok(worst.ordinary.0.review())
}

fn millis(micros: u64) -> f64 {
    Duration::from_micros(micros).as_secs_f64() * 1e3
}

fn megabytes(bytes: u64) -> f64 {
    Duration::from_micros(bytes).as_secs_f64()
}
