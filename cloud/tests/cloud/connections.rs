//! How many connections there are, and what travels on them.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use cloud::{AssumedRole, Lookup};
use secret::Failure;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::server::{Bench, KMS, Reply, after_sts, credentials_of, secret, soon, value};

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

/// Its buffers may hold a value that was replaced since.
#[tokio::test]
async fn a_connection_that_is_always_in_use_lives_for_a_minute() {
    let bench = Bench::new(after_sts(|_| value("x"))).await;
    bench.fetch(&secret("db")).await.unwrap();
    let first = bench.server.accepted();
    for seconds in (10..=120).step_by(10) {
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(10)).await;
        tokio::time::resume();
        bench.fetch(&secret("db")).await.unwrap();
        assert_eq!(bench.server.accepted() - first, seconds / 60, "after {seconds} s");
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
        let bench = Bench::new(after_sts(move |seen| {
            let body = seen.answer("x");
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

/// A fetch that waited in vain for a connection says so, and not that nobody answered.
#[tokio::test]
async fn a_question_for_which_no_connection_was_free_was_not_sent() {
    let silent = Arc::new(Semaphore::new(0));
    let heard = Arc::clone(&silent);
    let bench = Bench::new(after_sts(move |_| {
        heard.add_permits(1);
        Reply::Silence
    }))
    .await;
    bench.session.caller(soon()).await.unwrap();
    let lookups = ["a", "b", "c", "d", "e"].map(secret);
    let [a, b, c, d, e] = &lookups;
    // The connections come free in the moment in which the time of all is over.
    let deadline = Instant::now() + Duration::from_secs(1);
    let fetch = |lookup| bench.session.fetch(lookup, deadline);
    let last = async {
        silent.acquire_many(4).await.unwrap().forget();
        fetch(e).await
    };
    let (asked, _, _, _, waited) = tokio::join!(fetch(a), fetch(b), fetch(c), fetch(d), last);
    let asked = asked.unwrap_err();
    assert!(asked.is_timeout() && asked.was_sent(), "{asked}");
    let waited = waited.unwrap_err();
    assert_eq!((waited.failure(), waited.attempts()), (Failure::Unreachable, 0));
    assert!(waited.is_timeout() && !waited.was_sent(), "{waited}");
    assert!(waited.to_string().contains("before a request could be sent"), "{waited}");
    assert_eq!(bench.server.count("GetSecretValue"), 4);
}

/// Each role has connections of its own, and all of them together are four.
#[tokio::test]
async fn many_roles_at_one_host_have_no_more_than_four_connections() {
    let bench = Bench::new(after_sts(|seen| match seen.parameter("RoleArn") {
        Some(role) => credentials_of(&role),
        None => value("x"),
    }))
    .await;
    for _ in 0..2 {
        for account in 0..9 {
            let role_arn = format!("acs:ram::{account}:role/reader");
            let assume = Some(AssumedRole { role_arn, external_id: None });
            bench.fetch(&Lookup { assume, ..secret("db") }).await.unwrap();
        }
    }
    let seen = bench.server.seen();
    let mut roles: HashSet<(usize, &str)> = HashSet::new();
    let at_kms = seen.iter().filter(|seen| seen.host() == KMS);
    roles.extend(at_kms.map(|seen| (seen.connection, seen.key_id())));
    let connections: HashSet<usize> = roles.iter().map(|(connection, _)| *connection).collect();
    assert_eq!(roles.len(), connections.len());
    // One of them belongs to STS.
    bench.server.has_open_at_most(4 + 1).await;
}
