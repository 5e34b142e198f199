//! How long a server that is told to end goes on.

use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

/// At least so long, and on while calls come: each of them was asked to leave with its answer, so that
/// who calls now has dialled an endpoint that the control plane has not taken away yet. Its controllers
/// wait twice as long after each try that failed, which exceeds any time that one would wait always.
pub async fn until_nobody_calls(least: Duration, late: &Notify) {
    let quiet = QUIET.min(least);
    let wait = async {
        sleep(least - quiet).await;
        while timeout(quiet, late.notified()).await.is_ok() {}
    };
    // Whoever can reach the port could go on calling.
    let _ = timeout(least * LONGEST, wait).await;
}

/// Long enough for the next call of an API server that has some every second.
const QUIET: Duration = Duration::from_secs(1);
/// As often as the least time; the chart's grace period is of it.
const LONGEST: u32 = 3;
