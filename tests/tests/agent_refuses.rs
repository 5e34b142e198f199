//! What the local agent refuses, and whom: without a token, from elsewhere, out of scope, too much.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use lab::agent::{Served, wanted};
use lab::cloud::{Cloud, CloudConfig, SecretSeed, Seed};
use lab::fetcher::ACCOUNT;
use plan::{Agent, UpToThousand};
use rustix::process::Signal;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const GET: &str = "/secretsmanager/get?secretId=shop/a";

async fn cloud() -> Cloud {
    let cloud = Cloud::start(CloudConfig::new(Seed::demo().unwrap())).await.unwrap();
    for name in ["shop/a", "shop/b", "billing/a"] {
        cloud.put_secret(ACCOUNT, SecretSeed::text(name, "CANARY-1")).unwrap();
    }
    cloud
}

async fn served(cloud: &Cloud, change: impl FnOnce(&mut Agent)) -> Served {
    let mut agent = wanted(&["shop/a", "billing/*"]).unwrap();
    change(&mut agent);
    Served::start(cloud, agent, &[], &[]).await.unwrap()
}

async fn ends_well(mut served: Served) {
    served.running.signal(Signal::TERM).unwrap();
    assert_eq!(served.running.ended().await.unwrap().code(), Some(0));
    assert!(!served.running.log().contains("CANARY"), "{}", served.running.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_client_of_this_pod_that_knows_the_token_is_answered() {
    let cloud = cloud().await;
    let served = served(&cloud, |_| {}).await;
    let token = served.token().unwrap();
    let token = token.as_str();
    let (port, wrong) = (served.port, "0".repeat(64));
    let local = ("Host", "localhost");
    let right = ("X-KMS-Token", token);
    for (headers, status, body) in [
        (vec![local], 403, "Bad Token"),
        (vec![local, ("X-KMS-Token", &wrong)], 403, "Bad Token"),
        (vec![local, ("X-KMS-Token", "")], 403, "Bad Token"),
        (vec![local, ("X-Vault-Token", &wrong)], 403, "Bad Token"),
        (vec![local, right, ("X-Vault-Token", &wrong)], 403, "Bad Token"),
        (vec![local, right, ("X-KMS-Token", &wrong)], 403, "Bad Token"),
        (vec![local, ("X-Aws-Parameters-Secrets-Token", token)], 403, "Bad Token"),
        (vec![local, right, ("X-Forwarded-For", "10.1.2.3")], 400, "Forwarded"),
        (vec![local, ("X-Forwarded-For", "10.1.2.3")], 400, "Forwarded"),
        (vec![local, right, ("Via", "1.1 proxy")], 400, "Forwarded"),
        (vec![local, right, ("Sec-Fetch-Site", "cross-site")], 403, "From a browser"),
        (vec![("Host", "evil.example"), right], 403, "Bad Host"),
        (vec![("Host", "localhost.evil.example"), right], 403, "Bad Host"),
        (vec![("Host", "localhost:1"), right], 403, "Bad Host"),
        (vec![right], 403, "Bad Host"),
    ] {
        let reply = served.ask(GET, &headers).await.unwrap();
        assert_eq!((reply.status, reply.body.as_str()), (status, body), "{headers:?}");
    }
    for host in ["127.0.0.1", &format!("127.0.0.1:{port}"), &format!("[::1]:{port}")] {
        let reply = served.ask(GET, &[("Host", host), right]).await.unwrap();
        assert_eq!(reply.status, 200, "{host}");
    }
    // Nobody needs a token to learn that somebody is there; a foreign page learns nothing.
    let reply = served.ask("/ping", &[local, ("X-Forwarded-For", "10.1.2.3")]).await.unwrap();
    assert_eq!((reply.status, reply.body.as_str()), (200, "healthy"));
    let reply = served.ask("/ping", &[("Host", "evil.example")]).await.unwrap();
    assert_eq!(reply.status, 403);
    ends_well(served).await;
}

/// For a neighbour of the Pod that watches it; nothing on the pages is a secret or its name.
#[tokio::test(flavor = "multi_thread")]
async fn how_it_goes_is_told_without_a_token_and_to_nobody_from_elsewhere() {
    let cloud = cloud().await;
    let served = Served::start(&cloud, wanted(&["shop/*"]).unwrap(), &[], &[]).await.unwrap();
    assert_eq!(served.get(GET).await.unwrap().status, 200);
    assert_eq!(served.get(GET).await.unwrap().status, 200);
    assert_eq!(served.ask(GET, &[("Host", "localhost")]).await.unwrap().status, 403);
    let reply = served.ask("/metrics", &[("Host", "localhost")]).await.unwrap();
    for (outcome, count) in [("miss", 1), ("hit", 1), ("refused", 1), ("failed", 0), ("stale", 0)] {
        let line =
            format!("secrets_injector_agent_requests_total{{outcome=\"{outcome}\"}} {count}");
        assert!(reply.body.contains(&line), "{line}: {}", reply.body);
    }
    assert!(!reply.body.contains("shop") && !reply.body.contains("CANARY"), "{}", reply.body);
    // A name that does not exist is told apart from trouble.
    assert_eq!(served.get("/v1/shop/typo").await.unwrap().status, 404);
    let reply = served.ask("/metrics", &[("Host", "localhost")]).await.unwrap();
    for (class, count) in [("not-found", 1), ("identity", 0), ("unreachable", 0)] {
        let line = format!("secrets_injector_agent_failures_total{{class=\"{class}\"}} {count}");
        assert!(reply.body.contains(&line), "{line}: {}", reply.body);
    }
    let head = "HEAD /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let reply = served.send(head).await.unwrap();
    assert_eq!((reply.status, reply.body.as_str()), (200, ""));
    let reply = served.ask("/readyz", &[("Host", "localhost")]).await.unwrap();
    assert_eq!((reply.status, reply.body.as_str()), (200, "ok\n"));
    for page in ["/metrics", "/readyz"] {
        for (headers, status) in [
            (vec![("Host", "evil.example")], 403),
            (vec![("Host", "localhost"), ("X-Forwarded-For", "10.1.2.3")], 400),
        ] {
            assert_eq!(served.ask(page, &headers).await.unwrap().status, status, "{page}");
        }
    }
    ends_well(served).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_secrets_of_its_scope_are_asked_for() {
    let cloud = cloud().await;
    let served = served(&cloud, |_| {}).await;
    for id in [
        "shop/b",
        "shop/a/b",
        "Shop/a",
        "acs:kms:cn-hangzhou:1234567890123456:secret/shop/a",
        "acs:kms:cn-hangzhou:1234567890123456:secret/billing/a",
    ] {
        let reply = served.get(&format!("/v1/{id}")).await.unwrap();
        assert_eq!(reply.status, 403, "{id}");
        assert_eq!(reply.json()["__type"], "Forbidden.AgentSecrets", "{id}");
    }
    assert_eq!(cloud.counters().requests.get("kms.GetSecretValue"), None);
    // In scope, and not the role's to read: KMS has the last word.
    let reply = served.get("/v1/billing/a").await.unwrap();
    assert_eq!(
        (reply.status, reply.json()["__type"].as_str()),
        (403, Some("Forbidden.NoPermission"))
    );
    let reply = served.get("/v1/shop/a?versionId=v9").await.unwrap();
    assert_eq!(reply.status, 404, "{reply:?}");
    assert_eq!(reply.json()["__type"], "Forbidden.ResourceNotFound");
    ends_well(served).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_operator_does_not_allow_no_pattern_opens() {
    let cloud = cloud().await;
    let glob = |text| plan::Glob::parse(text).unwrap();
    let served = served(&cloud, |agent| {
        agent.secrets = vec![glob("*")];
        agent.allowed = Some(vec![glob("shop/a"), glob("other/*")]);
    });
    let served = served.await;
    assert_eq!(served.get(GET).await.unwrap().status, 200);
    let reply = served.get("/v1/shop/b").await.unwrap();
    assert_eq!(reply.status, 403);
    assert!(reply.body.contains("operator's policy"), "{reply:?}");
    ends_well(served).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_no_known_form_are_refused_as_the_kms_agents_model_does() {
    let cloud = cloud().await;
    let served = served(&cloud, |_| {}).await;
    for (target, status, body) in [
        ("/secretsmanager/get", 400, "missing parameter secretId"),
        ("/secretsmanager/get?secretId=shop/a&x=1", 400, "unknown parameter: x"),
        ("/secretsmanager/get?secretId=shop/a&refreshNow=no", 400, "invalid refreshNow value"),
        ("/secretsmanager/get?secretId=..%2f..%00", 400, "invalid secretId value"),
        ("/v1/", 400, "missing secret ID"),
        ("/", 404, "Not found"),
        ("/metrics/", 404, "Not found"),
    ] {
        let reply = served.get(target).await.unwrap();
        assert_eq!((reply.status, reply.body.as_str()), (status, body), "{target}");
    }
    let token = served.token().unwrap();
    for (line, more, status) in [
        ("POST /secretsmanager/get?secretId=shop/a", "", 405),
        ("PUT /v1/shop/a", "Content-Length: 5\r\n", 405),
        // A body is not read.
        ("GET /v1/shop/a", "Transfer-Encoding: chunked\r\n", 200),
        ("GET http://evil.example/v1/shop/a", "", 403),
    ] {
        let request = format!(
            "{line} HTTP/1.1\r\nHost: localhost\r\nX-KMS-Token: {token}\r\nConnection: close\r\n{more}\r\n"
        );
        let reply = served.send(&request).await.unwrap();
        assert_eq!(reply.status, status, "{line}");
    }
    ends_well(served).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_have_a_size_and_clients_a_time() {
    let cloud = cloud().await;
    let served = served(&cloud, |_| {}).await;
    let mut slow = served.connect().await.unwrap();
    slow.write_all(b"GET /ping HTTP/1.1\r\nHost: local").await.unwrap();
    let long = "x".repeat(17_000);
    let reply = served.ask(GET, &[("Host", "localhost"), ("X-KMS-Token", &long)]).await.unwrap();
    // As the HTTP implementation says it.
    assert_eq!((reply.status, reply.body.as_str()), (431, ""), "{reply:?}");
    let many = format!("GET {GET} HTTP/1.1\r\nHost: localhost\r\n{}\r\n", "A: b\r\n".repeat(100));
    assert_eq!(served.send(&many).await.unwrap().status, 431);
    let mut rest = Vec::new();
    // It is sent away without an answer, while others are answered.
    let _ = slow.read_to_end(&mut rest).await;
    assert!(rest.is_empty());
    assert_eq!(served.get(GET).await.unwrap().status, 200);
    ends_well(served).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_ask_for_nothing_keep_nobody_from_an_answer() {
    let cloud = cloud().await;
    let served =
        served(&cloud, |agent| agent.max_connections = UpToThousand::new(2).unwrap()).await;
    let mut held = Vec::new();
    for index in 0..200 {
        let mut stream = served.connect().await.unwrap();
        if index % 2 == 0 {
            stream.write_all(b"GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
            let mut some = [0; 12];
            stream.read_exact(&mut some).await.unwrap();
        } else {
            stream.write_all(b"GET /ping HTTP/1.1\r\nHost: local").await.unwrap();
        }
        held.push(stream);
    }
    let reply = served.ask("/ping", &[("Host", "localhost")]).await.unwrap();
    assert_eq!((reply.status, reply.body.as_str()), (200, "healthy"));
    assert_eq!(served.get(GET).await.unwrap().status, 200);
    drop(held);
    ends_well(served).await;
}

/// Nobody outside the Pod reaches it, whatever they know.
#[tokio::test(flavor = "multi_thread")]
async fn it_listens_on_loopback_alone() {
    let cloud = cloud().await;
    let served = served(&cloud, |_| {}).await;
    let mut listening = Vec::new();
    for file in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let port = format!(":{:04X}", served.port);
        let local = text.lines().filter_map(|line| line.split_whitespace().nth(1));
        let local = local.filter(|local| local.ends_with(&port));
        listening.extend(local.map(|local| local.trim_end_matches(&port).to_owned()));
    }
    // As /proc writes 127.0.0.1 and ::1. Other sockets of that port are this test's own.
    let loopback = ["0100007F", "00000000000000000000000001000000"];
    assert!(!listening.is_empty());
    assert!(listening.iter().all(|address| loopback.contains(&address.as_str())), "{listening:?}");
    ends_well(served).await;
}
