//! The application is told of changes: once for many, again after a failure, never forever. The hook
//! runs beside the refreshing and holds nothing of it up.

mod http;
pub mod proc;
mod signal;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use plan::{HookSignal, OnChange};
use secret::{Backoff, start_thread};
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::time::{sleep, timeout};
use tracing::{error, info, warn};

use self::http::NotCalled;
use self::signal::NotSent;
use crate::health::metrics::HookOutcome;
use crate::refresh::changes::Changes;

/// One change is tried so often before the next one is waited for.
const TRIES: u32 = 5;
/// The pauses last from 1 to 2 seconds after the first try to 8 to 16 after the fourth: a server
/// that is started anew needs some, and no try follows another at once.
const PAUSES: Backoff = Backoff::new(Duration::from_secs(2), Duration::from_secs(16));
/// One try may take so long.
const DEADLINE: Duration = Duration::from_secs(5);
/// The pause between two notifications.
const SETTLE: Duration = Duration::from_secs(1);

#[derive(Debug, thiserror::Error)]
pub(crate) enum HookError {
    #[error("{0}")]
    Http(#[from] NotCalled),
    #[error("{0}")]
    Signal(#[from] NotSent),
    #[error("no answer within {} seconds", DEADLINE.as_secs())]
    TooLate,
    #[error("no thread can be made to look for the process: the Pod has as many as it may")]
    NoThread,
}

/// Notifies whom the plan names of every change, until it is dropped. `on_delivery` is called after
/// each change that was delivered.
pub(crate) async fn run(
    hook: &OnChange,
    changes: &Changes,
    on_delivery: impl Fn(),
    count: impl Fn(HookOutcome),
) -> Infallible {
    let looking = Arc::new(Semaphore::new(1));
    let once = async |generation: &str| -> Result<(), HookError> {
        match hook {
            OnChange::Http(url) => http::call(url, generation).await?,
            OnChange::Signal { signal, container } => {
                send(&looking, *signal, container.clone()).await?;
            }
        }
        Ok(())
    };
    let name = hook.to_string();
    follow(changes, once, on_delivery, |outcome| {
        if outcome == HookOutcome::GivenUp {
            error!(hook = name, "the application is not told of this change");
        }
        count(outcome);
    })
    .await
}

/// Sends the signal from a thread of its own: to look at a process that hangs may hang too. There
/// is one such thread at a time.
async fn send(
    looking: &Arc<Semaphore>,
    signal: HookSignal,
    container: String,
) -> Result<(), HookError> {
    let Ok(permit) = Arc::clone(looking).try_acquire_owned() else {
        return Err(HookError::TooLate);
    };
    let (tell, told) = oneshot::channel();
    let begun = start_thread(move || {
        let sent = signal::send(signal, &container);
        drop(permit);
        let _ = tell.send(sent);
    });
    begun.map_err(|_| HookError::NoThread)?;
    // A thread that was made ends with an answer.
    Ok(told.await.map_err(|_| HookError::TooLate)??)
}

async fn follow(
    changes: &Changes,
    notify: impl AsyncFn(&str) -> Result<(), HookError>,
    on_delivery: impl Fn(),
    count: impl Fn(HookOutcome),
) -> Infallible {
    let mut shown = changes.follow();
    loop {
        let owed = changes.notified_generation() != *shown.borrow();
        if owed {
            match notify_until_heard(&mut shown, &notify, &count).await {
                Some(generation) => {
                    changes.set_notified(&generation);
                    on_delivery();
                }
                None => changed(&mut shown).await,
            }
            sleep(SETTLE).await;
        } else {
            changed(&mut shown).await;
        }
    }
}

async fn changed(shown: &mut watch::Receiver<String>) {
    if shown.changed().await.is_err() {
        // Nothing changes any more. The owner of this future ends it.
        std::future::pending::<()>().await;
    }
}

/// Tries until the application was notified, or gives up. Each try is about the last change by
/// then. Returns which generation the application knows now.
async fn notify_until_heard(
    shown: &mut watch::Receiver<String>,
    notify: &impl AsyncFn(&str) -> Result<(), HookError>,
    count: &impl Fn(HookOutcome),
) -> Option<String> {
    for attempt in 1..=TRIES {
        let generation = shown.borrow_and_update().clone();
        let answer =
            timeout(DEADLINE, notify(&generation)).await.unwrap_or(Err(HookError::TooLate));
        let Err(problem) = answer else {
            info!(generation, attempt, "the application was told of the change");
            count(HookOutcome::Delivered);
            return Some(generation);
        };
        warn!(generation, attempt, "the application could not be told of a change: {problem}");
        count(HookOutcome::Failed);
        if attempt < TRIES {
            sleep(PAUSES.equal_jitter(attempt, secret::roll())).await;
        }
    }
    count(HookOutcome::GivenUp);
    None
}

#[cfg(test)]
mod tests;
