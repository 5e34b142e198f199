//! Logs: one JSON object a line on stderr.

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// From now on everything of `level` and above is logged. Called once, by `main`'s commands.
pub(crate) fn init(level: LevelFilter) {
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_target(false)
        .with_writer(std::io::stderr);
    // It fails when there is a log already, which then stays.
    let _ = tracing_subscriber::registry().with(lines).with(targets(level)).try_init();
}

/// The client of the Kubernetes API logs whole answers that it does not understand, and one may be
/// a Secret. What fails is logged by whoever asked.
fn targets(level: LevelFilter) -> Targets {
    let silent = SILENT.map(|target| (target, LevelFilter::OFF));
    Targets::new().with_default(level).with_targets(silent)
}

/// Prefixes of targets: `kube_client`, `kube_runtime` and what else the client is made of.
const SILENT: [&str; 2] = ["kube", "tower"];

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn the_client_of_the_api_is_silent_at_every_level() {
        for level in [LevelFilter::INFO, LevelFilter::TRACE] {
            let targets = targets(level);
            for target in ["kube_client::client", "kube_runtime::watcher", "tower::buffer"] {
                assert!(!targets.would_enable(target, &Level::ERROR), "{target}");
            }
            assert!(targets.would_enable("webhook::mutate", &Level::INFO));
        }
    }
}
