//! What ordinary Pods and probes notice of heavy ones that are admitted again and again.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::load::Load;
use super::reviews;
use super::table::{Budget, Table};
use crate::samples::Samples;

/// A request that is lost, late by 10 s or not answered with 200 is an error of the whole.
pub(super) async fn measure(
    table: &mut Table,
    heavy: Vec<u8>,
    listen: SocketAddr,
    admin: SocketAddr,
    ca_pem: &[u8],
) -> anyhow::Result<()> {
    let load = |body, connections| Load {
        target: listen,
        ca_pem: ca_pem.to_vec(),
        body,
        connections,
        time: TIME,
    };
    let ordinary = load(reviews::typical(), ORDINARY);
    let heavy = load(heavy, HEAVY);
    let quiet = ordinary.run().await.context("ordinary Pods alone")?.latencies.percentile(99);
    let (beside, heavy, probes) = tokio::try_join!(ordinary.run(), heavy.run(), probe(admin, TIME))
        .context("ordinary Pods beside heavy ones")?;
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    let slow = beside.latencies.percentile(99);
    table.add("heavy Pods by 4 clients", heavy.per_second, "req/s", None);
    table.add("8 KB alone, p99", milliseconds(quiet), "ms", None);
    table.add("8 KB beside heavy Pods, p99", milliseconds(slow), "ms", None);
    table.add(
        "8 KB beside heavy Pods, p99 against alone",
        slow.as_secs_f64() / quiet.as_secs_f64(),
        "x",
        Some(Budget::AtMost(3.0)),
    );
    table.add(
        "/healthz beside heavy Pods, slowest",
        milliseconds(probes.percentile(100)),
        "ms",
        Some(Budget::AtMost(50.0)),
    );
    Ok(())
}

/// Asks again and again for a while, each time on a connection of its own, as the kubelet does.
async fn probe(admin: SocketAddr, time: Duration) -> anyhow::Result<Samples> {
    let end = Instant::now() + time;
    let mut pauses = tokio::time::interval(Duration::from_millis(20));
    let mut latencies = Vec::new();
    while Instant::now() < end {
        pauses.tick().await;
        let start = Instant::now();
        let asked = async {
            let mut stream = TcpStream::connect(admin).await?;
            let request = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
            stream.write_all(request).await?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await?;
            anyhow::Ok(answer)
        };
        let answer = tokio::time::timeout(Duration::from_secs(10), asked)
            .await
            .context("/healthz took more than 10 s")??;
        ensure!(answer.starts_with("HTTP/1.1 200 "), "/healthz said {answer:?}");
        latencies.push(start.elapsed());
    }
    Ok(Samples::new(latencies))
}

const TIME: Duration = Duration::from_secs(3);
const ORDINARY: usize = 8;
const HEAVY: usize = 4;
