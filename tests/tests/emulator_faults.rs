//! Each fault on demand, seen from the client.

use std::time::{Duration, Instant};

use lab::cloud::{CalledService, Effect, Fault};

use crate::support::{
    GATEWAY, KMS, OOS, STS, ask, assumed, cloud, connect, parameter, secret, with_oidc,
};

#[tokio::test]
async fn throttling_comes_in_both_dialects_and_with_a_hint() {
    let cloud = cloud().await;
    cloud.add_fault(Fault::new(Effect::RejectedThrottling { retry_after_millis: None }).times(1));
    let reply = secret("app/text").refused(&cloud, 429, "Rejected.Throttling").await;
    assert_eq!(reply.json()["HttpStatus"], 429);
    cloud.add_fault(Fault::new(Effect::ThrottlingUser { retry_after_millis: Some(700) }).times(1));
    let reply = secret("app/text").refused(&cloud, 400, "Throttling.User").await;
    assert_eq!(reply.header("x-acs-retry-after").unwrap(), "700");
    assert_eq!(secret("app/text").send(&cloud).await.unwrap().status, 200);
}

#[tokio::test]
async fn errors_of_the_services_can_be_ordered() {
    let cloud = cloud().await;
    let key = assumed(&cloud).await;
    for (effect, status, code) in [
        (Effect::InternalFailure, 500, "InternalFailure"),
        (Effect::Unavailable, 503, "ServiceUnavailableTemporary"),
        (Effect::AccessDenied, 403, "Forbidden.NoPermission"),
        (Effect::ExpiredCredential, 400, "InvalidSecurityToken.Expired"),
        (Effect::ClockSkew { seconds: -1000 }, 400, "InvalidTimeStamp.Expired"),
        (Effect::OkWithError, 200, "InternalFailure"),
        (
            Effect::Refuse { status: 418, code: "Any".to_owned(), message: "m".to_owned() },
            418,
            "Any",
        ),
    ] {
        cloud.add_fault(Fault::new(effect).times(1));
        secret("app/text").by(&key).refused(&cloud, status, code).await;
    }
    assert_eq!(secret("app/text").by(&key).send(&cloud).await.unwrap().status, 200);
    let token = cloud.mint("shop", "checkout").unwrap();
    for (effect, status, code) in [
        (Effect::InternalFailure, 500, "InternalError"),
        (Effect::AccessDenied, 401, "AuthenticationFail.NoPermission"),
        (Effect::ThrottlingUser { retry_after_millis: None }, 400, "Throttling.User"),
    ] {
        cloud.add_fault(Fault::new(effect).times(1));
        with_oidc(&token).refused(&cloud, status, code).await;
    }
}

#[tokio::test]
async fn faults_find_their_calls() {
    let cloud = cloud().await;
    cloud.add_fault(Fault::new(Effect::Unavailable).service(CalledService::Oos));
    cloud.add_fault(Fault::new(Effect::InternalFailure).subject("app/b*").skip(1));
    cloud.add_fault(Fault::new(Effect::AccessDenied).host("kms-vpc.*").action("GetSecretValue"));
    parameter("/prod/db/password").refused(&cloud, 503, "ServiceUnavailableTemporary").await;
    assert_eq!(secret("app/binary").send(&cloud).await.unwrap().status, 200);
    secret("app/binary").refused(&cloud, 500, "InternalFailure").await;
    assert_eq!(secret("app/text").send(&cloud).await.unwrap().status, 200);
    let vpc = secret("app/text").at("kms-vpc.cn-hangzhou.aliyuncs.com");
    vpc.refused(&cloud, 403, "Forbidden.NoPermission").await;
    let struck: Vec<Option<String>> =
        cloud.requests().into_iter().map(|entry| entry.fault).collect();
    let expected =
        [Some("unavailable"), None, Some("internal_failure"), None, Some("access_denied")];
    assert_eq!(struck, expected.map(|kind| kind.map(str::to_owned)));
    cloud.clear_faults();
    assert_eq!(parameter("/prod/db/password").send(&cloud).await.unwrap().status, 200);
}

