//! Nothing that an answer holds, or that was sent for it, is told as an id, a version or a name.

use cloud::{Error, Lookup, Subject};
use secret::{Failure, Fetched};
use serde_json::{Value, json};

use crate::server::{Bench, KMS, Reply, Seen, after_sts, secret};

/// Long and short, alone and inside of a longer word.
const VALUES: [(&str, &str); 3] = [
    ("canary-of-16-and-more", "canary-of-16-and-more"),
    ("canary", "canary"),
    ("canary-pw", "v-canary-pw-7"),
];

fn changed(seen: &Seen, value: &str, change: impl Fn(&mut Value)) -> String {
    let mut body: Value = serde_json::from_str(&seen.answer(value)).unwrap();
    change(&mut body);
    body.to_string()
}

fn with_id(id: &str, body: String) -> Reply {
    Reply::Full(200, vec![("x-acs-request-id", id.to_owned())], body)
}

async fn fetch(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Result<Fetched, Error> {
    Bench::new(after_sts(answer)).await.fetch(&secret("db")).await
}

fn nothing_is_told(error: &Error, class: Failure) {
    let text = format!("{error} {error:?} {:?} {:?}", error.code(), error.request_id());
    assert!(!text.contains("canary"), "{text}");
    assert_eq!(error.failure(), class, "{error}");
}

#[tokio::test]
async fn no_id_or_version_repeats_the_value() {
    for (value, told) in VALUES {
        for header in [false, true] {
            let fetched = fetch(move |seen| {
                let id = if header { Value::Null } else { told.into() };
                let body = changed(seen, value, |body| {
                    body["RequestId"] = id.clone();
                    body["VersionId"] = told.into();
                });
                with_id(if header { told } else { "other" }, body)
            });
            let fetched = fetched.await.unwrap();
            assert_eq!(fetched.request_id, if header { "" } else { "other" }, "{told}");
            assert_eq!((fetched.version.as_str(), fetched.printable_version()), (told, ""));
        }
    }
    let fetched = fetch(|seen| Reply::Json(200, changed(seen, "v1", |_| ()))).await.unwrap();
    assert_eq!((fetched.version.as_str(), fetched.printable_version()), ("v1", ""));
    // A value of no bytes is part of everything.
    let fetched = fetch(|seen| Reply::Json(200, changed(seen, "", |_| ()))).await.unwrap();
    assert_eq!((fetched.request_id.as_str(), fetched.printable_version()), ("kms-1", "v1"));
}

/// Somebody may take the id for the secret, and the secret for the id.
#[tokio::test]
async fn no_message_repeats_the_id_of_a_key() {
    let told = |message: &'static str| async move {
        let body = json!({"Code": "Forbidden.NoPermission", "Message": message, "RequestId": "r"});
        let error = fetch(move |_| Reply::Json(403, body.to_string())).await.unwrap_err();
        error.message().map(ToOwned::to_owned)
    };
    assert_eq!(told("The key STS.base may not.").await, None);
    assert_eq!(told("The key may not.").await.as_deref(), Some("The key may not."));
}

/// "canary" in Base64, as it stands in the answer.
#[tokio::test]
async fn no_id_or_version_repeats_the_value_as_it_is_written() {
    let fetched = fetch(|seen| {
        let body = changed(seen, "Y2FuYXJ5", |body| {
            body["SecretDataType"] = "binary".into();
            body["RequestId"] = "Y2FuYXJ5".into();
            body["VersionId"] = "Y2FuYXJ5".into();
        });
        with_id("canary", body)
    });
    let fetched = fetched.await.unwrap();
    assert_eq!(fetched.value.expose(), b"canary");
    assert_eq!((fetched.request_id.as_str(), fetched.printable_version()), ("", ""));
}

