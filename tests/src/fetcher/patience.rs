//! How long a fetcher is waited for.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

/// Longer than any run that these tests ask for: a fetcher that hangs is a failure, not a wait.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);

/// Looks until it is so, for as long as a test may take.
pub async fn eventually<F: Future<Output = Result<bool>>>(is: impl Fn() -> F) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    while !is().await? {
        ensure!(Instant::now() < until, "not within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}
