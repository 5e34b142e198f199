//! The local agent as a process on one core, asked over kept connections from another.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::table::{Budget, Table};
use crate::agent::{Served, wanted};
use crate::cloud::{Cloud, CloudConfig, SecretSeed, Seed};
use crate::fetcher::ACCOUNT;
use crate::samples::Samples;

const CONNECTIONS: usize = 8;
const RUNS: usize = 3;
const STARTS: usize = 40;
const TIME: Duration = Duration::from_secs(3);
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn measure(table: &mut Table) -> anyhow::Result<()> {
    let cloud = Cloud::start(CloudConfig::new(Seed::demo()?)).await?;
    cloud.put_secret(ACCOUNT, SecretSeed::text("shop/bench", &"v".repeat(64)))?;
    let served = Served::start(&cloud, wanted(&["shop/*"])?, &[], &["taskset", "-c", "0"]).await?;
    let mut request = String::new();
    write!(
        request,
        "GET /secretsmanager/get?secretId=shop/bench HTTP/1.1\r\nHost: localhost:{}\r\n\
         User-Agent: Go-http-client/1.1\r\nX-Kms-Token: {}\r\nAccept-Encoding: gzip\r\n\r\n",
        served.port,
        served.token()?
    )?;
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        starts.push(start(&cloud).await?);
    }
    let start = Samples::new(starts).median().as_secs_f64() * 1e3;
    table.add("agent, start to its first answer, median", start, "ms", None);
    let mut runs = Vec::new();
    for _ in 0..RUNS {
        runs.push(run(&served, &request).await?);
    }
    ensure!(
        cloud.counters().requests.get("kms.GetSecretValue") == Some(&1),
        "not everything came from the cache"
    );
    runs.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let (rate, latencies) = runs.get(RUNS / 2).context("no run")?;
    let milliseconds = |part| latencies.percentile(part).as_secs_f64() * 1e3;
    table.add(
        "agent, cached, 8 connections, one core",
        *rate,
        "req/s",
        Some(Budget::AtLeast(60_000.0)),
    );
    table.add("agent, cached, 8 connections, p50", milliseconds(50), "ms", None);
    table.add(
        "agent, cached, 8 connections, p99",
        milliseconds(99),
        "ms",
        Some(Budget::AtMost(1.0)),
    );
    Ok(())
}

/// From the start of the process until `/ping` is answered.
async fn start(cloud: &Cloud) -> anyhow::Result<Duration> {
    let began = Instant::now();
    let served = Served::launch(cloud, wanted(&["shop/*"])?, &[], &[])?;
    let mut stream = loop {
        ensure!(began.elapsed() < PATIENCE, "the agent does not answer: {}", served.running.log());
        match served.connect().await {
            Ok(stream) => break stream,
            Err(_) => tokio::time::sleep(Duration::from_micros(100)).await,
        }
    };
    stream.write_all(b"GET /ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    ensure!(answer.starts_with(b"HTTP/1.1 200 "), "/ping is not answered with 200");
    Ok(began.elapsed())
}

async fn run(served: &Served, request: &str) -> anyhow::Result<(f64, Samples)> {
    let mut streams = Vec::new();
    for _ in 0..CONNECTIONS {
        let stream = served.connect().await?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for stream in streams {
        tasks.spawn(ask_until(stream, request.to_owned(), start + TIME));
    }
    let mut latencies = Vec::new();
    while let Some(one) = tasks.join_next().await {
        latencies.extend(one??);
    }
    let count = f64::from(u32::try_from(latencies.len())?);
    Ok((count / start.elapsed().as_secs_f64(), Samples::new(latencies)))
}

/// Asks again as soon as it is answered. Every answer is as long as the first, which is looked at.
async fn ask_until(
    mut stream: TcpStream,
    request: String,
    end: Instant,
) -> anyhow::Result<Vec<Duration>> {
    let mut buffer = vec![0; 16 * 1024];
    let mut length = None;
    let mut latencies = Vec::with_capacity(100_000);
    let mut start = Instant::now();
    while start < end {
        stream.write_all(request.as_bytes()).await?;
        let mut filled = 0;
        loop {
            let room = buffer.get_mut(filled..).context("the answer is too long")?;
            let count = stream.read(room).await?;
            ensure!(count > 0, "the connection ended before the answer did");
            filled += count;
            let answer = buffer.get(..filled).unwrap_or_default();
            if length == Some(filled) || (length.is_none() && answer.ends_with(b"\"}")) {
                ensure!(answer.starts_with(b"HTTP/1.1 200 "), "not answered with 200");
                length = Some(filled);
                break;
            }
        }
        let now = Instant::now();
        latencies.push(now - start);
        start = now;
    }
    Ok(latencies)
}
