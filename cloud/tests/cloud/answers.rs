//! What the services answer, from values to garbage.

use base64::Engine;
use cloud::{Error, Lookup, Subject};
use secret::Failure;

use crate::server::{
    Bench, CANARY, KMS, Reply, STS, Seen, TOKEN, after_sts, refusal, secret, value,
};

const OOS: &str = "oos-vpc.cn-hangzhou.aliyuncs.com";

fn nothing_leaks(error: &Error) {
    let text = format!("{error} {error:?} {:?} {:?}", error.message(), error.recommendation());
    assert!(!text.contains("canary"), "{text}");
}

fn parameter(subject: Subject) -> Lookup {
    Lookup { endpoint: String::from(OOS), subject, assume: None }
}

fn region() -> String {
    String::from("cn-hangzhou")
}

#[tokio::test]
async fn a_text_secret_arrives_as_it_is() {
    let bench = Bench::new(after_sts(|_| value("päss\nword\"\\ "))).await;
    let fetched = bench.fetch(&secret("db")).await.unwrap();
    assert_eq!(fetched.value.expose(), "päss\nword\"\\ ".as_bytes());
    assert_eq!((fetched.version.as_str(), fetched.request_id.as_str()), ("v1", "kms-1"));
    assert_eq!(fetched.caller, "acs:ram::1:role/app/pod");
    assert_eq!(fetched.attempts, 1);
    assert!(!format!("{fetched:?}").contains("word"));
}

#[tokio::test]
async fn a_binary_secret_is_decoded() {
    let bytes: Vec<u8> = (0..=255).collect();
    let encoded = base64::engine::general_purpose::STANDARD.encode(&bytes);
    let body = format!(
        r#"{{"SecretName":"db","SecretData":"{encoded}","SecretDataType":"binary","VersionId":"v","VersionStages":{{"VersionStage":["ACSCurrent"]}},"RequestId":"r"}}"#
    );
    let bench = Bench::new(after_sts(move |_| Reply::Json(200, body.clone()))).await;
    assert_eq!(bench.fetch(&secret("db")).await.unwrap().value.expose(), bytes);
}

#[tokio::test]
async fn values_of_no_bytes_and_of_64_kib_are_values_and_one_byte_more_is_not() {
    let bench = Bench::new(after_sts(|seen| {
        let size: usize = seen.line.split(['=', ' ']).nth(2).unwrap().parse().unwrap();
        value(&"x".repeat(size))
    }))
    .await;
    for size in [0, 65_536] {
        assert_eq!(bench.fetch(&secret(&size.to_string())).await.unwrap().value.len(), size);
    }
    let error = bench.fetch(&secret("65537")).await.unwrap_err();
    assert!(error.to_string().contains("65537 bytes, more than 65536"), "{error}");
}

#[tokio::test]
async fn version_and_stage_are_asked_for() {
    let bench = Bench::new(after_sts(|_| value("x"))).await;
    let subject = Subject::KmsSecret {
        name: String::from("app/db"),
        version_id: Some(String::from("v 2")),
        version_stage: Some(String::from("ACSPrevious")),
    };
    bench.fetch(&Lookup { endpoint: String::from(KMS), subject, assume: None }).await.unwrap();
    let line = &bench.server.seen()[1].line;
    let query = "SecretName=app%2Fdb&VersionId=v%202&VersionStage=ACSPrevious";
    assert_eq!(*line, format!("POST /?{query} HTTP/1.1"));
}

#[tokio::test]
async fn oos_parameters_are_fetched_secret_and_plain() {
    let bench = Bench::new(after_sts(|seen| {
        let value = if seen.action() == "GetSecretParameter" { "hidden" } else { "open" };
        let body = serde_json::json!({
            "RequestId": "o-1",
            "Parameter": {"Name": seen.parameter("Name"), "Value": value, "ParameterVersion": 7},
        });
        Reply::Json(200, body.to_string())
    }))
    .await;
    let subject = Subject::OosSecretParameter {
        name: String::from("/a/p"),
        version: Some(7),
        region: region(),
    };
    let fetched = bench.fetch(&parameter(subject)).await.unwrap();
    assert_eq!((fetched.value.expose(), fetched.version.as_str()), (b"hidden".as_slice(), "7"));
    let subject = Subject::OosParameter { name: String::from("p"), region: region() };
    let fetched = bench.fetch(&parameter(subject)).await.unwrap();
    assert_eq!(fetched.value.expose(), b"open");

    let seen = bench.server.seen();
    let query = "Name=%2Fa%2Fp&ParameterVersion=7&RegionId=cn-hangzhou&WithDecryption=true";
    assert_eq!(seen[1].line, format!("POST /?{query} HTTP/1.1"));
    assert_eq!(seen[2].line, "POST /?Name=p&RegionId=cn-hangzhou HTTP/1.1");
}

