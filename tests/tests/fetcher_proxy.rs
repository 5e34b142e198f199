//! Where the operator names a proxy, the services are asked through it and nothing else is.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::sync::Arc;

use lab::closed_port::ClosedPort;
use lab::cloud::{Cloud, CloudConfig, SecretSeed, Seed};
use lab::connect_proxy::{ConnectProxy, ProxyConduct};
use lab::fetcher::{ACCOUNT, Container, Want, builder, plan};
use plan::{GatewayCa, HttpsProxy, Plan};
use tokio::task::JoinSet;

const GATEWAY: &str = "kst-hzz65f176a0ogplgq0001.cryptoservice.kms.aliyuncs.com";

async fn cloud() -> Cloud {
    let cloud = Cloud::start(CloudConfig::new(Seed::demo().unwrap())).await.unwrap();
    cloud.put_secret(ACCOUNT, SecretSeed::text("shop/canary", "CANARY-1")).unwrap();
    cloud
}

/// Sources of all services, through a proxy that listens at this port of loopback.
fn through(port: u16, timeout: u32) -> Plan {
    let mut builder = builder().unwrap();
    let proxy = HttpsProxy::parse(&format!("proxy.example:{port}")).unwrap();
    builder.https_proxy(Some(proxy)).gateway_ca(GatewayCa::Mounted).timeout_seconds(timeout);
    let wants = [
        Want::new("a", "kms://shop/canary"),
        Want::new("g", "kms://shop/canary").at(GATEWAY),
        Want::new("t", "oos://shop-api-token"),
    ];
    plan(builder, &wants).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn all_services_are_asked_through_the_proxy_which_learns_their_names_alone() {
    let cloud = cloud().await;
    let proxy = ConnectProxy::start(ProxyConduct::Opens(cloud.https())).await.unwrap();
    let mut container = Container::new(&cloud).unwrap();
    // Whatever is dialled but the proxy is not there.
    let closed = ClosedPort::new().unwrap();
    container.dial(&closed.address().unwrap().to_string());
    let ended = container.init(&through(proxy.address().port(), 60)).await.unwrap();
    assert_eq!(ended.code(), Some(0), "{}", ended.said());
    assert_eq!(container.files().unwrap()["a"].content, b"CANARY-1");
    let heads = proxy.heads();
    let hosts = [
        "kms-vpc.cn-hangzhou.aliyuncs.com",
        "oos-vpc.cn-hangzhou.aliyuncs.com",
        "sts-vpc.cn-hangzhou.aliyuncs.com",
        GATEWAY,
    ];
    for host in hosts {
        let head = format!("CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n");
        assert!(heads.contains(&head), "{heads:?}");
    }
    assert!(heads.iter().all(|head| hosts.iter().any(|host| head.contains(host))), "{heads:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_opens_no_connection_ends_the_run_with_15_and_is_named() {
    let cloud = Arc::new(cloud().await);
    let login = "HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\n\r\n";
    let page = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<html>LOG IN</html>";
    let mut runs = JoinSet::new();
    for (conduct, timeout, words) in [
        // What waiting does not mend is not waited for.
        (ProxyConduct::Says(login), 3600, "asks for a login (status 407)"),
        (ProxyConduct::Says("HTTP/1.1 403 No\r\n\r\n<html>LOG IN</html>"), 10, "it refuses"),
        (ProxyConduct::Says("HTTP/1.1 503 Busy\r\n\r\n"), 10, "cannot reach it"),
        (ProxyConduct::Says(page), 10, "sts-vpc.cn-hangzhou.aliyuncs.com: "),
        (ProxyConduct::Says("220 mail.example ESMTP\r\n"), 10, "or is no proxy"),
        (ProxyConduct::Hangs, 10, "in time"),
    ] {
        let cloud = Arc::clone(&cloud);
        runs.spawn(async move {
            let container = Container::new(&cloud).unwrap();
            let proxy = ConnectProxy::start(conduct.clone()).await.unwrap();
            let port = proxy.address().port();
            let ended = container.init(&through(port, timeout)).await.unwrap();
            assert_eq!(ended.code(), Some(15), "{conduct:?}: {}", ended.said());
            assert!(ended.headline().contains(words), "{conduct:?}: {}", ended.said());
            let named =
                format!("the proxy proxy.example:{port} (the operator's setting httpsProxy)");
            assert!(ended.said().contains(&named), "{conduct:?}: {}", ended.said());
            for quoted in ["LOG IN", "CANARY", "eyJ"] {
                assert!(!ended.said().contains(quoted), "{conduct:?}: {}", ended.said());
            }
            let heads = proxy.heads();
            assert!(!heads.is_empty() && heads.iter().all(|head| head.starts_with("CONNECT ")));
            assert_eq!(container.files().unwrap().len(), 0);
        });
    }
    runs.join_all().await;
    assert_eq!(cloud.requests().len(), 0);
}

/// Whoever stands in between and reads along has another certificate.
#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_answers_in_place_of_the_host_gets_no_token() {
    let (cloud, other) = (cloud().await, cloud().await);
    let proxy = ConnectProxy::start(ProxyConduct::Opens(other.https())).await.unwrap();
    let container = Container::new(&cloud).unwrap();
    let port = proxy.address().port();
    let ended = container.init(&through(port, 60)).await.unwrap();
    assert_eq!(ended.code(), Some(15), "{}", ended.said());
    assert!(
        ended.headline().contains("the server's certificate is not accepted"),
        "{}",
        ended.said()
    );
    assert!(ended.said().contains("leaves the certificate as it is"), "{}", ended.said());
    assert_eq!(other.requests().len(), 0);
}
