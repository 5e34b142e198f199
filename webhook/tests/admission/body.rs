use serde_json::json;
use webhook::wire::admit::admit;
use webhook::wire::reply::Outcome;

use crate::support::{pod, review, settings};

#[test]
fn what_is_no_review_is_a_bad_request_in_plain_words() {
    let mut wrong_version = review(&pod(&[]));
    wrong_version["apiVersion"] = json!("admission.k8s.io/v1beta1");
    let mut no_uid = review(&pod(&[]));
    no_uid["request"]["uid"] = json!("");
    let wrong_version = wrong_version.to_string();
    let no_uid = no_uid.to_string();
    let mut long_uid = review(&pod(&[]));
    long_uid["request"]["uid"] = json!("CANARY".repeat(22));
    let long_uid = long_uid.to_string();
    let mut long_namespace = review(&pod(&[]));
    long_namespace["request"]["namespace"] = json!("CANARY".repeat(11));
    let long_namespace = long_namespace.to_string();
    let mut wrong_kind = review(&pod(&[]));
    wrong_kind["kind"] = json!("ConversionReview");
    let wrong_kind = wrong_kind.to_string();
    let no_request = r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}"#;
    for (body, words) in [
        ("", "line 1"),
        ("CANARY", "line 1, column 1"),
        ("{}", "apiVersion"),
        ("[]", "not an AdmissionReview"),
        ("{\"request\":\"CANARY\"}", "line 1"),
        ("{\"kind\":\"Pod\",\"apiVersion\":\"v1\"}", "kind AdmissionReview"),
        (&wrong_version, "admission.k8s.io/v1"),
        (&wrong_kind, "kind AdmissionReview"),
        (no_request, "no request"),
        (&no_uid, "no request.uid"),
        (&long_uid, "request.uid has more than 128 bytes"),
        (&long_namespace, "request.namespace has more than 63 bytes"),
    ] {
        let reply = admit(body.as_bytes(), &settings());
        let text = String::from_utf8(reply.body).unwrap();
        assert_eq!((reply.status, reply.outcome), (400, Outcome::Unreadable), "{body}");
        assert!(text.contains(words), "{body}: {text}");
        assert!(!text.contains("CANARY"), "{text}");
    }
    assert_eq!(admit(b"\xff\xfe", &settings()).status, 400);
    assert_eq!(admit("[".repeat(100_000).as_bytes(), &settings()).status, 400);
}

#[test]
fn a_pod_nested_without_end_is_skipped_and_not_followed() {
    let deep = format!("{}1{}", "{\"a\":".repeat(50_000), "}".repeat(50_000));
    let body = review(&pod(&[("secrets", "a: b")])).to_string();
    let body = body.replacen("\"containers\":", &format!("\"x\":{deep},\"containers\":"), 1);
    let reply = admit(body.as_bytes(), &settings());
    assert_eq!((reply.status, reply.outcome), (200, Outcome::Injected));
}

#[test]
fn a_key_with_escapes_is_the_same_key() {
    let body = review(&pod(&[("secrets", "a: b")])).to_string();
    let body = body.replace("kms.alibabacloud/", "kms.alibabacloud\\/");
    let reply = admit(body.as_bytes(), &settings());
    assert_eq!((reply.status, reply.outcome), (200, Outcome::Injected));
}

#[test]
fn what_the_log_says_of_a_review_has_a_bounded_length() {
    let mut body = review(&pod(&[]));
    body["request"]["uid"] = json!("u".repeat(128));
    body["request"]["namespace"] = json!("n".repeat(63));
    body["request"]["name"] = json!("é".repeat(100_000));
    let about = admit(body.to_string().as_bytes(), &settings()).about.unwrap();
    let lengths = [&about.uid, &about.namespace, &about.name].map(|text| text.chars().count());
    assert_eq!(lengths, [64, 63, 253]);
    body["request"]["uid"] = json!("u\u{202e}1");
    body["request"]["name"] = json!("a\u{2028}\u{202e}b\nc");
    let about = admit(body.to_string().as_bytes(), &settings()).about.unwrap();
    assert_eq!((about.uid.as_str(), about.name.as_str()), ("u1", "abc"));
    body["request"]["name"] = json!("");
    body["request"]["object"]["metadata"]["name"] = json!("p".repeat(100_000));
    assert!(admit(body.to_string().as_bytes(), &settings()).about.unwrap().name.len() <= 253);
}
