//! Writes progress as JSON lines to stderr: names, sizes, times and request ids, never a value.

use std::io::{self, Write};

use plan::LogLevel;
use tracing::{Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Layer, SubscriberExt};

/// Runs `work` with logs of our own crates at `level`. Libraries stay silent: what they write at
/// debug level is not ours to vouch for.
pub(crate) fn with<T>(level: LogLevel, work: impl FnOnce() -> T) -> T {
    // The subscriber is scoped to this thread, where the runtime runs too.
    tracing::subscriber::with_default(subscriber(level, io::stderr), work)
}

fn subscriber<W: Write + 'static>(
    level: LogLevel,
    writer: impl Fn() -> W + Send + Sync + 'static,
) -> impl Subscriber + Send + Sync {
    let level = match level {
        LogLevel::Error => Level::ERROR,
        LogLevel::Warn => Level::WARN,
        LogLevel::Info => Level::INFO,
        LogLevel::Debug => Level::DEBUG,
    };
    let ours = Targets::new().with_target("injector", level).with_target("cloud", level);
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