#[tokio::test]
async fn an_answer_that_is_not_used_tells_no_value_either() {
    type Change = fn(&mut Value, &str);
    let mismatches: [Change; 3] = [
        |body, told| body["SecretName"] = told.into(),
        |body, told| body["VersionStages"] = json!({"VersionStage": [told]}),
        |body, told| body["VersionId"] = told.into(),
    ];
    let malformed: [Change; 4] = [
        |body, _| body["SecretName"] = Value::Null,
        |body, _| body["SecretDataType"] = "other".into(),
        |body, _| body["VersionId"] = "two\nlines".into(),
        // Nothing is known of such a body.
        |body, _| body["VersionId"] = 7.into(),
    ];
    let all = mismatches.map(|change| (change, Failure::Mismatched)).into_iter();
    for (change, class) in all.chain(malformed.map(|change| (change, Failure::Unusable))) {
        for (value, told) in VALUES {
            let bench = Bench::new(after_sts(move |seen| {
                with_id(told, changed(seen, value, |body| change(body, told)))
            }))
            .await;
            let version_id = Some(String::from("v1"));
            let version_stage = Some(String::from("ACSCurrent"));
            let name = String::from("db");
            let subject = Subject::KmsSecret { name, version_id, version_stage };
            let lookup = Lookup { endpoint: String::from(KMS), subject, assume: None };
            nothing_is_told(&bench.fetch(&lookup).await.unwrap_err(), class);
        }
    }
    let bench = Bench::new(after_sts(|seen| {
        let answer = seen.answer("canary").replace('}', "");
        with_id("canary", answer)
    }))
    .await;
    nothing_is_told(&bench.refused().await, Failure::Unusable);
}

#[tokio::test]
async fn no_name_of_a_parameter_repeats_its_value() {
    for (value, told) in VALUES {
        for number in [json!(7), Value::Null] {
            let parameter = json!({"Name": told, "Value": value, "ParameterVersion": number});
            let class = if number.is_null() { Failure::Unusable } else { Failure::Mismatched };
            let body = json!({"Parameter": parameter}).to_string();
            let bench = Bench::new(after_sts(move |_| with_id(told, body.clone()))).await;
            let (name, region) = (String::from("p"), String::from("cn-hangzhou"));
            let endpoint = String::from("oos-vpc.cn-hangzhou.aliyuncs.com");
            let subject = Subject::OosParameter { name, region };
            let lookup = Lookup { endpoint, subject, assume: None };
            nothing_is_told(&bench.fetch(&lookup).await.unwrap_err(), class);
        }
    }
}

#[tokio::test]
async fn no_role_or_id_repeats_new_credentials() {
    let role = "acs:ram::1:role/app/pod";
    let end = "2999-01-01T00:00:00Z";
    for told in ["canary-key", "canary-token", "x-canary-key"] {
        for (arn, end, class) in [
            (told, end, Failure::Mismatched),
            (role, "tomorrow", Failure::Unusable),
            ("two\nlines", end, Failure::Unusable),
        ] {
            let body = json!({
                "AssumedRoleUser": {"Arn": arn},
                "Credentials": {
                    "AccessKeyId": "STS.x", "AccessKeySecret": "canary-key",
                    "SecurityToken": "canary-token", "Expiration": end,
                },
            });
            let bench = Bench::new(move |_| with_id(told, body.to_string())).await;
            nothing_is_told(&bench.refused().await, class);
        }
    }
}

/// Ids are for whoever asks the service about an answer; only those that repeat something go.
#[tokio::test]
async fn the_id_of_an_answer_that_is_not_used_is_told() {
    for change in [
        |body: &mut Value| body["SecretName"] = "other".into(),
        |body: &mut Value| body["SecretName"] = Value::Null,
        |body: &mut Value| *body = json!({"Code": "Forbidden.NoPermission"}),
        |body: &mut Value| *body = json!({}),
    ] {
        let answer = move |seen: &Seen| with_id("6a3e-1", changed(seen, "canary", change));
        let error = fetch(answer).await.unwrap_err();
        assert_eq!(error.request_id(), Some("6a3e-1"), "{error}");
    }
}
