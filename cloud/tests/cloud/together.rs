//! Several secrets in one call: what is a clean answer, what a refusal of one says, and what falls back
//! to calls for one.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cloud::{Batching, Error, KmsBatching, Lookup, Transport, TransportConfig};
use secret::{Failure, Fetched};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::authority::Authority;
use crate::server::{
    Bench, Reply, Seen, Server, after_sts, config, quick, refusal, secret, session, soon, value,
};

const SEVERAL: &str = "BatchGetSecretValue";
const ONE: &str = "GetSecretValue";
const NAMES: [&str; 4] = ["a", "b", "c", "d"];

type Parts = Vec<Option<Result<Fetched, Error>>>;

/// A bench on which the secrets of [`NAMES`] go out together, answered by `several`, or by `one`.
async fn bench(
    several: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    one: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
) -> Bench {
    let answer =
        after_sts(move |seen| if seen.action() == SEVERAL { several(seen) } else { one(seen) });
    let mut bench = Bench::new(answer).await;
    let batching = Batching { kms: KmsBatching::Shared, oos: false };
    bench.session = bench.session.clone().with_batching(batching);
    bench
}

async fn together(bench: &Bench) -> Parts {
    together_until(bench, soon()).await
}

async fn together_until(bench: &Bench, deadline: Instant) -> Parts {
    let lookups = NAMES.map(secret);
    let lookups: Vec<&Lookup> = lookups.iter().collect();
    assert_eq!(bench.session.batches(&lookups), [[0, 1, 2, 3]]);
    bench.session.fetch_together(&lookups, deadline).await
}

fn goes_together(bench: &Bench) -> bool {
    let lookups = NAMES.map(secret);
    !bench.session.batches(&lookups.iter().collect::<Vec<_>>()).is_empty()
}

fn changed(change: impl Fn(&mut Value)) -> impl Fn(&Seen) -> Reply {
    move |seen| {
        let mut answer = seen.answers();
        change(&mut answer);
        Reply::Json(200, answer.to_string())
    }
}

fn clean(seen: &Seen) -> Reply {
    Reply::Json(200, seen.answers().to_string())
}

fn never(seen: &Seen) -> Reply {
    panic!("{} is not to be asked", seen.line)
}

#[tokio::test]
async fn four_secrets_are_one_request_on_one_connection() {
    let bench = bench(clean, never).await;
    let parts = together(&bench).await;
    for (part, name) in parts.into_iter().zip(NAMES) {
        let fetched = part.unwrap().unwrap();
        assert_eq!(fetched.value.expose(), format!("value of {name}").as_bytes());
        assert_eq!((fetched.request_id.as_str(), fetched.attempts), ("batch-1", 1));
        assert_eq!(fetched.caller, "acs:ram::1:role/app/pod");
        assert_eq!(fetched.metadata.name.as_deref(), Some(name));
    }
    assert_eq!((bench.server.count(SEVERAL), bench.server.accepted()), (1, 2));
    let seen = bench.server.seen().pop().unwrap();
    assert!(seen.body.is_empty() && !seen.headers.contains_key("content-type"), "{seen:?}");
    assert!(goes_together(&bench));
}

/// Whoever reads of it is to check the same things, whichever way it was asked.
#[tokio::test]
async fn a_part_that_is_refused_is_told_like_a_call_for_one() {
    for (code, status) in
        [("Forbidden.ResourceNotFound", 404), ("Rejected.Disabled", 409), ("InvalidParameter", 400)]
    {
        let refused =
            json!({"SecretName": "b", "Code": code, "HttpStatus": status, "Message": "No."});
        let bench = bench(
            changed(move |answer| {
                answer["SecretValues"].as_array_mut().unwrap().remove(1);
                answer["Errors"] = json!([refused]);
                answer["RequestId"] = json!("r-1");
            }),
            move |_| refusal(status, code),
        )
        .await;
        let mut parts = together(&bench).await;
        let told = parts.remove(1).unwrap().unwrap_err();
        assert!(parts.into_iter().all(|part| part.unwrap().is_ok()));
        let alone = bench.fetch(&secret("b")).await.unwrap_err();
        assert_eq!(told.to_string(), alone.to_string());
        assert_eq!((told.failure(), told.code()), (alone.failure(), alone.code()));
        assert_eq!(told.is_revocation(), alone.is_revocation());
        assert_eq!(told.request_id(), Some("r-1"));
        assert!(goes_together(&bench), "{code}");
    }
}

