//! Waiting for what others do, with a deadline.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// What a look at the thing that is waited for said.
#[derive(Debug)]
pub enum Look<T> {
    Found(T),
    /// What is still missing.
    Missing(String),
}

impl<T> From<Option<T>> for Look<T> {
    fn from(found: Option<T>) -> Self {
        found.map_or_else(|| Self::Missing("not yet".to_owned()), Self::Found)
    }
}

/// For questions that fail until they can be answered.
impl<T> From<Result<T>> for Look<T> {
    fn from(result: Result<T>) -> Self {
        match result {
            Ok(found) => Self::Found(found),
            Err(error) => Self::Missing(format!("{error:#}")),
        }
    }
}

/// Looks until it is there; an error says that there is nothing to wait for any more.
pub fn until<T>(
    what: &str,
    patience: Duration,
    mut look: impl FnMut() -> Result<Look<T>>,
) -> Result<T> {
    let deadline = Instant::now() + patience;
    let mut pause = Duration::from_millis(20);
    loop {
        let missing = match look()? {
            Look::Found(found) => return Ok(found),
            Look::Missing(missing) => missing,
        };
        if Instant::now() >= deadline {
            bail!("waited {patience:?} for {what}: {missing}");
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(500));
    }
}