#[tokio::test]
async fn an_answer_can_be_late() {
    let cloud = cloud().await;
    cloud.add_fault(Fault::new(Effect::Latency { millis: 300 }).times(1));
    let start = Instant::now();
    assert_eq!(secret("app/text").send(&cloud).await.unwrap().status, 200);
    assert!(start.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn a_body_can_be_slow() {
    let cloud = cloud().await;
    let whole = secret("app/text").send(&cloud).await.unwrap().body.len();
    cloud.add_fault(Fault::new(Effect::SlowBody { bytes: whole / 4, millis: 50 }).times(1));
    let start = Instant::now();
    let reply = secret("app/text").send(&cloud).await.unwrap();
    assert_eq!(reply.json()["VersionId"], "v3");
    assert!(start.elapsed() >= Duration::from_millis(150));
}

#[tokio::test]
async fn a_connection_can_be_reset_before_the_answer() {
    let cloud = cloud().await;
    cloud.add_fault(Fault::new(Effect::Reset).times(2));
    for call in [secret("app/text"), parameter("/prod/db/password").in_plain()] {
        let error = call.send(&cloud).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}");
    }
    let entry = cloud.requests().pop().unwrap();
    assert_eq!((entry.status, entry.fault.as_deref()), (None, Some("reset")));
}

#[tokio::test]
async fn a_body_can_end_in_the_middle() {
    let cloud = cloud().await;
    cloud.add_fault(Fault::new(Effect::TruncatedBody).times(1));
    let mut stream = connect(&cloud, OOS, false).await.unwrap();
    let error = ask(&mut stream, &parameter("/prod/db/password").wire()).await.unwrap_err();
    let kinds = [std::io::ErrorKind::ConnectionReset, std::io::ErrorKind::UnexpectedEof];
    assert!(kinds.contains(&error.kind()), "{error}");
    cloud.add_fault(Fault::new(Effect::CutJson).times(1));
    let reply = secret("app/text").send(&cloud).await.unwrap();
    let error = serde_json::from_slice::<serde_json::Value>(&reply.body).unwrap_err();
    assert!(error.is_eof());
}

#[tokio::test]
async fn what_comes_can_be_something_else() {
    let cloud = cloud().await;
    let struck = async |effect| {
        cloud.add_fault(Fault::new(effect).times(1));
        secret("app/text").send(&cloud).await.unwrap()
    };
    let location = "https://elsewhere.example/".to_owned();
    let redirect = struck(Effect::Redirect { location: location.clone() }).await;
    assert_eq!((redirect.status, redirect.header("location")), (302, Some(location)));
    let xml = struck(Effect::Xml).await;
    assert!(xml.status == 500 && xml.text().starts_with("<?xml") && xml.text().contains("<Error>"));
    let html = struck(Effect::Html).await;
    assert!(html.status == 502 && html.text().starts_with("<html>"));
    let garbage = struck(Effect::Garbage).await;
    assert!(garbage.status == 200 && garbage.body.len() == 512 && garbage.json().is_null());
    let large = struck(Effect::Oversized { bytes: 3 << 20 }).await;
    assert_eq!((large.body.len(), large.json().is_object()), (3 << 20, true));
    let typed = struck(Effect::ContentType { value: "text/plain".to_owned() }).await;
    assert_eq!(typed.header("content-type").unwrap(), "text/plain");
    assert_eq!(typed.json()["VersionId"], "v3");
}

#[tokio::test]
async fn a_host_can_have_a_wrong_certificate() {
    let cloud = cloud().await;
    for host in [KMS, GATEWAY] {
        let name = "sts.cn-hangzhou.aliyuncs.com".to_owned();
        cloud.add_fault(Fault::new(Effect::CertificateName { name }).host(host).times(1));
        let error = secret("app/text").at(host).send(&cloud).await.unwrap_err().to_string();
        assert!(error.contains("not valid for name"), "{error}");
        cloud.add_fault(Fault::new(Effect::UntrustedCertificate).host(host).times(1));
        let error = secret("app/text").at(host).send(&cloud).await.unwrap_err().to_string();
        assert!(error.contains("UnknownIssuer"), "{error}");
        assert!(connect(&cloud, STS, true).await.is_ok());
        assert_eq!(secret("app/text").at(host).send(&cloud).await.unwrap().status, 200);
    }
}
