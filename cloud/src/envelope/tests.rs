use std::time::Duration;

use secret::{Failure, Sensitive};
use transport::Answer;
use transport::header::{HeaderMap, HeaderName, HeaderValue};

use super::{FailedAttempt, open};

use crate::call_info::CallInfo;
use crate::error::Error;

fn failure(status: u16, headers: &[(&'static str, &str)], body: &str) -> FailedAttempt {
    failure_of_sender(status, headers, body, &[])
}

fn failure_of_sender(
    status: u16,
    headers: &[(&'static str, &str)],
    body: &str,
    sent: &[&Sensitive],
) -> FailedAttempt {
    let pair = |(name, value): &(&'static str, &str)| {
        (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
    };
    let headers: HeaderMap = headers.iter().map(pair).collect();
    let body = Sensitive::from(body.to_owned());
    open(Answer { status, headers, body }, sent).err().unwrap()
}

fn error(failure: FailedAttempt) -> Error {
    let asked = CallInfo {
        operation: "KMS GetSecretValue",
        host: String::from("kms.example"),
        subject: String::from("db"),
        identity: false,
    };
    Error::new(asked, failure, 1)
}

#[test]
fn an_envelope_becomes_a_typed_error() {
    let body = r#"{"HttpStatus":403,"Code":"Forbidden.NoPermission",
        "Message":"This operation is forbidden\nby permission system.","RequestId":"6a3e-1",
        "Recommend":"https://error-center.aliyun.com/status/search?Keyword=Forbidden"}"#;
    let error = error(failure(403, &[], body));
    assert_eq!(error.failure(), Failure::Denied);
    assert_eq!(error.code(), Some("Forbidden.NoPermission"));
    assert_eq!(error.status(), Some(403));
    assert_eq!(error.request_id(), Some("6a3e-1"));
    assert_eq!(error.message(), Some("This operation is forbidden by permission system."));
    assert!(error.recommendation().unwrap().starts_with("https://error-center.aliyun.com/"));
    assert_eq!(
        error.to_string(),
        "KMS GetSecretValue of db at kms.example: refused with Forbidden.NoPermission: This \
         operation is forbidden by permission system. (status 403), request id 6a3e-1"
    );
}

#[test]
fn keys_may_be_written_small() {
    let body = r#"{"code":"Throttling.User","message":"slow down","requestId":"r-1"}"#;
    let error = error(failure(400, &[], body));
    assert_eq!(error.failure(), Failure::Throttled);
    assert!(error.is_retriable());
    assert_eq!(error.request_id(), Some("r-1"));
}

#[test]
fn what_is_not_an_envelope_leaves_only_the_status() {
    for body in ["", "<html>canary</html>", "{\"Message\":\"canary\"}", "[1", "\"canary\"", "null"]
    {
        let error = error(failure(502, &[("x-acs-request-id", "from-header")], body));
        assert_eq!(error.failure(), Failure::Unreachable);
        assert_eq!((error.code(), error.message()), (None, None));
        // Nobody knows what it holds, unless it is empty or an object.
        let is_known = body.is_empty() || body.starts_with('{');
        assert_eq!(error.request_id(), is_known.then_some("from-header"));
        assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
    }
}

#[test]
fn a_refusal_that_holds_more_than_any_answer_is_not_looked_through() {
    let value = "Q".repeat(200 * 1024);
    let body = format!(
        r#"{{"Code":"Forbidden.NoPermission","Message":"no","RequestId":"r-1","SecretData":"{value}"}}"#
    );
    let error = error(failure(403, &[("x-acs-request-id", "from-header")], &body));
    assert_eq!(error.code(), Some("Forbidden.NoPermission"));
    assert_eq!((error.message(), error.request_id()), (None, None));
}

#[test]
fn a_message_that_repeats_a_secret_is_dropped() {
    let token = Sensitive::from(String::from("eyJhbGciOiJSUzI1NiJ9.canary-canary-canary.sig"));
    let body = r#"{"Code":"AuthenticationFail.OIDCToken.Invalid","Message":"bad token eyJhbGciOiJSUzI1NiJ9.","RequestId":"eyJhbGciOiJSUzI1NiJ9"}"#;
    let error = error(failure_of_sender(401, &[], body, &[&token]));
    assert_eq!(error.code(), Some("AuthenticationFail.OIDCToken.Invalid"));
    assert_eq!((error.message(), error.request_id()), (None, None));
}

#[test]
fn codes_ids_and_links_that_carry_text_are_dropped() {
    let body = r#"{"Code":"free text canary","Message":"m","RequestId":"a b",
        "Recommend":"https://evil.example/?x=error-center.aliyun.com"}"#;
    let error = error(failure(400, &[], body));
    assert_eq!((error.code(), error.request_id(), error.recommendation()), (None, None, None));
    assert!(!error.to_string().contains("canary"));
}

#[test]
fn a_message_is_one_line_in_the_order_in_which_it_is_written() {
    let body =
        r#"{"Code":"X","Message":"No.\u2028level=error \u202egnp.exe\u200b \u0085\udb40\udc41x"}"#;
    assert_eq!(error(failure(400, &[], body)).message(), Some("No. level=error  gnp.exe    x"));
}

#[test]
fn a_link_leads_to_a_page_of_the_service_alone() {
    let recommended = |link: &str| {
        let body = serde_json::json!({"Code": "X", "Recommend": link}).to_string();
        error(failure(400, &[], &body)).recommendation().map(ToOwned::to_owned)
    };
    for good in [
        "https://error-center.aliyun.com/status/search?Keyword=Forbidden.RAM&source=PopGw",
        "https://api.alibabacloud.com/troubleshoot?q=InvalidParameter&product=Kms",
        "https://a.aliyun.com/",
        "https://a.b-c.aliyun.com/x/~y/%E5%AF%86",
    ] {
        assert_eq!(recommended(good).as_deref(), Some(good));
    }
    for bad in [
        "https://other.example\\.aliyun.com/x",
        "https://other.example:443.aliyun.com/",
        "https://other.example:443@a.aliyun.com/",
        "https://other.example%2f.aliyun.com/",
        "https://other.example/.aliyun.com/",
        "https://other.example?.aliyun.com/",
        "https://other.example#.aliyun.com/",
        &["https://other.example", "aliyun.com/"].concat(),
        "https://aliyun.com.other.example/",
        "https://.aliyun.com/",
        "https://a..aliyun.com/",
        "https://-a.aliyun.com/",
        "https://A.aliyun.com/",
        "https://a.aliyun.com:8443/",
        "https://a.aliyun.com./",
        "https://a.aliyun.com",
        "https://a.aliyun.com/\"><x>",
        "https://a.aliyun.com/a b",
        "https://a.aliyun.com/#x",
        "https://a.aliyun.com/a\\b",
        "https://a.aliyun.com/\u{202e}x",
        "http://a.aliyun.com/",
        "HTTPS://a.aliyun.com/",
        "javascript:a.aliyun.com/",
    ] {
        assert_eq!(recommended(bad), None, "{bad}");
    }
}

#[test]
fn a_long_message_is_cut() {
    let body = format!(r#"{{"Code":"X","Message":"{}"}}"#, "é".repeat(5000));
    assert_eq!(error(failure(400, &[], &body)).message().unwrap().chars().count(), 300);
}

#[test]
fn a_message_is_compared_with_secrets_as_far_as_it_may_be_told_and_not_to_its_end() {
    let secret = Sensitive::from("canary-canary-canary".to_owned());
    let is_told = |before: usize| {
        let message = ["x".repeat(before).as_str(), "canary-canary-canary"].concat();
        let body = format!(r#"{{"Code":"X","Message":"{message}"}}"#);
        error(failure_of_sender(400, &[], &body, &[&secret])).message().is_some()
    };
    assert!(!is_told(0) && !is_told(290) && !is_told(10_000));
    assert!(is_told(20_000));
}

#[test]
fn a_refusal_that_carries_what_somebody_got_from_the_service_tells_nothing_of_it() {
    for body in [
        r#"{"Code":"BadGateway","Message":"got {\"SecretData\": \"canary-value\", \"SecretName"}"#,
        r#"{"Code":"X","Message":"canary-value","Data":{"SecretData":"canary-value"}}"#,
        r#"{"Code":"X","RequestId":"canary-value","Parameter":{"Value":"canary-value"}}"#,
        r#"{"Code":"canary-value","Message":"m","Credentials":{"SecurityToken":"canary-value"}}"#,
        r#"{"Code":"X","Recommend":"https://x.aliyun.com/canary-value","Value":"canary-value"}"#,
    ] {
        let told =
            format!("{:?}", error(failure(502, &[("x-acs-request-id", "canary-value")], body)));
        // A header is compared with what the body holds, where that is known.
        let known = !body.contains("BadGateway");
        assert!(!told.contains("canary-value") || !known, "{told}");
        assert!(!told.contains("got {"), "{told}");
    }
}

#[test]
fn of_a_refusal_whose_secrets_are_not_known_a_code_that_we_know_is_told_and_nothing_else() {
    for (code, told) in
        [("Forbidden.NoPermission", true), ("canary", false), ("Forbidden.canary", false)]
    {
        let body =
            format!(r#"{{"Code":"{code}","Message":"canary","RequestId":"canary","x":1e999}}"#);
        let error = error(failure(403, &[("x-acs-request-id", "canary")], &body));
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        assert_eq!((error.code() == Some(code), error.failure()), (told, Failure::Denied));
    }
}

#[test]
fn a_redirect_is_called_a_redirect() {
    let failure = failure(302, &[("location", "https://elsewhere.example/canary")], "");
    assert!(!failure.is_retriable());
    let error = error(failure);
    assert!(error.to_string().contains("redirect, not followed (status 302)"), "{error}");
    assert!(!error.to_string().contains("canary"));
}

#[test]
fn a_compressed_answer_is_refused() {
    let error = error(failure(200, &[("content-encoding", "gzip")], "canary"));
    assert_eq!(error.failure(), Failure::Unusable);
}

#[test]
fn every_form_of_the_servers_hint_is_understood() {
    for (name, value, expected) in [
        ("x-acs-retry-after", "1500", Some(1500)),
        ("x-acs-retry-after", "0", None),
        ("x-acs-retry-after", "soon", None),
        ("x-ratelimit-user-api", "Limit:10,Remain:0,TimeLeft:700", Some(700)),
        ("x-ratelimit-user", "TimeLeft:300, Limit:1", Some(300)),
        ("retry-after", "2", Some(2000)),
        ("retry-after", "Thu, 02 Jan 2025 03:04:05 GMT", None),
    ] {
        let hint = failure(429, &[(name, value)], "").hint;
        assert_eq!(hint, expected.map(Duration::from_millis), "{name}: {value}");
    }
}
