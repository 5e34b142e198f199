use std::time::Duration;

use serde_json::{Value, json};

use super::*;

fn fetched(value: &[u8], binary: bool) -> Fetched {
    let text = |text: &str| Some(text.to_owned());
    Fetched {
        value: Sensitive::new(value.to_vec()),
        version: "v1".to_owned(),
        request_id: "6a3e9c36".to_owned(),
        metadata: Metadata {
            binary,
            name: text("db"),
            kind: text("Generic"),
            stages: vec!["ACSCurrent".to_owned()],
            created: text("2020-07-23T11:56:29Z"),
            ..Metadata::default()
        },
        caller: String::new(),
        attempts: 1,
        elapsed: Duration::ZERO,
    }
}

fn answered(response_type: ResponseType, id: &str, fetched: &Fetched) -> Value {
    let place = SecretAddress { id, region: "cn-hangzhou", account: "1234567890123456" };
    let bytes = secret(response_type, place, fetched).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[test]
fn type_0_is_what_kms_answers() {
    let text = "a\"\\\n\u{1}ä";
    assert_eq!(
        answered(ResponseType::Kms, "db", &fetched(text.as_bytes(), false)),
        json!({"SecretName": "db", "VersionId": "v1", "SecretData": text,
            "SecretDataType": "text", "SecretType": "Generic",
            "VersionStages": {"VersionStage": ["ACSCurrent"]},
            "CreateTime": "2020-07-23T11:56:29Z", "RequestId": "6a3e9c36"})
    );
    let binary = answered(ResponseType::Kms, "db", &fetched(b"\xff\x00", true));
    assert_eq!(
        (&binary["SecretData"], &binary["SecretDataType"]),
        (&json!("/wA="), &json!("binary"))
    );
    let mut rotated = fetched(b"x", false);
    rotated.metadata.automatic_rotation = Some("Enabled".to_owned());
    rotated.metadata.rotation_interval = Some("604800s".to_owned());
    let rotated = answered(ResponseType::Kms, "db", &rotated);
    assert_eq!(
        (&rotated["AutomaticRotation"], &rotated["RotationInterval"]),
        (&json!("Enabled"), &json!("604800s"))
    );
}

#[test]
fn type_1_is_what_aws_answers() {
    let arn = "acs:kms:cn-hangzhou:1234567890123456:secret/db";
    for id in ["db", arn] {
        assert_eq!(
            answered(ResponseType::Aws, id, &fetched(b"x", false)),
            json!({"ARN": arn, "Name": "db", "VersionId": "v1", "SecretString": "x",
                "VersionStages": ["ACSCurrent"], "CreatedDate": 1_595_505_389_u32})
        );
    }
    let binary = answered(ResponseType::Aws, "db", &fetched(b"\xff\x00", true));
    assert_eq!((binary.get("SecretString"), &binary["SecretBinary"]), (None, &json!("/wA=")));
}

#[test]
fn type_2_is_what_vaults_kv_engine_answers() {
    let object = answered(ResponseType::Vault, "db", &fetched(br#" {"user":"a","n":1.50}"#, false));
    assert_eq!(object["data"]["data"], json!({"user": "a", "n": 1.5}));
    assert_eq!(object["data"]["metadata"]["custom_metadata"]["version_id"], "v1");
    assert_eq!(object["lease_duration"], 0);
    for text in ["plain", "[1]", "\"text\"", "{bad", "{} {}", ""] {
        let answer = answered(ResponseType::Vault, "db", &fetched(text.as_bytes(), false));
        assert_eq!(answer["data"]["data"], json!({ "value": text }), "{text}");
    }
    let binary = answered(ResponseType::Vault, "db", &fetched(b"{}", true));
    assert_eq!(binary["data"]["data"], json!({"value": "e30="}));
}

#[test]
fn text_that_is_none_is_no_answer() {
    let place = SecretAddress { id: "db", region: "cn-hangzhou", account: "1" };
    assert!(secret(ResponseType::Kms, place, &fetched(b"\xff", false)).is_none());
}

#[test]
fn what_would_take_many_times_its_size_as_json_is_no_answer() {
    let place = || SecretAddress { id: "db", region: "cn-hangzhou", account: "1" };
    for kind in [ResponseType::Kms, ResponseType::Aws, ResponseType::Vault] {
        let controls = fetched(&[1; 30_000], false);
        assert!(secret(kind, place(), &controls).is_none());
        let largest = fetched(&[0xff; 64 * 1024], true);
        assert!(secret(kind, place(), &largest).is_some());
    }
}

#[test]
fn what_goes_wrong_is_json_whatever_is_in_it() {
    let failure = ErrorResponse::new(404, "Forbidden.ResourceNotFound", "a \"quoted\" word", false);
    let body: Value = serde_json::from_slice(&failure.body).unwrap();
    assert_eq!(
        body,
        json!({"__type": "Forbidden.ResourceNotFound", "message": "a \"quoted\" word"})
    );
}
