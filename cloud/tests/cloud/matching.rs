//! An answer belongs to its question, or is none.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use cloud::{AssumedRole, Lookup, Subject};
use secret::Failure;
use tokio::sync::Notify;

use crate::server::{
    Bench, KMS, Reply, Seen, after_sts, credentials, credentials_of, secret, value,
};

const OOS: &str = "oos-vpc.cn-hangzhou.aliyuncs.com";

/// On each connection the first answer is right and every later one is what was asked before it.
fn shifting() -> impl Fn(&Seen) -> Reply + Send + Sync + 'static {
    let before: Mutex<HashMap<usize, String>> = Mutex::default();
    after_sts(move |seen| {
        let name = seen.parameter("SecretName").unwrap();
        let answer = seen.answer(&format!("value of {name}"));
        let late = before.lock().unwrap().insert(seen.connection, answer.clone());
        Reply::Json(200, late.unwrap_or(answer))
    })
}

#[tokio::test]
async fn a_shifted_answer_is_never_the_value_of_another_secret() {
    let bench = Bench::new(shifting()).await;
    for name in ["f", "g", "h", "i"] {
        let fetched = bench.fetch(&secret(name)).await.unwrap();
        assert_eq!(fetched.value.expose(), format!("value of {name}").as_bytes());
    }
    // Each question but the first met a connection that was out of step, and ended it: the
    // connection of its second attempt is the one that the next question finds.
    let seen = bench.server.seen();
    let used: Vec<usize> =
        seen.iter().filter(|seen| seen.host() == KMS).map(|seen| seen.connection).collect();
    assert_eq!(used, [1, 1, 2, 2, 3, 3, 4]);
}

/// An answer tells neither who asked nor everything that was asked for.
#[tokio::test]
async fn a_shifted_answer_is_never_the_value_of_another_account_service_or_region() {
    let before: Mutex<HashMap<usize, String>> = Mutex::default();
    let bench = Bench::new(after_sts(move |seen| {
        let part = |name| seen.parameter(name).unwrap_or_default();
        if seen.action() == "AssumeRole" {
            return credentials_of(&part("RoleArn"));
        }
        let value = [seen.key_id(), seen.action(), &seen.line].join(" ");
        let mut answer: serde_json::Value = serde_json::from_str(&seen.answer(&value)).unwrap();
        // Asked by ARN, the service may answer with the name alone.
        let name = part("SecretName");
        answer["SecretName"] = name.rsplit(":secret/").next().unwrap().into();
        answer["Parameter"] =
            serde_json::json!({"Name": part("Name"), "Value": value, "ParameterVersion": 1});
        let late = before.lock().unwrap().insert(seen.connection, answer.to_string());
        Reply::Json(200, late.unwrap_or(answer.to_string()))
    }))
    .await;

    let arn = |account| secret(&format!("acs:kms:cn-hangzhou:{account}:secret/db"));
    let region = |region: &str| String::from(region);
    let oos = |subject| Lookup { endpoint: String::from(OOS), subject, assume: None };
    let hidden = |of| Subject::OosSecretParameter {
        name: String::from("p"),
        version: None,
        region: region(of),
    };
    let open = |of| Subject::OosParameter { name: String::from("p"), region: region(of) };
    let mut lookups = vec![secret("db"), arn(1), arn(2)];
    lookups.extend(["cn-hangzhou", "cn-beijing"].map(|of| oos(hidden(of))));
    lookups.extend(["cn-hangzhou", "cn-beijing"].map(|of| oos(open(of))));
    lookups.extend((2..8).map(|account| {
        let role_arn = format!("acs:ram::{account}:role/reader");
        Lookup { assume: Some(AssumedRole { role_arn, external_id: None }), ..secret("db") }
    }));
    for _ in 0..3 {
        for lookup in &lookups {
            let fetched = bench.fetch(lookup).await.unwrap();
            let asked = bench.server.seen().pop().unwrap();
            let expected = [asked.key_id(), asked.action(), &asked.line].join(" ");
            assert_eq!(fetched.value.expose(), expected.as_bytes());
        }
    }
}

/// An answer of the parameter store does not say whether its version is the current one.
#[tokio::test]
async fn a_shifted_answer_never_makes_an_old_version_of_a_parameter_the_current_one() {
    let before: Mutex<HashMap<usize, String>> = Mutex::default();
    let bench = Bench::new(after_sts(move |seen| {
        let version: u32 = seen.parameter("ParameterVersion").map_or(7, |v| v.parse().unwrap());
        let value = format!("value {version}");
        let parameter =
            serde_json::json!({"Name": "p", "Value": value, "ParameterVersion": version});
        let answer = serde_json::json!({"Parameter": parameter}).to_string();
        let late = before.lock().unwrap().insert(seen.connection, answer.clone());
        Reply::Json(200, late.unwrap_or(answer))
    }))
    .await;
    for version in [Some(1), None, Some(2), None, Some(7), None] {
        let (name, region) = (String::from("p"), String::from("cn-hangzhou"));
        let subject = Subject::OosSecretParameter { name, version, region };
        let lookup = Lookup { endpoint: String::from(OOS), subject, assume: None };
        let fetched = bench.fetch(&lookup).await.unwrap();
        let expected = format!("value {}", version.unwrap_or(7));
        assert_eq!(fetched.value.expose(), expected.as_bytes(), "{version:?}");
    }
}