#[tokio::test]
async fn a_secret_parameter_without_its_value_is_a_missing_right_to_decrypt() {
    for value in ["null", "absent"] {
        let body = match value {
            "null" => r#"{"Parameter":{"Value":null,"ParameterVersion":1}}"#,
            _ => r#"{"Parameter":{"ParameterVersion":1}}"#,
        };
        let bench = Bench::new(after_sts(move |_| Reply::Json(200, String::from(body)))).await;
        let subject = Subject::OosSecretParameter {
            name: String::from("p"),
            version: None,
            region: region(),
        };
        let error = bench.fetch(&parameter(subject)).await.unwrap_err();
        assert_eq!(error.failure(), Failure::Denied);
        assert!(error.to_string().contains("not decrypt it"), "{error}");
    }
}

#[tokio::test]
async fn a_refusal_is_classified_and_ends_at_once() {
    for (status, code, class) in [
        (403, "Forbidden.NoPermission", Failure::Denied),
        (404, "Forbidden.ResourceNotFound", Failure::NotFound),
        (404, "EntityNotExists.Parameter", Failure::NotFound),
        (409, "Rejected.ResourceInDeleteWindow", Failure::Refused),
        (400, "SignatureDoesNotMatch", Failure::Identity),
    ] {
        let bench = Bench::new(after_sts(move |_| refusal(status, code))).await;
        let error = bench.refused().await;
        assert_eq!(error.failure(), class, "{code}");
        assert_eq!((error.code(), error.status()), (Some(code), Some(status)));
        assert_eq!((error.request_id(), error.attempts()), (Some("r-1"), 1));
        assert_eq!((error.subject(), error.host()), ("db", KMS));
    }
}

