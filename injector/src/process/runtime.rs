//! The one thread that everything runs on, and the wish to end.

use std::future::Future;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::report::exit::Exit;
use crate::report::problem::{Problem, Report};

/// SIGTERM and SIGINT. As process 1 of a container we would not even notice them without asking.
pub(crate) struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

/// Runs `work` on this thread until it ends.
pub(crate) fn block_on<T>(work: impl AsyncFnOnce(Stop) -> Result<T, Report>) -> Result<T, Report> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| setup_problem(&error))?;
    runtime.block_on(async {
        let stop = Stop::new().map_err(|error| setup_problem(&error))?;
        work(stop).await
    })
}

fn setup_problem(error: &std::io::Error) -> Problem {
    Problem::new(Exit::Local, format!("the runtime could not be set up: {}", error.kind()))
}

impl Stop {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Returns when a signal wants us to end.
    pub(crate) async fn requested(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// What `work` returns, or `None` when we are to end before.
    pub(crate) async fn or<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            // The order lets us be stopped from the first request on.
            biased;
            () = self.requested() => None,
            result = work => Some(result),
        }
    }
}