#[tokio::test]
async fn an_answer_to_another_question_is_a_failure_of_its_own_that_names_both() {
    let bench = Bench::new(after_sts(|_| {
        let body = r#"{"SecretName":"other/db","SecretData":"canary","SecretDataType":"text",
            "VersionId":"v1","VersionStages":{"VersionStage":["ACSCurrent"]}}"#;
        Reply::Json(200, String::from(body))
    }))
    .await;
    let error = bench.refused().await;
    assert_eq!((error.failure(), error.is_retriable()), (Failure::Mismatched, false));
    assert_eq!(error.failure().word(), "mismatched");
    // Once more on another connection, and no more.
    assert_eq!(error.attempts(), 2);
    let words = "the answer is for another question: SecretName db was asked for, other/db was";
    assert!(error.to_string().contains(words), "{error}");
    assert!(!format!("{error:?}").contains("canary"));
}

#[tokio::test]
async fn what_is_answered_is_told_only_where_it_is_a_name() {
    let sent = crate::server::TOKEN;
    for name in ["a\\u2028b", "two words", &"x".repeat(301)] {
        let body = format!(
            r#"{{"SecretName":"{name}","SecretData":"x","SecretDataType":"text","VersionId":"v"}}"#
        );
        let bench = Bench::new(after_sts(move |_| Reply::Json(200, body.clone()))).await;
        let text = bench.refused().await.to_string();
        assert!(text.contains("db was asked for, another one was answered"), "{text}");
    }
    let bench =
        Bench::new(move |_| credentials("STS.x", &format!("acs:ram::1:role/app/{sent}"))).await;
    let error = bench.refused().await;
    assert_eq!(error.failure(), Failure::Mismatched);
    assert!(!error.to_string().contains("canary"), "{error}");
}

/// What of KMS is the answer to which question.
#[tokio::test]
async fn names_versions_and_stages_are_those_that_were_asked_for() {
    let arn = "acs:kms:cn-hangzhou:1:secret/app/db";
    let asked = |name: &str, id: Option<&str>, stage: Option<&str>| {
        let subject = Subject::KmsSecret {
            name: name.to_owned(),
            version_id: id.map(ToOwned::to_owned),
            version_stage: stage.map(ToOwned::to_owned),
        };
        Lookup { endpoint: String::from(KMS), subject, assume: None }
    };
    let current = r#""VersionId":"v1","VersionStages":{"VersionStage":["mine","ACSCurrent"]}"#;
    let previous = r#""VersionId":"v0","VersionStages":{"VersionStage":["ACSPrevious"]}"#;
    let managed = r#""SecretType":"Rds","VersionId":"v9""#;
    for (lookup, name, facts, fits) in [
        (asked("app/db", None, None), "app/db", current, true),
        (asked("app/db", None, None), "app/db", previous, false),
        (asked("app/db", None, None), "app/DB", current, false),
        (asked("app/db", None, None), "db", current, false),
        (asked("app/db", None, None), arn, current, false),
        (asked(arn, None, None), arn, current, true),
        (asked(arn, None, None), "app/db", current, true),
        (asked(arn, None, None), "db", current, false),
        (asked(arn, None, None), "acs:kms:cn-hangzhou:2:secret/app/db", current, false),
        (asked("a", Some("v0"), None), "a", previous, true),
        (asked("a", Some("v0"), None), "a", current, false),
        // The service ignores the version of what it manages itself.
        (asked("a", Some("v0"), None), "a", managed, true),
        (asked("a", None, Some("ACSPrevious")), "a", previous, true),
        (asked("a", None, Some("ACSPrevious")), "a", current, false),
        (asked("a", None, Some("mine")), "a", current, true),
        (asked("a", Some("v1"), Some("ACSPrevious")), "a", current, false),
    ] {
        let body = format!(
            r#"{{"SecretName":"{name}","SecretData":"x","SecretDataType":"text",{facts}}}"#
        );
        let bench = Bench::new(after_sts(move |_| Reply::Json(200, body.clone()))).await;
        let class = bench.fetch(&lookup).await.err().map(|error| error.failure());
        let expected = (!fits).then_some(Failure::Mismatched);
        assert_eq!(class, expected, "{lookup:?} {name} {facts}");
    }
}

