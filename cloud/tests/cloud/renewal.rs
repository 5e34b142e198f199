//! Credentials and clocks over time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cloud::{Lookup, Session, Transport};
use secret::Failure;

use crate::authority::Authority;
use crate::server::{
    Reply, Seen, Server, config, credentials, credentials_until, quick, refusal, secret, session,
    soon, value,
};

/// A session over a clock that the test moves, and STS credentials that end at 10:00.
async fn clocked(
    handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
) -> (Server, Session, Arc<AtomicUsize>) {
    let authority = Authority::root("public");
    let names = ["*.cn-hangzhou.aliyuncs.com", "*.cn-beijing.aliyuncs.com"];
    let server = Server::start(authority.leaf(&names), handler).await;
    let transport = Transport::new(config(&authority, server.address)).unwrap();
    // 2025-01-02T09:00:00Z
    let now = Arc::new(AtomicUsize::new(1_735_808_400));
    let clock = Arc::clone(&now);
    let session = session(transport, quick()).with_clock(move || -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(clock.load(Ordering::SeqCst) as u64)
    });
    (server, session, now)
}

#[tokio::test]
async fn credentials_are_renewed_before_they_end() {
    let (server, session, now) = clocked(|seen| match seen.action() {
        "AssumeRoleWithOIDC" => {
            credentials_until("STS.x", "acs:ram::1:role/app/pod", "2025-01-02T10:00:00Z")
        }
        _ => value("x"),
    })
    .await;
    for (minutes, exchanges) in [(0, 1), (49, 1), (51, 2)] {
        now.store(1_735_808_400 + minutes * 60, Ordering::SeqCst);
        session.fetch(&secret("db"), soon()).await.unwrap();
        assert_eq!(session.exchanges(), exchanges, "after {minutes} minutes");
    }
    let dates: Vec<String> =
        server.seen().iter().filter_map(|seen| seen.headers.get("x-acs-date").cloned()).collect();
    assert_eq!(dates, ["2025-01-02T09:00:00Z", "2025-01-02T09:49:00Z", "2025-01-02T09:51:00Z"]);
}

#[tokio::test]
async fn an_early_renewal_that_fails_does_no_harm() {
    let issued = AtomicUsize::new(0);
    let (server, session, now) = clocked(move |seen| match seen.action() {
        "AssumeRoleWithOIDC" if issued.fetch_add(1, Ordering::SeqCst) == 0 => {
            credentials_until("STS.1", "acs:ram::1:role/app/pod", "2025-01-02T10:00:00Z")
        }
        "AssumeRoleWithOIDC" => refusal(401, "AuthenticationFail.NoPermission"),
        _ => value("x"),
    })
    .await;
    session.fetch(&secret("db"), soon()).await.unwrap();
    now.store(1_735_808_400 + 55 * 60, Ordering::SeqCst);
    for _ in 0..3 {
        session.fetch(&secret("db"), soon()).await.unwrap();
    }
    assert_eq!(server.count("AssumeRoleWithOIDC"), 2);
    // Once they are over there is nothing to go on with.
    now.store(1_735_808_400 + 60 * 60, Ordering::SeqCst);
    let error = session.fetch(&secret("db"), soon()).await.unwrap_err();
    assert_eq!(error.failure(), Failure::Identity);
}

