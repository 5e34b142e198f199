//! What is sent again, how soon, and what is said when time is over.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cloud::{AssumedRole, Lookup, Transport};
use secret::{Failure, RetryPolicy};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::authority::Authority;
use crate::server::{
    Bench, Reply, Seen, Server, after_sts, config, credentials_of, quick, refusal, secret, session,
    soon, value,
};

type Fetch = Result<secret::Fetched, cloud::Error>;

/// Fails `times` as told, then works.
fn at_last(
    times: usize,
    failure: impl Fn() -> Reply + Send + Sync + 'static,
) -> impl Fn(&Seen) -> Reply + Send + Sync + 'static {
    let count = AtomicUsize::new(0);
    after_sts(
        move |_| {
            if count.fetch_add(1, Ordering::SeqCst) < times { failure() } else { value("x") }
        },
    )
}

#[tokio::test]
async fn what_may_work_later_is_sent_again() {
    let failures: [fn() -> Reply; 8] = [
        || refusal(400, "Throttling.User"),
        || refusal(429, "Rejected.Throttling"),
        || refusal(503, "ServiceUnavailableTemporary"),
        || refusal(500, "InternalFailure"),
        || refusal(400, "SignatureNonceUsed"),
        || Reply::Full(502, vec![], String::from("<html>bad gateway</html>")),
        || Reply::Raw(String::new()),
        || Reply::Raw(String::from("HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{\"Secr")),
    ];
    for (index, failure) in failures.into_iter().enumerate() {
        let bench = Bench::new(at_last(2, failure)).await;
        let fetched = bench.fetch(&secret("db")).await.unwrap_or_else(|e| panic!("{index}: {e}"));
        assert_eq!(fetched.attempts, 3, "{index}");
    }
}

#[tokio::test]
async fn every_attempt_is_counted_by_what_came_of_it_and_heard_of_when_another_one_follows() {
    let bench = Bench::new(at_last(2, || refusal(503, "ServiceUnavailableTemporary"))).await;
    let (heard, told) = std::sync::mpsc::channel();
    let session = bench.session.with_retry(quick()).with_observer(move |error| {
        heard.send((error.operation(), error.failure(), error.attempts())).unwrap();
    });
    session.fetch(&secret("db"), soon()).await.unwrap();
    let kms = "KMS GetSecretValue";
    let failed = Failure::Unreachable;
    assert_eq!(told.try_iter().collect::<Vec<_>>(), [(kms, failed, 1), (kms, failed, 2)]);
    let counted: Vec<_> =
        session.requests().into_iter().map(|of| (of.operation, of.failed, of.count)).collect();
    let sts = ("STS AssumeRoleWithOIDC", None, 1);
    assert_eq!(counted, [(kms, None, 1), (kms, Some(failed), 2), sts]);
    assert_eq!(session.exchanges(), 1);
}

#[tokio::test]
async fn every_attempt_is_signed_anew() {
    let bench = Bench::new(at_last(3, || refusal(400, "Throttling"))).await;
    bench.fetch(&secret("db")).await.unwrap();
    let seen = bench.server.seen();
    let of = |name: &str| -> HashSet<String> {
        seen.iter().filter_map(|seen| seen.headers.get(name).cloned()).collect()
    };
    assert_eq!(of("x-acs-signature-nonce").len(), 4);
    assert_eq!(of("authorization").len(), 4);
}