/// The calls for one tell which secret it is. A host is asked so once.
#[tokio::test]
async fn whatever_is_no_clean_answer_is_asked_one_by_one_and_remembered() {
    type Answer = fn(&Seen) -> Reply;
    let answers: [Answer; 11] = [
        |_| refusal(403, "Forbidden.NoPermission"),
        |_| refusal(404, "Forbidden.ResourceNotFound"),
        |_| refusal(404, "InvalidApi.NotFound"),
        |_| refusal(400, "InvalidApiName"),
        |_| refusal(400, "InvalidParameter"),
        |_| refusal(400, "SignatureDoesNotMatch"),
        |_| Reply::Json(404, String::from("not found")),
        |_| Reply::Json(200, String::from("{}")),
        |_| Reply::Json(200, String::from("[1")),
        |seen| changed(|answer| answer["SecretValues"][2]["SecretName"] = json!("other"))(seen),
        |seen| changed(|answer| drop(answer["SecretValues"].as_array_mut().unwrap().pop()))(seen),
    ];
    for answer in answers {
        let bench = bench(answer, |_| value("x")).await;
        let parts = together(&bench).await;
        assert!(parts.len() == 4 && parts.iter().all(Option::is_none), "{parts:?}");
        assert_eq!((bench.server.count(SEVERAL), bench.server.count(ONE)), (1, 0));
        assert!(!goes_together(&bench));
        // Nothing that came on that connection is believed, and the next answer is.
        assert_eq!(bench.fetch(&secret("a")).await.unwrap().value.expose(), b"x");
    }
}

#[tokio::test]
async fn a_host_that_refuses_is_remembered_and_others_are_asked_together() {
    let bench = bench(|_| refusal(404, "InvalidApi.NotFound"), never).await;
    together(&bench).await;
    let elsewhere =
        |name| Lookup { endpoint: String::from("kms-vpc.cn-beijing.aliyuncs.com"), ..secret(name) };
    let (here, there) = (NAMES.map(secret), NAMES.map(elsewhere));
    let all: Vec<&Lookup> = here.iter().chain(&there).collect();
    assert_eq!(bench.session.batches(&all), [[4, 5, 6, 7]]);
}

#[tokio::test]
async fn a_throttled_batch_is_sent_again_as_a_batch() {
    let attempts = AtomicUsize::new(0);
    let throttle_twice = move |seen: &Seen| match attempts.fetch_add(1, Ordering::SeqCst) {
        0 => refusal(429, "Rejected.Throttling"),
        1 => refusal(400, "Throttling.User"),
        _ => clean(seen),
    };
    let bench = bench(throttle_twice, never).await;
    for part in together(&bench).await {
        assert_eq!(part.unwrap().unwrap().attempts, 3);
    }
    assert!(goes_together(&bench));
}

#[tokio::test]
async fn a_batch_that_stays_throttled_is_each_secrets_own_failure() {
    let throttled = |_: &Seen| refusal(429, "Rejected.Throttling");
    let bench = bench(throttled, throttled).await;
    let parts = together_until(&bench, Instant::now() + Duration::from_millis(300)).await;
    each_failed(parts, Failure::Throttled);
    // That is what batches are good for.
    assert!(goes_together(&bench));
}

/// Values may be smaller the next time.
#[tokio::test]
async fn an_answer_that_is_too_large_is_asked_one_by_one_for_a_while() {
    let bench = bench(|_| Reply::Json(200, "x".repeat(2 << 20)), never).await;
    assert!(together(&bench).await.iter().all(Option::is_none));
    assert!(!goes_together(&bench) && goes_together(&bench));
}

/// With the call that was made for it, and no other.
fn each_failed(parts: Parts, failure: Failure) {
    for (index, (part, name)) in parts.into_iter().zip(NAMES).enumerate() {
        let error = part.unwrap().unwrap_err();
        assert_eq!((error.failure(), error.subject()), (failure, name));
        let call = if index == 0 { "KMS GetSecretValue" } else { "KMS BatchGetSecretValue" };
        assert_eq!(error.operation(), call);
    }
}

/// A limit of its own, a batch that counts as many, something in between: one question tells.
#[tokio::test]
async fn where_only_several_at_once_are_refused_for_now_they_are_asked_one_by_one_for_a_while() {
    for (status, code) in [
        (429, "Rejected.Throttling"),
        (400, "Throttling.User"),
        (400, "Throttling.Api"),
        (429, "SomethingNew"),
        (400, "SignatureNonceUsed"),
        (400, "InvalidTimeStamp.Expired"),
    ] {
        let bench = bench(move |_| refusal(status, code), |_| value("x")).await;
        for looks in [1, 2, 4] {
            let parts = together_until(&bench, Instant::now() + Duration::from_secs(1)).await;
            assert_eq!(parts[0].as_ref().unwrap().as_ref().unwrap().value.expose(), b"x", "{code}");
            assert!(parts.len() == 4 && parts[1..].iter().all(Option::is_none), "{parts:?}");
            let rests = std::iter::repeat_with(|| goes_together(&bench)).take_while(|goes| !goes);
            assert_eq!(rests.count(), looks, "{code}");
        }
        assert_eq!(bench.server.count(ONE), 3);
    }
}