#[tokio::test]
async fn a_wrong_clock_is_corrected_from_the_answer() {
    let (server, session, _now) = clocked(|seen| match seen.action() {
        "AssumeRoleWithOIDC" => credentials("STS.x", "acs:ram::1:role/app/pod"),
        _ if seen.headers["x-acs-date"].starts_with("2025-01-02T12:") => value("x"),
        _ => Reply::Full(
            400,
            vec![("date", String::from("Thu, 02 Jan 2025 12:00:00 GMT"))],
            String::from(r#"{"Code":"InvalidTimeStamp.Expired","Message":"m"}"#),
        ),
    })
    .await;
    assert_eq!(session.fetch(&secret("db"), soon()).await.unwrap().attempts, 2);
    // The correction stays with the session.
    assert_eq!(session.fetch(&secret("db"), soon()).await.unwrap().attempts, 1);
    assert_eq!(server.count("GetSecretValue"), 3);
}

/// Neither another host nor the end of credentials is dated by it.
#[tokio::test]
async fn the_date_of_one_host_counts_for_that_host_alone() {
    const OTHER: &str = "kms.cn-beijing.aliyuncs.com";
    for date in ["Thu, 01 Jan 1970 00:00:00 GMT", "Thu, 01 Jan 2099 00:00:00 GMT"] {
        let (server, session, now) = clocked(move |seen| match seen.action() {
            "AssumeRoleWithOIDC" => {
                credentials_until("STS.x", "acs:ram::1:role/app/pod", "2025-01-02T10:00:00Z")
            }
            _ if seen.host() == OTHER && seen.headers["x-acs-date"].starts_with("2025") => {
                let body = r#"{"Code":"InvalidTimeStamp.Expired","Message":"m"}"#;
                Reply::Full(400, vec![("date", String::from(date))], String::from(body))
            }
            _ => value("x"),
        })
        .await;
        let other = Lookup { endpoint: String::from(OTHER), ..secret("db") };
        assert_eq!(session.fetch(&other, soon()).await.unwrap().attempts, 2);
        assert_eq!(session.fetch(&secret("db"), soon()).await.unwrap().attempts, 1);
        let asked = server.seen().pop().unwrap();
        assert_eq!(asked.headers["x-acs-date"], "2025-01-02T09:00:00Z");
        assert_eq!(session.exchanges(), 1);
        now.store(1_735_808_400 + 51 * 60, Ordering::SeqCst);
        session.fetch(&secret("db"), soon()).await.unwrap();
        assert_eq!(session.exchanges(), 2);
    }
}

/// Ours is four hours ahead of all others.
#[tokio::test]
async fn credentials_end_by_the_clock_of_who_gave_them() {
    let date = || vec![("date", String::from("Thu, 02 Jan 2025 05:00:00 GMT"))];
    let (server, session, now) = clocked(move |seen| match seen.action() {
        "AssumeRoleWithOIDC" => {
            let arn = "acs:ram::1:role/app/pod";
            let Reply::Json(_, body) = credentials_until("STS.x", arn, "2025-01-02T06:00:00Z")
            else {
                unreachable!()
            };
            Reply::Full(200, date(), body)
        }
        _ if seen.headers["x-acs-date"].starts_with("2025-01-02T05:") => value("x"),
        _ => {
            let body = r#"{"Code":"InvalidTimeStamp.Expired","Message":"m"}"#;
            Reply::Full(400, date(), String::from(body))
        }
    })
    .await;
    for (minutes, exchanges) in [(0, 1), (49, 1), (51, 2)] {
        now.store(1_735_808_400 + minutes * 60, Ordering::SeqCst);
        session.fetch(&secret("db"), soon()).await.unwrap();
        assert_eq!(session.exchanges(), exchanges, "after {minutes} minutes");
    }
    assert_eq!(server.count("GetSecretValue"), 4);
}

/// A wrong clock in between is no reason to doubt what ours does not.
#[tokio::test]
async fn credentials_are_over_when_both_clocks_say_so() {
    for date in [vec![], vec![("date", String::from("Thu, 01 Jan 2099 00:00:00 GMT"))]] {
        for (end, over) in [("2025-01-02T10:00:00Z", false), ("2025-01-02T09:00:00Z", true)] {
            let date = date.clone();
            let (server, session, _now) = clocked(move |seen| {
                if seen.action() != "AssumeRoleWithOIDC" {
                    return value("x");
                }
                let arn = "acs:ram::1:role/app/pod";
                let Reply::Json(_, body) = credentials_until("STS.x", arn, end) else {
                    unreachable!()
                };
                Reply::Full(200, date.clone(), body)
            })
            .await;
            let (a, b) = (secret("a"), secret("b"));
            let both = tokio::join!(session.fetch(&a, soon()), session.fetch(&b, soon()));
            // One exchange that failed, and not one for each who needs it.
            assert_eq!(session.exchanges(), 1);
            for fetched in [both.0, both.1] {
                let class = fetched.err().map(|error| error.failure());
                assert_eq!(class, over.then_some(Failure::Unusable), "{end}");
            }
            assert_eq!(server.count("GetSecretValue"), if over { 0 } else { 2 });
        }
    }
}