#[tokio::test]
async fn the_servers_hint_is_waited_for() {
    let retry = RetryPolicy::new(Duration::from_millis(1), Duration::from_secs(10)).unwrap();
    let bench = Bench::with_retry(
        retry,
        at_last(1, || {
            let hint = ("x-acs-retry-after", String::from("150"));
            Reply::Full(429, vec![hint], String::from(r#"{"Code":"Throttling"}"#))
        }),
    )
    .await;
    bench.fetch(&secret("db")).await.unwrap();
    let seen = bench.server.seen();
    assert!(seen[2].at - seen[1].at >= Duration::from_millis(150));
}

#[tokio::test]
async fn a_hint_of_a_day_is_not() {
    // Unclamped it would end the fetch: the deadline is a minute away.
    let bench = Bench::new(at_last(1, || {
        Reply::Full(429, vec![("retry-after", String::from("86400"))], String::new())
    }))
    .await;
    assert_eq!(bench.fetch(&secret("db")).await.unwrap().attempts, 2);
}

#[tokio::test]
async fn a_pause_that_would_pass_the_deadline_ends_in_one_last_attempt() {
    let hour = Duration::from_secs(3600);
    let bench = Bench::with_retry(
        RetryPolicy::new(hour, hour).unwrap(),
        after_sts(|_| {
            let hint = ("retry-after", String::from("3600"));
            Reply::Full(429, vec![hint], String::from(r#"{"Code":"Rejected.Throttling"}"#))
        }),
    )
    .await;
    bench.session.caller(soon()).await.unwrap();
    let began = Instant::now();
    let timeout = Duration::from_secs(2);
    let error = bench.session.fetch(&secret("db"), began + timeout).await.unwrap_err();
    assert!(began.elapsed() >= timeout / 2, "{:?}", began.elapsed());
    assert_eq!((error.failure(), error.attempts()), (Failure::Throttled, 2));
    assert_eq!(error.code(), Some("Rejected.Throttling"));
    assert!(error.is_retriable());
}

#[tokio::test]
async fn the_deadline_does_not_hide_the_last_real_error() {
    let count = AtomicUsize::new(0);
    let bench = Bench::new(after_sts(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0..=2 => refusal(400, "Throttling.Api"),
        _ => Reply::Silence,
    }))
    .await;
    bench.session.caller(soon()).await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(3);
    let error = bench.session.fetch(&secret("db"), deadline).await.unwrap_err();
    assert_eq!((error.failure(), error.code()), (Failure::Throttled, Some("Throttling.Api")));
    assert_eq!(error.attempts(), 4);
    assert!(error.to_string().ends_with("after 4 attempts"), "{error}");
}

#[tokio::test]
async fn a_failing_sts_is_told_to_all_who_wait_until_the_deadline() {
    let bench = Bench::new(|_| refusal(500, "InternalError")).await;
    let deadline = Instant::now() + Duration::from_millis(300);
    let (one, two) = (secret("one"), secret("two"));
    let (one, two) =
        tokio::join!(bench.session.fetch(&one, deadline), bench.session.fetch(&two, deadline));
    for error in [one.unwrap_err(), two.unwrap_err()] {
        assert_eq!((error.failure(), error.code()), (Failure::Unreachable, Some("InternalError")));
    }
}

/// Two accounts use one host; the first one is told to come back in an hour.
async fn with_a_throttled_account() -> (Bench, [Lookup; 2]) {
    let hour = Duration::from_secs(3600);
    let handler = after_sts(|seen| match seen.parameter("RoleArn") {
        Some(role) => credentials_of(&role),
        None if seen.key_id() == "STS.2" => refusal(429, "Rejected.Throttling"),
        None => value("x"),
    });
    let bench = Bench::with_retry(RetryPolicy::new(hour, hour).unwrap(), handler).await;
    let of = |account| {
        let role_arn = format!("acs:ram::{account}:role/reader");
        Lookup { assume: Some(AssumedRole { role_arn, external_id: None }), ..secret("db") }
    };
    (bench, [of(2), of(3)])
}

/// Fetches the second when the first was throttled and waits.
async fn beside(bench: &Bench, waits: &Lookup, lookup: &Lookup, within: Duration) -> Fetch {
    let throttled = Arc::new(Notify::new());
    let heard = Arc::clone(&throttled);
    let session = bench.session.clone().with_observer(move |_| heard.notify_one());
    tokio::select! {
        ended = session.fetch(waits, Instant::now() + Duration::from_secs(7200)) => panic!("{ended:?}"),
        fetched = async {
            throttled.notified().await;
            bench.session.fetch(lookup, Instant::now() + within).await
        } => fetched,
    }
}

#[tokio::test]
async fn an_account_that_is_throttled_keeps_no_other_of_the_same_host_waiting() {
    let (bench, [throttled, well]) = with_a_throttled_account().await;
    let fetched = beside(&bench, &throttled, &well, Duration::from_secs(60)).await.unwrap();
    assert_eq!((fetched.value.expose(), fetched.attempts), (&b"x"[..], 1));
}

#[tokio::test]
async fn who_is_not_sent_because_others_were_throttled_is_told_so_and_not_their_refusal() {
    let (bench, [throttled, _]) = with_a_throttled_account().await;
    let shortly = Duration::from_millis(300);
    let error = beside(&bench, &throttled, &throttled, shortly).await.unwrap_err();
    assert_eq!((error.failure(), error.attempts()), (Failure::Throttled, 0));
    assert_eq!((error.code(), error.status(), error.request_id()), (None, None, None));
    assert!(error.to_string().contains("not sent"), "{error}");
    assert!(error.is_retriable());
}

#[tokio::test]
async fn a_deadline_in_the_past_sends_nothing() {
    let bench = Bench::new(after_sts(|_| value("x"))).await;
    let error = bench.session.fetch(&secret("db"), Instant::now()).await.unwrap_err();
    assert_eq!((error.failure(), error.attempts()), (Failure::Unreachable, 0));
    assert_eq!(bench.server.accepted(), 0);
}

#[tokio::test]
async fn a_silent_or_slow_answer_ends_one_attempt_only() {
    let stalls: [fn() -> Reply; 3] = [
        || Reply::Silence,
        || Reply::Stall(String::from("HTTP/1.1 200 OK\r\ncontent-le")),
        || Reply::Stall(String::from("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{")),
    ];
    for stall in stalls {
        let authority = Authority::root("public");
        let leaf = authority.leaf(&["*.cn-hangzhou.aliyuncs.com"]);
        let server = Server::start(leaf, at_last(1, stall)).await;
        let mut config = config(&authority, server.address);
        // Both limits only have to end; the second attempt has the whole deadline.
        config.connect_timeout = Duration::from_millis(500);
        config.read_timeout = Duration::from_millis(500);
        let session = session(Transport::new(config).unwrap(), quick());
        let fetched = session.fetch(&secret("db"), soon()).await.unwrap();
        assert!(fetched.attempts >= 2);
    }
}
