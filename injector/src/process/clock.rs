//! Time since the machine was started. It goes on while the machine sleeps and knows no changes of
//! the calendar's clock.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::time::sleep;

/// A timer stands still while the machine sleeps, so it is never trusted for longer than this.
const GLANCE: Duration = Duration::from_secs(30);

pub(crate) fn since_boot() -> Duration {
    let now = clock_gettime(ClockId::Boottime);
    Duration::try_from(now).unwrap_or_default()
}

pub(crate) async fn wait_until(moment: Duration) {
    loop {
        let left = moment.saturating_sub(since_boot());
        if left.is_zero() {
            return;
        }
        sleep(left.min(GLANCE)).await;
    }
}
