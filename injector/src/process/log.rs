//! Writes progress as JSON lines to stderr: names, sizes, times and request ids, never a value.

use std::io::{self, Write};

use plan::{FetcherOptions, LogLevel};
use tracing::{Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Layer, SubscriberExt};

/// Our own crates that write lines.
const OURS: [&str; 2] = ["injector", "cloud"];

/// Runs `work` with logs of our own crates, as the plan says. Libraries stay silent: what they write at
/// debug level is not ours to vouch for.
pub(crate) fn with<T>(options: &FetcherOptions, work: impl FnOnce() -> T) -> T {
    // The subscriber is scoped to this thread, where the runtime runs too.
    tracing::subscriber::with_default(subscriber(options, io::stderr), work)
}

fn subscriber<W: Write + 'static>(
    options: &FetcherOptions,
    writer: impl Fn() -> W + Send + Sync + 'static,
) -> impl Subscriber + Send + Sync {
    // The application's hook and the metrics are the companions' of the keeper. A new option is named
    // here, so that nobody forgets that somebody has to act on it.
    let FetcherOptions { log_level, on_change: _, metrics_port: _ } = options;
    let level = match log_level {
        LogLevel::Error => Level::ERROR,
        LogLevel::Warn => Level::WARN,
        LogLevel::Info => Level::INFO,
        LogLevel::Debug => Level::DEBUG,
    };
    let ours = Targets::new().with_targets(OURS.map(|name| (name, level)));
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .with_writer(move || printable::Lines(writer()));
    tracing_subscriber::registry().with(lines.with_filter(ours))
}

#[cfg(test)]
mod tests;
