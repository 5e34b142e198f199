//! The real webhook, started as a process on free ports of loopback.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio_rustls::client::TlsStream;

use crate::binary::beside;
use crate::http::{self, HttpAnswer, PATIENCE};
use crate::review::{self, Verdict};

/// Ends with this value at the latest.
pub struct WebhookProcess {
    directory: TempDir,
    child: Child,
    listen: SocketAddr,
    admin: SocketAddr,
    ca: String,
}

/// How it ended, and all that it wrote.
#[derive(Debug)]
pub struct Stopped {
    pub code: Option<i32>,
    pub stdout: String,
    pub log: String,
}

/// The program, with nothing of this process's environment.
pub fn command() -> Result<Command> {
    let mut command = Command::new(beside("secrets-webhook")?);
    command.env_clear().kill_on_drop(true).stdin(Stdio::null());
    Ok(command)
}

impl WebhookProcess {
    /// `serve --standalone` with these options more.
    pub async fn start(more: &[&str]) -> Result<Self> {
        let directory = tempfile::tempdir().context("making a directory for the webhook")?;
        let (ready, ca) = (directory.path().join("ready.json"), directory.path().join("ca.pem"));
        let mut command = command()?;
        command
            .args(["serve", "--standalone", "--listen=127.0.0.1:0", "--admin=127.0.0.1:0"])
            .arg("--drain-seconds=0")
            .arg("--ready-file")
            .arg(&ready)
            .arg("--write-ca")
            .arg(&ca)
            .args(more)
            .stdout(File::create(directory.path().join("stdout"))?)
            .stderr(File::create(directory.path().join("log"))?);
        let mut child = command.spawn().context("starting secrets-webhook")?;
        wait_for(&ready, &mut child, &directory.path().join("log")).await?;
        let addresses: Value = serde_json::from_slice(&fs::read(&ready)?)?;
        let address = |name: &str| -> Result<SocketAddr> {
            let text = addresses.get(name).and_then(Value::as_str);
            Ok(text.context("the ready file names no address")?.parse()?)
        };
        let (listen, admin) = (address("listen")?, address("admin")?);
        Ok(Self { child, listen, admin, ca: fs::read_to_string(ca)?, directory })
    }

    pub fn listen(&self) -> SocketAddr {
        self.listen
    }

    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Asks about the creation of a Pod, as an API server does.
    pub async fn review(&self, pod: &Value, namespace: &str) -> Result<Verdict> {
        let answer = self.post(review::of_pod(pod, namespace).to_string().into_bytes()).await?;
        ensure!(answer.status == 200, "the webhook answered {}", answer.status);
        Verdict::read(&answer.body)
    }

    /// The Pod after admission.
    pub async fn admit(&self, pod: &Value, namespace: &str) -> Result<Value> {
        self.review(pod, namespace).await?.apply(pod)
    }

    pub async fn post(&self, body: Vec<u8>) -> Result<HttpAnswer> {
        http::post(self.connect().await?, "/mutate", body).await
    }

    pub async fn connect(&self) -> Result<TlsStream<TcpStream>> {
        http::connect_tls(self.listen, &self.ca).await
    }

    /// From the administrative port.
    pub async fn get(&self, path: &str) -> Result<HttpAnswer> {
        http::get(http::connect(self.admin).await?, path).await
    }

    /// The most memory that it ever had resident, in KiB.
    pub fn peak_memory(&self) -> Result<u64> {
        let id = self.child.id().context("the webhook has ended")?;
        let status = fs::read_to_string(format!("/proc/{id}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let amount = line.and_then(|line| line.trim().strip_suffix(" kB"));
        Ok(amount.context("no VmHWM in /proc")?.trim().parse()?)
    }

    pub fn terminate(&self) -> Result<()> {
        let id = self.child.id().context("the webhook has ended")?;
        let pid = Pid::from_raw(i32::try_from(id)?).context("a process without an id")?;
        kill_process(pid, Signal::TERM).context("sending SIGTERM")
    }

    /// Waits for its end.
    pub async fn stopped(mut self) -> Result<Stopped> {
        let status = tokio::time::timeout(PATIENCE, self.child.wait())
            .await
            .context("the webhook did not end")??;
        let written = |name: &str| fs::read_to_string(self.path(name));
        Ok(Stopped { code: status.code(), stdout: written("stdout")?, log: written("log")? })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

async fn wait_for(ready: &Path, child: &mut Child, log: &Path) -> Result<()> {
    let poll = async {
        while !ready.exists() {
            if let Some(status) = child.try_wait()? {
                bail!("secrets-webhook ended with {status}: {}", fs::read_to_string(log)?);
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(())
    };
    tokio::time::timeout(PATIENCE, poll).await.context("secrets-webhook was not ready in time")?
}
