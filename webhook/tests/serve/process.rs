//! The program as a process: started, signalled, waited for.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::harness::{PATIENCE, until};

pub(crate) struct Webhook {
    pub(crate) directory: TempDir,
    pub(crate) listen: SocketAddr,
    pub(crate) admin: SocketAddr,
    child: Child,
}

pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_secrets-webhook"));
    command.env_clear().kill_on_drop(true).stdin(Stdio::null()).stderr(Stdio::piped());
    command
}

impl Webhook {
    /// Starts it on free ports; its files are in `directory`.
    pub(crate) async fn start(directory: TempDir, more: &[&str]) -> Self {
        Self::start_as(command(), directory, more).await
    }

    /// The same with so few file descriptors.
    pub(crate) async fn start_with_descriptors(
        number: usize,
        directory: TempDir,
        more: &[&str],
    ) -> Self {
        let mut shell = Command::new("/bin/sh");
        shell.env_clear().kill_on_drop(true).stdin(Stdio::null());
        shell.args(["-c", &format!("ulimit -n {number} && exec \"$0\" \"$@\"")]);
        shell.arg(env!("CARGO_BIN_EXE_secrets-webhook"));
        Self::start_as(shell, directory, more).await
    }

    async fn start_as(mut command: Command, directory: TempDir, more: &[&str]) -> Self {
        let ready = directory.path().join("ready.json");
        let mut child = command
            .args(["serve", "--standalone", "--listen=127.0.0.1:0", "--admin=127.0.0.1:0"])
            .arg("--ready-file")
            .arg(&ready)
            .args(more)
            .current_dir(directory.path())
            .stderr(std::fs::File::create(directory.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        until("the ready file", async || ready.exists()).await;
        assert!(child.try_wait().unwrap().is_none());
        let ready: serde_json::Value =
            serde_json::from_slice(&std::fs::read(&ready).unwrap()).unwrap();
        let address = |name: &str| ready[name].as_str().unwrap().parse().unwrap();
        Self { listen: address("listen"), admin: address("admin"), directory, child }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id().unwrap()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Resident memory in KiB.
    pub(crate) fn resident(&self) -> u64 {
        let status = format!("/proc/{}/status", self.child.id().unwrap());
        let status = std::fs::read_to_string(status).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    pub(crate) async fn exit_code(&mut self) -> Option<i32> {
        tokio::time::timeout(PATIENCE, self.child.wait()).await.unwrap().unwrap().code()
    }

    /// GET from the administrative port: status and body, or nothing if it is closed.
    pub(crate) async fn get(&self, path: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(self.admin).await.ok()?;
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
    }

    pub(crate) async fn metric(&self, name: &str) -> u64 {
        crate::harness::count(&self.get("/metrics").await.unwrap().1, name)
    }
}
