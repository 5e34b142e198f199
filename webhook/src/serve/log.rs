//! Logs: one JSON object a line on stderr.

use std::io::{self, Write};

use tracing::Subscriber;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// From now on everything of `level` and above is logged. Called once, by `main`'s commands.
pub(crate) fn init(level: LevelFilter) {
    // It fails when there is a log already, which then stays.
    let _ = subscriber(level, io::stderr).try_init();
}

fn subscriber<W: Write + 'static>(
    level: LevelFilter,
    writer: impl Fn() -> W + Send + Sync + 'static,
) -> impl Subscriber + Send + Sync {
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_target(false)
        .with_writer(move || printable::Lines(writer()));
    tracing_subscriber::registry().with(lines).with(targets(level))
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
    use std::sync::{Arc, Mutex};

    use tracing::Level;

    use super::*;

    /// What is written.
    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_of_the_log_is_one_line_in_the_order_in_which_it_is_written() {
        let page = Page::default();
        let writer = page.clone();
        let subscriber = subscriber(LevelFilter::INFO, move || writer.clone());
        let hostile = "a\nb\u{2028}c\u{202e}d\u{e0041}密";
        tracing::subscriber::with_default(subscriber, || tracing::info!(pod = hostile, "x"));
        let text = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
        assert!(text.trim_end().chars().all(printable::is_printable), "{text}");
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["pod"], hostile);
    }

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
