//! Tasks beside the server that run as long as it does, and word of one that does not.

use std::collections::HashMap;
use std::convert::Infallible;

use tokio::sync::watch;
use tokio::task::{Id, JoinSet};

/// Owns the tasks: they end with it.
pub struct Tasks {
    running: JoinSet<()>,
    names: HashMap<Id, &'static str>,
    ended: watch::Sender<Option<&'static str>>,
}

impl Tasks {
    /// No tasks yet, and where the name of the first one that ended will be.
    pub fn new() -> (Self, watch::Receiver<Option<&'static str>>) {
        let (ended, first) = watch::channel(None);
        (Self { running: JoinSet::new(), names: HashMap::new(), ended }, first)
    }

    pub fn spawn(&mut self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let handle = self.running.spawn(task);
        self.names.insert(handle.id(), name);
    }

    /// Looks out for tasks that end. Never ends itself: the server goes on with what it has, and
    /// whoever watches its liveness starts it anew.
    pub async fn watch(mut self) -> Infallible {
        while let Some(ended) = self.running.join_next_with_id().await {
            let (id, panicked) = match &ended {
                Ok((id, ())) => (*id, false),
                Err(error) => (error.id(), error.is_panic()),
            };
            let task = self.names.get(&id).copied().unwrap_or_default();
            tracing::error!(task, panicked, "a task ended that must not; no longer alive");
            self.ended.send_if_modified(|first| {
                let news = first.is_none();
                first.get_or_insert(task);
                news
            });
        }
        std::future::pending().await
    }
}
