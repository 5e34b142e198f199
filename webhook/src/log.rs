//! Logs: one JSON object a line on stderr.

use tracing_subscriber::filter::LevelFilter;

/// From now on everything of `level` and above is logged. Called once, by `main`'s commands.
pub(crate) fn init(level: LevelFilter) {
    // It fails when there is a log already, which then stays.
    let _ = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_target(false)
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .try_init();
}
