//! How many connections there are, and what travels on them.

use std::collections::HashSet;
use std::sync::Arc;

use crate::server::{Bench, KMS, after_sts, secret, soon, value};

async fn forty_at_once(bench: Bench) {
    let bench = Arc::new(bench);
    for _round in 0..5 {
        let mut tasks = tokio::task::JoinSet::new();
        for index in 0..40 {
            let bench = Arc::clone(&bench);
            tasks.spawn(async move {
                bench.session.fetch(&secret(&format!("s{index}")), soon()).await.unwrap()
            });
        }
        assert_eq!(tasks.join_all().await.len(), 40);
    }
    let seen = bench.server.seen();
    let used: HashSet<usize> =
        seen.iter().filter(|seen| seen.host() == KMS).map(|seen| seen.connection).collect();
    assert!((1..=4).contains(&used.len()), "{} connections", used.len());
    assert_eq!(bench.server.count("AssumeRoleWithOIDC"), 1);
    assert_eq!(bench.session.exchanges(), 1);
    // Every accepted connection carried something: none was opened in vain.
    let all: HashSet<usize> = seen.iter().map(|seen| seen.connection).collect();
    assert_eq!(bench.server.accepted(), all.len());
}

#[tokio::test]
async fn forty_fetches_share_four_connections_and_one_exchange() {
    forty_at_once(Bench::new(after_sts(|_| value("x"))).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn forty_fetches_share_four_connections_on_many_threads_too() {
    forty_at_once(Bench::new(after_sts(|_| value("x"))).await).await;
}

/// A task that goes on at once is faster than the client, which gives a connection back in a task
/// of its own.
async fn one_after_another(bench: Bench, tasks: usize) -> usize {
    let bench = Arc::new(bench);
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..tasks {
        let bench = Arc::clone(&bench);
        running.spawn(async move {
            for _ in 0..50 {
                bench.fetch(&secret("db")).await.unwrap();
            }
        });
    }
    running.join_all().await;
    // One of them belongs to STS.
    bench.server.accepted() - 1
}

#[tokio::test]
async fn fetches_one_after_another_use_one_connection() {
    for size in [1, 50_000] {
        let bench = Bench::new(after_sts(move |_| value(&"x".repeat(size)))).await;
        assert_eq!(one_after_another(bench, 1).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_threads_use_no_more_than_four_connections() {
    for size in [1, 50_000] {
        let bench = Bench::new(after_sts(move |_| value(&"x".repeat(size)))).await;
        let connections = one_after_another(bench, 8).await;
        assert!(connections <= 4, "{connections} connections");
    }
}

#[tokio::test]
async fn a_connection_that_the_server_closes_is_replaced() {
    for announced in ["connection: close\r\n", ""] {
        let bench = Bench::new(after_sts(move |_| {
            let crate::server::Reply::Json(_, body) = value("x") else { unreachable!() };
            let length = body.len();
            crate::server::Reply::Raw(format!(
                "HTTP/1.1 200 OK\r\n{announced}content-length: {length}\r\n\r\n{body}"
            ))
        }))
        .await;
        for _ in 0..3 {
            assert_eq!(bench.fetch(&secret("db")).await.unwrap().value.expose(), b"x");
        }
        assert_eq!(bench.server.accepted(), 4);
    }
}
