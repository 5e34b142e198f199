//! A Pod with a local agent, as a directory and a process, and a client that asks it.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use plan::{
    Agent, CacheTtl, FileMode, Glob, Mode, OnRevoked, Plan, Port, Refresh, Region, ResponseType,
    TokenPath, UpToThousand,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::cloud::Cloud;
use crate::fetcher::{Container, REGION, Running, Want, builder, plan};

/// Longer than any answer may take.
const PATIENCE: Duration = Duration::from_secs(70);

pub struct Served {
    pub container: Container,
    pub running: Running,
    pub port: u16,
    pub plan: Plan,
}

/// An answer, as it came.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: String,
}

/// An agent as annotations make it that name `secrets` alone, on a port that is free.
pub fn wanted(secrets: &[&str]) -> Result<Agent> {
    Ok(Agent {
        refresh: Refresh::new(3600, None, OnRevoked::Keep)?,
        secrets: secrets.iter().map(|text| Glob::parse(text)).collect::<Result<_, _>>()?,
        allowed: None,
        region: Region::parse(REGION)?,
        endpoint: None,
        assume: None,
        port: Port::new(free_port()?.into())?,
        cache_ttl: CacheTtl::new(300)?,
        cache_size: UpToThousand::new(1000)?,
        max_connections: UpToThousand::new(800)?,
        response_type: ResponseType::Kms,
        token: TokenPath::parse("/var/run/kmstoken/token")?,
        token_mode: FileMode::OWNER,
    })
}

pub fn planned(agent: Agent, wants: &[Want]) -> Result<Plan> {
    let mut builder = builder()?;
    builder.mode(Mode::Agent(Box::new(agent)));
    plan(builder, wants)
}

impl Served {
    /// Starts the fetcher, below the program and arguments of `under`, and waits until it serves.
    pub async fn start(
        cloud: &Cloud,
        agent: Agent,
        wants: &[Want],
        under: &[&str],
    ) -> Result<Self> {
        let served = Self::launch(cloud, agent, wants, under)?;
        served.running.says("\"done\"", 1).await?;
        Ok(served)
    }

    /// Starts it and does not wait.
    pub fn launch(cloud: &Cloud, agent: Agent, wants: &[Want], under: &[&str]) -> Result<Self> {
        let port = agent.port.get();
        let plan = planned(agent, wants)?;
        let container = Container::in_memory(cloud)?;
        fs::create_dir_all(container.path("var/run/kmstoken"))?;
        let running = container.start_under(under, &plan, &["refresh"])?;
        Ok(Self { container, running, port, plan })
    }

    pub fn token(&self) -> Result<String> {
        Ok(fs::read_to_string(self.token_file())?)
    }

    pub fn token_file(&self) -> PathBuf {
        self.container.path("var/run/kmstoken/token")
    }

    /// As a well-behaved client.
    pub async fn get(&self, target: &str) -> Result<Reply> {
        let token = self.token()?;
        self.ask(target, &[("Host", "localhost"), ("X-KMS-Token", &token)]).await
    }

    pub async fn ask(&self, target: &str, headers: &[(&str, &str)]) -> Result<Reply> {
        let lines: String =
            headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        self.send(&format!("GET {target} HTTP/1.1\r\n{lines}Connection: close\r\n\r\n")).await
    }

    /// Sends these bytes, and takes what comes until the end.
    pub async fn send(&self, request: &str) -> Result<Reply> {
        let talk = async {
            let mut stream = self.connect().await?;
            // One that is refused early may not be taken to its end.
            let _ = stream.write_all(request.as_bytes()).await;
            let mut bytes = Vec::new();
            let _ = stream.read_to_end(&mut bytes).await;
            Reply::read(&String::from_utf8(bytes)?)
        };
        tokio::time::timeout(PATIENCE, talk).await.context("no answer in time")?
    }

    pub async fn connect(&self) -> Result<TcpStream> {
        Ok(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await?)
    }
}

impl Reply {
    fn read(text: &str) -> Result<Self> {
        let (head, body) = text.split_once("\r\n\r\n").context("the answer has no end")?;
        let status = head.split(' ').nth(1).context("no status")?.parse()?;
        Ok(Self { status, head: head.to_owned(), body: body.to_owned() })
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// The value that an answer of type 0 has.
    pub fn value(&self) -> Result<String> {
        ensure!(self.status == 200, "{self:?}");
        let json = self.json();
        let value = json.get("SecretData").and_then(serde_json::Value::as_str);
        Ok(value.context("no value in the answer")?.to_owned())
    }
}

/// Nobody has it now; the agent binds it soon after.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