/// Bodies of status 200 that are no value, each with a canary in it.
#[tokio::test]
async fn an_answer_that_cannot_be_read_is_an_error_without_its_content() {
    for (body, words) in [
        (format!("<Error><Code>{CANARY}</Code></Error>"), "is not JSON (line 1, column 1)"),
        (format!("<html>{CANARY}</html>"), "is not JSON"),
        (String::from("\u{1}canary\u{2}"), "is not JSON"),
        (format!(r#"{{"SecretData":"{CANARY}"#), "ends too early (line 1,"),
        (String::new(), "ends too early"),
        (format!(r#"["{CANARY}"]"#), "wrong type (line 1,"),
        (format!(r#"{{"SecretData":{{"{CANARY}":1}}}}"#), "wrong type"),
        (format!(r#"{{"SecretData":"{CANARY}","SecretData":"{CANARY}"}}"#), "wrong type"),
        (
            format!(r#"{{"SecretData":"x","SecretDataType":"{CANARY}"}}"#),
            "SecretDataType is not valid",
        ),
        (format!(r#"{{"SecretData":"{CANARY}","SecretDataType":"text"}}"#), "has no VersionId"),
        (format!(r#"{{"SecretData":"{CANARY}","VersionId":"v"}}"#), "has no SecretDataType"),
        (
            format!(r#"{{"SecretData":"{CANARY}!","SecretDataType":"binary","VersionId":"v"}}"#),
            "SecretData (base64) is not valid",
        ),
        (format!(r#"{{"Other":"{CANARY}"}}"#), "has no SecretData"),
        (format!(r#"{{"Code":"{CANARY}","Message":"{CANARY}"}}"#), "has no SecretData"),
        (format!(r#"{{"SecretData":"{CANARY}"}} trailing"#), "is not JSON"),
        ("[".repeat(100_000), "wrong type"),
        (format!(r#"{{"Other":{}"{CANARY}""#, "[".repeat(100_000)), "ends too early"),
    ] {
        let shown = body.chars().take(80).collect::<String>();
        let bench = Bench::new(after_sts(move |_| Reply::Json(200, body.clone()))).await;
        let error = bench.refused().await;
        assert_eq!(error.failure(), Failure::Unusable, "{shown}");
        assert!(error.to_string().contains(words), "{shown}: {error}");
        nothing_leaks(&error);
    }
}

#[tokio::test]
async fn a_refusal_with_status_200_is_a_refusal_without_its_words() {
    let body = format!(r#"{{"Code":"Forbidden.NoPermission","Message":"{CANARY}"}}"#);
    let bench = Bench::new(after_sts(move |_| Reply::Json(200, body.clone()))).await;
    let error = bench.refused().await;
    assert_eq!((error.failure(), error.code()), (Failure::Denied, Some("Forbidden.NoPermission")));
    assert_eq!(error.message(), None);
    nothing_leaks(&error);
}

#[tokio::test]
async fn an_error_page_of_a_proxy_leaves_only_the_status() {
    for body in [format!("<html>{CANARY}</html>"), format!("<Error><Message>{CANARY}")] {
        let bench = Bench::new(after_sts(move |_| {
            let kind = ("content-type", String::from("text/xml;charset=utf-8"));
            Reply::Full(400, vec![kind], body.clone())
        }))
        .await;
        let error = bench.refused().await;
        assert_eq!((error.failure(), error.code()), (Failure::Refused, None));
        assert_eq!(error.status(), Some(400));
        nothing_leaks(&error);
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let bench = Bench::new(after_sts(|_| {
        let location = ("location", format!("https://{STS}/?canary"));
        Reply::Full(307, vec![location], String::new())
    }))
    .await;
    let error = bench.refused().await;
    assert!(error.to_string().contains("redirect, not followed (status 307)"), "{error}");
    assert_eq!(bench.server.seen().len(), 2);
    nothing_leaks(&error);
}

#[tokio::test]
async fn an_oversized_answer_is_not_read_to_its_end() {
    let announced = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", 1_u64 << 40);
    let bench = Bench::new(after_sts(move |_| Reply::Stall(announced.clone()))).await;
    let error = bench.refused().await;
    assert!(error.to_string().contains("larger than 1048576 bytes"), "{error}");

    let chunk = format!("100000\r\n{}\r\n", "c".repeat(0x10_0000));
    let endless =
        format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{chunk}2\r\nxx\r\n");
    let bench = Bench::new(after_sts(move |_| Reply::Stall(endless.clone()))).await;
    let error = bench.refused().await;
    assert!(error.to_string().contains("larger than 1048576 bytes"), "{error}");
    assert_eq!(error.failure(), Failure::Unusable);
}

#[tokio::test]
async fn what_is_not_http_is_said_to_be_none() {
    let bench = Bench::new(after_sts(|_| Reply::Raw(format!("SSH-2.0-{CANARY}\r\n\r\n")))).await;
    let error = bench.refused().await;
    assert!(error.to_string().contains("the answer is not HTTP"), "{error}");
    nothing_leaks(&error);
}

#[tokio::test]
async fn a_broken_answer_of_sts_shows_nothing_either() {
    for body in [
        String::from(r#"{"Credentials":{"AccessKeyId":"canary"}}"#),
        String::from(r#"{"Credentials":{"AccessKeyId":"STS.x","AccessKeySecret":5}}"#),
        format!(r#"{{"Credentials":"{CANARY}"}}"#),
        String::from(
            r#"{"Credentials":{"AccessKeyId":"canary\r\nx","AccessKeySecret":"canary","SecurityToken":"canary","Expiration":"2999-01-01T00:00:00Z"}}"#,
        ),
        String::from(
            r#"{"Credentials":{"AccessKeyId":"STS.x","AccessKeySecret":"canary","SecurityToken":"canary\n","Expiration":"2999-01-01T00:00:00Z"}}"#,
        ),
        String::from(
            r#"{"Credentials":{"AccessKeyId":"STS.x","AccessKeySecret":"canary","SecurityToken":"canary","Expiration":"canary"}}"#,
        ),
    ] {
        let bench = Bench::new(move |_| Reply::Json(200, body.clone())).await;
        let error = bench.refused().await;
        assert_eq!(error.failure(), Failure::Unusable, "{error}");
        assert_eq!(error.operation(), "STS AssumeRoleWithOIDC");
        nothing_leaks(&error);
    }
}

/// Each request repeats them, and many wait at once for their turn to be sent.
#[tokio::test]
async fn a_key_or_token_longer_than_any_of_sts_is_refused() {
    for (secret, token, field) in
        [(8, 16 * 1024 + 1, "SecurityToken"), (1025, 8, "AccessKeySecret")]
    {
        let body = serde_json::json!({"Credentials": {
            "AccessKeyId": "STS.x", "AccessKeySecret": "k".repeat(secret),
            "SecurityToken": "t".repeat(token), "Expiration": "2999-01-01T00:00:00Z",
        }});
        let body = body.to_string();
        let bench = Bench::new(move |_| Reply::Json(200, body.clone())).await;
        let error = bench.refused().await;
        assert_eq!(error.failure(), Failure::Unusable, "{error}");
        assert!(error.to_string().contains(field), "{error}");
    }
}

#[tokio::test]
async fn the_token_is_in_the_body_alone_and_never_repeated() {
    let bench = Bench::new(|_| {
        let body = serde_json::json!({
            "Code": "AuthenticationFail.OIDCToken.Invalid", "Message": format!("Bad {TOKEN}"),
        });
        Reply::Json(401, body.to_string())
    })
    .await;
    let error = bench.refused().await;
    assert_eq!(error.failure(), Failure::Identity);
    assert_eq!(error.subject(), "acs:ram::1:role/app");
    nothing_leaks(&error);

    let seen = &bench.server.seen()[0];
    assert!(
        seen.line.starts_with("POST /?Action=AssumeRoleWithOIDC&Format=JSON&"),
        "{}",
        seen.line
    );
    assert!(!seen.line.contains("canary"));
    assert!(!seen.headers.values().any(|value| value.contains("canary")));
    assert!(!seen.headers.contains_key("authorization"));
    assert_eq!(seen.headers["content-type"], "application/x-www-form-urlencoded");
    assert!(seen.body.starts_with(&format!("OIDCToken={TOKEN}&DurationSeconds=3600&")));
    assert!(seen.body.contains("&RoleArn=acs%3Aram%3A%3A1%3Arole%2Fapp&RoleSessionName=pod"));
}

/// What the cloud gave us and what we sent is no code, id or version, whatever the status is.
#[tokio::test]
async fn an_answer_of_status_200_repeats_nothing_that_was_sent() {
    let (key, token) = ("canary-key-secret-of-STS.base", "canary-security-token-of-STS.base");
    for sent in [key, token] {
        for code in ["Forbidden", "NoPermission"] {
            let body = format!(r#"{{"Code":"{code}.{sent}","RequestId":"{sent}"}}"#);
            let bench = Bench::new(after_sts(move |_| Reply::Json(200, body.clone()))).await;
            let error = bench.refused().await;
            assert_eq!((error.failure(), error.code()), (Failure::Denied, None), "{error}");
            nothing_leaks(&error);
        }
        let answer = move |seen: &Seen, field: &str| {
            let mut body: serde_json::Value = serde_json::from_str(&seen.answer("x")).unwrap();
            body[field] = serde_json::Value::from(sent);
            Reply::Json(200, body.to_string())
        };
        let bench = Bench::new(after_sts(move |seen| answer(seen, "RequestId"))).await;
        assert_eq!(bench.fetch(&secret("db")).await.unwrap().request_id, "");
        let bench = Bench::new(after_sts(move |seen| answer(seen, "VersionId"))).await;
        let error = bench.refused().await;
        assert!(error.to_string().contains("VersionId is not valid"), "{error}");
        nothing_leaks(&error);
    }
    for version in ["v\u{202e}1", "v\u{2028}1", "v\u{7}1"] {
        let answer = move |seen: &Seen| {
            let mut body: serde_json::Value = serde_json::from_str(&seen.answer("x")).unwrap();
            body["VersionId"] = serde_json::Value::from(version);
            Reply::Json(200, body.to_string())
        };
        let error = Bench::new(after_sts(answer)).await.refused().await;
        assert!(error.to_string().contains("VersionId is not valid"), "{version:?}: {error}");
    }
    for code in ["Forbidden", "AuthenticationFail"] {
        let body = format!(r#"{{"Code":"{code}.{TOKEN}"}}"#);
        let bench = Bench::new(move |_| Reply::Json(200, body.clone())).await;
        let error = bench.refused().await;
        assert_eq!((error.failure(), error.code()), (Failure::Identity, None), "{error}");
        nothing_leaks(&error);
    }
}