#[tokio::test]
async fn credentials_that_a_batch_is_refused_for_are_renewed_once() {
    let attempts = AtomicUsize::new(0);
    let expired_once = move |seen: &Seen| match attempts.fetch_add(1, Ordering::SeqCst) {
        0 => refusal(400, "InvalidSecurityToken.Expired"),
        _ => clean(seen),
    };
    let bench = bench(expired_once, never).await;
    for part in together(&bench).await {
        assert_eq!(part.unwrap().unwrap().attempts, 2);
    }
    assert_eq!(bench.session.exchanges(), 2);
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_corrected_for_a_batch_too() {
    let attempts = AtomicUsize::new(0);
    let late_once = move |seen: &Seen| match attempts.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::Full(
            400,
            vec![("date", String::from("Thu, 01 Jan 2026 00:00:00 GMT"))],
            json!({"Code": "InvalidTimeStamp.Expired", "RequestId": "r"}).to_string(),
        ),
        _ => clean(seen),
    };
    let bench = bench(late_once, never).await;
    assert!(together(&bench).await.into_iter().all(|part| part.unwrap().is_ok()));
    assert!(bench.server.seen().pop().unwrap().headers["x-acs-date"].starts_with("2026-01-01"));
}

/// One question by itself tells whether the host is well.
#[tokio::test]
async fn a_host_that_answers_one_and_not_several_is_asked_one_by_one() {
    type Answer = fn(&Seen) -> Reply;
    let answers: [Answer; 5] = [
        |_| refusal(500, "InternalFailure"),
        |_| Reply::Json(502, String::from("<html>")),
        |_| Reply::Json(302, String::new()),
        |_| Reply::Raw(String::new()),
        |_| Reply::Silence,
    ];
    for answer in answers {
        let bench = bench(answer, |_| value("x")).await;
        let parts = together_until(&bench, Instant::now() + Duration::from_secs(2)).await;
        assert_eq!(parts[0].as_ref().unwrap().as_ref().unwrap().value.expose(), b"x");
        assert!(parts.len() == 4 && parts[1..].iter().all(Option::is_none), "{parts:?}");
        assert_eq!((bench.server.count(SEVERAL), bench.server.count(ONE)), (1, 1));
        assert!(!goes_together(&bench));
    }
}

#[tokio::test]
async fn after_an_outage_the_rest_is_asked_together_again() {
    let (several, one) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let bench = bench(
        move |seen| match several.fetch_add(1, Ordering::SeqCst) {
            0 => refusal(503, "ServiceUnavailable"),
            _ => clean(seen),
        },
        move |_| match one.fetch_add(1, Ordering::SeqCst) {
            0..3 => refusal(503, "ServiceUnavailable"),
            _ => value("x"),
        },
    )
    .await;
    let parts = together(&bench).await;
    assert!(parts.len() == 4 && parts.into_iter().all(|part| part.unwrap().is_ok()));
    assert_eq!((bench.server.count(SEVERAL), bench.server.count(ONE)), (2, 4));
    assert_eq!(bench.server.seen().pop().unwrap().listed().len(), 3);
    assert!(goes_together(&bench));
}

#[tokio::test]
async fn an_outage_that_outlasts_the_deadline_is_each_secrets_own_failure() {
    let down = |_: &Seen| refusal(503, "ServiceUnavailable");
    let bench = bench(down, down).await;
    let parts = together_until(&bench, Instant::now() + Duration::from_millis(300)).await;
    each_failed(parts, Failure::Unreachable);
    // The next look is one by one, the one after it is not.
    assert!(!goes_together(&bench) && goes_together(&bench));
}

#[tokio::test]
async fn without_credentials_each_secret_fails_with_the_reason_for_that() {
    let bench = Bench::new(|_| refusal(401, "AuthenticationFail.NoPermission")).await;
    let batching = Batching { kms: KmsBatching::Shared, oos: false };
    let bench = Bench { session: bench.session.clone().with_batching(batching), ..bench };
    for part in together(&bench).await {
        let error = part.unwrap().unwrap_err();
        assert_eq!(error.operation(), "STS AssumeRoleWithOIDC");
        assert_eq!((error.failure(), error.attempts()), (Failure::Identity, 1));
    }
    assert_eq!(bench.server.count("AssumeRoleWithOIDC"), 1);
    assert!(goes_together(&bench));
}

