//! A fetcher that stays, and what it says meanwhile.

use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use super::patience::{PATIENCE, eventually};

/// A process that stays until it is told to end; it ends with this.
#[derive(Debug)]
pub struct Running {
    child: Child,
    log: Arc<Mutex<String>>,
    /// Writes the log until there is nothing more to read.
    reader: JoinHandle<()>,
}

impl Running {
    pub(super) fn start(mut command: Command) -> Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn().context("starting the fetcher")?;
        let stderr = child.stderr.take().context("it has no standard error")?;
        let log = Arc::new(Mutex::new(String::new()));
        let written = Arc::clone(&log);
        let reader = tokio::spawn(async move {
            let mut lines = BufReader::new(stderr).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let mut log = written.lock().unwrap_or_else(PoisonError::into_inner);
                log.push_str(&line);
                log.push('\n');
            }
        });
        Ok(Self { child, log, reader })
    }

    /// All that it has said so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until it has said this so many times.
    pub async fn says(&self, words: &str, times: usize) -> Result<()> {
        let said = || async { Ok(self.log().matches(words).count() >= times) };
        eventually(said).await.with_context(|| format!("no {words:?} in: {}", self.log()))
    }

    pub fn pid(&self) -> Result<u32> {
        self.child.id().context("it has ended")
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let pid = Pid::from_raw(self.pid()?.try_into()?).context("it has no number")?;
        Ok(kill_process(pid, signal)?)
    }

    /// Waits until it has ended by itself, or by a signal, and all that it said is in the log.
    pub async fn ended(&mut self) -> Result<ExitStatus> {
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        let ended = ended.context("the fetcher did not end")??;
        if !self.reader.is_finished() {
            tokio::time::timeout(PATIENCE, &mut self.reader).await.context("it still speaks")??;
        }
        Ok(ended)
    }
}