#[tokio::test]
async fn an_answer_that_does_not_say_what_it_is_about_is_none() {
    let none = r#""VersionStages":{"VersionStage":[]}"#;
    for (facts, words) in [
        (r#""SecretType":"Generic""#, "has no SecretName"),
        (r#""SecretName":7"#, "has no SecretName"),
        (r#""SecretName":"db""#, "has no VersionStages"),
        (&format!(r#""SecretName":"db",{none}"#), "has no VersionStages"),
        (r#""SecretName":"db","VersionStages":["ACSCurrent"]"#, "has no VersionStages"),
    ] {
        let body =
            format!(r#"{{"SecretData":"x","SecretDataType":"text","VersionId":"v",{facts}}}"#);
        let bench = Bench::new(after_sts(move |_| Reply::Json(200, body.clone()))).await;
        let error = bench.refused().await;
        assert_eq!(error.failure(), Failure::Unusable);
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[tokio::test]
async fn parameters_are_those_that_were_asked_for() {
    let region = || String::from("cn-hangzhou");
    let hidden = |name: &str, version| Subject::OosSecretParameter {
        name: name.to_owned(),
        version,
        region: region(),
    };
    let open = Subject::OosParameter { name: String::from("p"), region: region() };
    for (subject, answered, class) in [
        (hidden("/a/p", None), r#""Name":"/a/p""#, None),
        (hidden("/a/p", Some(7)), r#""Name":"/a/p""#, None),
        (hidden("/a/p", Some(6)), r#""Name":"/a/p""#, Some(Failure::Mismatched)),
        (hidden("/a/p", None), r#""Name":"/a/q""#, Some(Failure::Mismatched)),
        (hidden("/a/p", None), r#""Id":"p-1""#, Some(Failure::Unusable)),
        (open.clone(), r#""Name":"p""#, None),
        (open, r#""Name":"q""#, Some(Failure::Mismatched)),
    ] {
        let body = format!(r#"{{"Parameter":{{{answered},"Value":"x","ParameterVersion":7}}}}"#);
        let bench = Bench::new(after_sts(move |_| Reply::Json(200, body.clone()))).await;
        let lookup = Lookup { endpoint: String::from(OOS), subject, assume: None };
        let found = bench.fetch(&lookup).await.err().map(|error| error.failure());
        assert_eq!(found, class, "{lookup:?} {answered}");
    }
}

#[tokio::test]
async fn credentials_of_another_role_or_session_are_not_used() {
    for (arn, fits) in [
        ("acs:ram::1:role/app/pod", true),
        // The service writes the names of roles in small letters.
        ("acs:ram::1:role/APP/pod", true),
        ("acs:ram::1:role/app/POD", false),
        ("acs:ram::2:role/app/pod", false),
        ("acs:ram::1:role/other/pod", false),
        ("acs:ram::1:role/app", false),
    ] {
        let bench = Bench::new(move |seen| match seen.action() {
            "AssumeRoleWithOIDC" => credentials("STS.base", arn),
            _ => value("x"),
        })
        .await;
        let class = bench.fetch(&secret("db")).await.err().map(|error| error.failure());
        assert_eq!(class, (!fits).then_some(Failure::Mismatched), "{arn}");
        assert_eq!(bench.server.count("GetSecretValue"), usize::from(fits), "{arn}");
    }
    let bench = Bench::new(after_sts(|seen| match seen.action() {
        "AssumeRole" => credentials("STS.other", "acs:ram::2:role/other/pod"),
        _ => value("x"),
    }))
    .await;
    for (account, fits) in [("2", true), ("3", false)] {
        let assume =
            AssumedRole { role_arn: format!("acs:ram::{account}:role/other"), external_id: None };
        let lookup = Lookup { assume: Some(assume), ..secret("db") };
        let class = bench.fetch(&lookup).await.err().map(|error| error.failure());
        assert_eq!(class, (!fits).then_some(Failure::Mismatched), "{account}");
    }
}

/// Nobody asked for the second answer. Where it comes before the next question, the connection is
/// over; where it comes later, it is for another question.
#[tokio::test]
async fn an_answer_that_nobody_asked_for_ends_an_idle_connection() {
    for stray in ["HTTP/1.1 200 X\r\ncontent-length: 2\r\n\r\n{}", "garbage"] {
        let (send, ended) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (sender, end) = (Arc::clone(&send), Arc::clone(&ended));
        let stray = String::from(stray);
        let bench = Bench::new(after_sts(move |seen| {
            let (send, ended) = (Arc::clone(&sender), Arc::clone(&end));
            Reply::Stray(seen.answer("x"), stray.clone(), send, ended)
        }))
        .await;
        bench.fetch(&secret("a")).await.unwrap();
        send.notify_one();
        ended.notified().await;
        bench.fetch(&secret("b")).await.unwrap();
        let seen = bench.server.seen();
        assert_eq!((seen[1].connection, seen[2].connection), (1, 2));
    }
}