#[tokio::test]
async fn a_part_that_is_not_final_is_left_to_a_call_for_one() {
    for code in [
        "Rejected.Throttling",
        "InternalFailure",
        "InvalidSecurityToken.Expired",
        "New",
        "Forbidden.NoPermission",
        "Forbidden.RAM",
    ] {
        let failed = json!({"SecretName": "c", "Code": code, "HttpStatus": 400, "Message": "No."});
        let several = changed(move |answer| {
            answer["SecretValues"].as_array_mut().unwrap().remove(2);
            answer["Errors"] = json!([failed]);
        });
        let bench = bench(several, never).await;
        let parts = together(&bench).await;
        let came: Vec<bool> = parts.iter().map(Option::is_some).collect();
        assert_eq!(came, [true, true, false, true], "{code}");
        assert!(goes_together(&bench), "{code}");
    }
}

/// An answer that was one too many gives each later question that of another one.
#[tokio::test]
async fn a_shifted_answer_is_never_the_value_of_another_secret() {
    let before: std::sync::Mutex<Option<String>> = std::sync::Mutex::default();
    let shifted = move |seen: &Seen| {
        let answer = seen.answers().to_string();
        let late = before.lock().unwrap().replace(answer.clone());
        Reply::Json(200, late.unwrap_or(answer))
    };
    let bench = bench(shifted, |seen| {
        value(&format!("value of {}", seen.parameter("SecretName").unwrap()))
    })
    .await;
    assert!(together(&bench).await.into_iter().all(|part| part.unwrap().is_ok()));
    let others = ["e", "f", "g"].map(secret);
    let others: Vec<&Lookup> = others.iter().collect();
    let parts = bench.session.fetch_together(&others, soon()).await;
    assert!(parts.iter().all(Option::is_none), "{parts:?}");
    let accepted = bench.server.accepted();
    assert_eq!(bench.fetch(&secret("e")).await.unwrap().value.expose(), b"value of e");
    assert_eq!(bench.server.accepted(), accepted + 1, "that connection has ended");
}

#[tokio::test]
async fn no_failure_tells_anything_of_a_value() {
    let told = |answer: Value| async move {
        let bench = bench(
            move |_| Reply::Json(200, answer.to_string()),
            |_| refusal(403, "Forbidden.NoPermission"),
        )
        .await;
        let parts = together(&bench).await;
        format!("{parts:?}")
    };
    let canary = |name: &str| {
        json!({"SecretName": name, "VersionId": "v1", "SecretDataType": "text",
        "SecretData": "canary-value", "VersionStages": {"VersionStage": ["ACSCurrent"]}})
    };
    let refused = |message: &str| {
        json!({"SecretName": "d", "Code": "Forbidden.NoPermission",
        "HttpStatus": 403, "Message": message})
    };
    let values = [canary("a"), canary("b"), canary("c")];
    for (values, errors, id) in [
        (json!(values), json!([refused("it is canary-value")]), "canary-value"),
        (json!(values), json!([refused(r#"{"SecretData":"canary"}"#)]), "r"),
        (json!([canary("canary-value"), canary("b")]), json!([]), "canary-value"),
        (json!(values), json!([{"SecretName": "d", "Code": "canary-value"}]), "r"),
        (json!(values), json!(["canary-value"]), "r"),
    ] {
        let answer = json!({"SecretValues": values, "Errors": errors, "RequestId": id});
        let told = told(answer).await;
        assert!(!told.contains("canary"), "{told}");
    }
}

/// Its handshake is over when there is something to send.
#[tokio::test]
async fn a_connection_is_opened_while_sts_has_not_answered() {
    let authority = Authority::root("public");
    let leaf = authority.leaf(&["*.cn-hangzhou.aliyuncs.com"]);
    let server = Server::start(leaf, |_| Reply::Silence).await;
    // Nothing is asked of STS a second time.
    let read_timeout = Duration::from_secs(600);
    let config = TransportConfig { read_timeout, ..config(&authority, server.address) };
    let session = session(Transport::new(config).unwrap(), quick());
    let (asked, other) = (secret("a"), secret("b"));
    let both = async { tokio::join!(session.fetch(&asked, soon()), session.fetch(&other, soon())) };
    tokio::select! {
        _ = both => panic!("nobody answers"),
        () = server.has_open_at_least(2) => {}
    }
    assert_eq!(server.accepted(), 2);
    assert!(server.seen().iter().all(|seen| seen.action() == "AssumeRoleWithOIDC"));
}
