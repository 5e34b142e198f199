use secret::Failure;
use serde_json::{Value, json};

use super::*;
use crate::cause::{Cause, FailedAttempt};
use crate::parts::FoundPart;
use crate::response::AnswerContent;

fn asked(name: &'static str) -> AskedSecret<'static> {
    AskedSecret { name, version_id: None, version_stage: None }
}

fn of_stage(name: &'static str, stage: &'static str) -> AskedSecret<'static> {
    AskedSecret { version_stage: Some(stage), ..asked(name) }
}

fn value(name: &str, data: &str) -> Value {
    json!({"SecretName": name, "VersionId": "v1", "SecretData": data, "SecretDataType": "text",
        "SecretType": "Generic", "VersionStages": {"VersionStage": ["ACSCurrent"]}})
}

fn error(name: &str, code: &str, status: u16) -> Value {
    json!({"SecretName": name, "Code": code, "HttpStatus": status, "Message": "No."})
}

fn answer(values: &[Value], errors: &[Value]) -> Value {
    json!({"RequestId": "r-1", "SecretValues": values, "Errors": errors})
}

/// What is told of each part.
fn told(asked: &[AskedSecret<'_>], body: &Value) -> Result<Vec<String>, Option<Failure>> {
    let sent = Sensitive::from(String::from("canary-sent"));
    let parts = read(body.to_string().as_bytes(), asked, &[&sent]);
    let parts = parts.map_err(|error| error.failure())?;
    let text = |found: FoundPart| match found {
        FoundPart::Value(value) => String::from_utf8(value.bytes.expose().to_vec()).unwrap(),
        FoundPart::Refused(failed) => {
            format!("{:?} {:?}: {}", failed.failure(), failed.status, failed.cause)
        }
        FoundPart::Alone => String::from("alone"),
    };
    Ok(parts.into_found().into_iter().map(text).collect())
}

const THREE: [&str; 3] = ["a", "b", "c"];

#[test]
fn the_parameter_is_one_json_text_in_the_order_of_the_names() {
    let list = list(&[asked("app/db secret*~+密"), of_stage("secret001", "ACSPrevious")]);
    let expected = r#"[{"SecretName":"app/db secret*~+密"},{"SecretName":"secret001","VersionStage":"ACSPrevious"}]"#;
    assert_eq!(list, expected);
    let version = AskedSecret { version_id: Some("v1"), ..asked("x") };
    assert_eq!(super::list(&[version]), r#"[{"SecretName":"x","VersionId":"v1"}]"#);
}

#[test]
fn parts_belong_to_the_names_in_them_whatever_their_order() {
    let values = [value("c", "3"), value("a", "1")];
    let errors = [error("b", "Forbidden.ResourceNotFound", 404)];
    let refused = "NotFound Some(404): refused with Forbidden.ResourceNotFound: No.";
    assert_eq!(told(&THREE.map(asked), &answer(&values, &errors)).unwrap(), ["1", refused, "3"]);
}

#[test]
fn an_answer_may_name_an_arn_or_the_name_in_it() {
    let arn = "acs:kms:cn-hangzhou:1:secret/app/db";
    for name in [arn, "app/db"] {
        assert_eq!(told(&[asked(arn)], &answer(&[value(name, "x")], &[])).unwrap(), ["x"]);
        let refused = answer(&[], &[error(name, "Forbidden.ResourceNotFound", 404)]);
        assert!(told(&[asked(arn)], &refused).unwrap()[0].starts_with("NotFound"));
    }
    assert!(told(&[asked("app/db")], &answer(&[value(arn, "x")], &[])).is_err());
}

#[test]
fn either_list_may_be_missing_where_it_would_be_empty() {
    let mut body = answer(&THREE.map(|name| value(name, name)), &[]);
    for errors in [json!(null), json!([])] {
        body["Errors"] = errors;
        assert_eq!(told(&THREE.map(asked), &body).unwrap(), THREE);
    }
    let mut body = answer(&[], &[error("a", "Rejected.Disabled", 409)]);
    body.as_object_mut().unwrap().remove("SecretValues");
    assert!(told(&[asked("a")], &body).unwrap()[0].starts_with("Refused"));
}

#[test]
fn an_answer_that_is_not_for_each_name_once_counts_for_nothing() {
    let (a, b, c) = (value("a", "1"), value("b", "2"), value("c", "3"));
    let other = value("d", "4");
    let failed = |name| error(name, "Forbidden.ResourceNotFound", 404);
    for (values, errors) in [
        (vec![a.clone(), b.clone()], vec![]),
        (vec![a.clone(), b.clone(), c.clone(), other.clone()], vec![]),
        (vec![a.clone(), b.clone(), other], vec![]),
        (vec![a.clone(), b.clone(), c.clone(), c.clone()], vec![]),
        (vec![a.clone(), b.clone(), c], vec![failed("c")]),
        (vec![a.clone(), b.clone()], vec![failed("d")]),
        (vec![a.clone(), b.clone()], vec![json!({"Code": "Forbidden.NoPermission"})]),
        (vec![a.clone(), b.clone(), json!({"SecretName": "c"})], vec![]),
        (vec![a.clone(), b, json!("c")], vec![]),
        ((0..21).map(|n| value(&format!("s{n}"), "x")).collect(), vec![]),
    ] {
        let body = answer(&values, &errors);
        let failure = told(&THREE.map(asked), &body).unwrap_err();
        assert_eq!(failure, Some(Failure::Unusable), "{body}");
    }
    for list in [json!({"SecretValue": [a]}), json!("a"), json!(7)] {
        let body = json!({"SecretValues": list, "Errors": []});
        assert!(told(&THREE.map(asked), &body).is_err(), "{body}");
    }
}

#[test]
fn one_part_of_another_version_or_form_spoils_the_answer() {
    type Change = fn(&mut Value);
    let changes: [Change; 5] = [
        |part| part["VersionStages"] = json!({"VersionStage": ["ACSPrevious"]}),
        |part| part["VersionStages"] = Value::Null,
        |part| part["VersionId"] = Value::Null,
        |part| part["SecretDataType"] = json!("binary"),
        |part| part["SecretData"] = json!("x".repeat(65_537)),
    ];
    for change in changes {
        let mut values = THREE.map(|name| value(name, "not base64!"));
        change(&mut values[1]);
        let body = answer(&values, &[]);
        assert!(told(&THREE.map(asked), &body).is_err(), "{body}");
    }
    let version = AskedSecret { version_id: Some("v2"), ..asked("a") };
    let failure = told(&[version], &answer(&[value("a", "1")], &[])).unwrap_err();
    assert_eq!(failure, Some(Failure::Mismatched));
}

/// Throttling, expired credentials and all that nobody knows: the call for one says more.
#[test]
fn a_part_ends_the_matter_only_with_a_code_that_is_known_and_final() {
    for (code, status, expected) in [
        ("Forbidden.ResourceNotFound", 404, "NotFound"),
        ("Forbidden.KeyNotFound", 404, "NotFound"),
        ("Forbidden.NoPermission", 403, "alone"),
        ("Forbidden.RAM", 400, "alone"),
        ("Rejected.Disabled", 409, "Refused"),
        ("Rejected.PendingDeletion", 409, "Refused"),
        ("Rejected.ResourceInDeleteWindow", 409, "Refused"),
        ("InvalidParameter", 400, "Refused"),
        ("SignatureDoesNotMatch", 400, "Identity"),
        ("Rejected.Throttling", 429, "alone"),
        ("Throttling.User", 400, "alone"),
        ("InternalFailure", 500, "alone"),
        ("ServiceUnavailable", 503, "alone"),
        ("InvalidSecurityToken.Expired", 400, "alone"),
        ("InvalidAccessKeyId.NotFound", 404, "alone"),
        ("InvalidTimeStamp.Expired", 400, "alone"),
        ("SignatureNonceUsed", 400, "alone"),
        ("InvalidApi.NotFound", 404, "alone"),
        ("Forbidden.InDebt", 403, "alone"),
        ("Something.New", 400, "alone"),
        ("", 400, "alone"),
        ("two words", 400, "alone"),
    ] {
        let body = answer(&[], &[error("a", code, status)]);
        let told = told(&[asked("a")], &body).unwrap().remove(0);
        assert!(told.starts_with(expected), "{code}: {told}");
    }
    let mut expired = error("a", "InvalidParameter", 400);
    expired["Message"] = json!("The specified parameter \"SecurityToken.Expired\" is not valid.");
    assert_eq!(told(&[asked("a")], &answer(&[], &[expired])).unwrap(), ["alone"]);
    // Neither a status nor a message is needed.
    let bare = json!({"SecretName": "a", "Code": "Forbidden.ResourceNotFound"});
    let told = told(&[asked("a")], &answer(&[], &[bare])).unwrap();
    assert_eq!(told, ["NotFound None: refused with Forbidden.ResourceNotFound"]);
}

#[test]
fn a_refusal_without_parts_is_a_refusal_of_the_whole() {
    let body = json!({"Code": "Rejected.Throttling", "Message": "QPS Limit Exceeded"});
    assert_eq!(told(&[asked("a")], &body).unwrap_err(), Some(Failure::Throttled));
    assert_eq!(told(&[asked("a")], &json!({})).unwrap_err(), Some(Failure::Unusable));
}

#[test]
fn no_refusal_of_one_repeats_the_value_of_another_or_what_was_sent() {
    for (canary, message) in [
        ("canary-value", "upstream said canary-value"),
        ("canary", "canary"),
        ("canary-value", "it was signed with canary-sent"),
        ("canary-value", r#"upstream said {"SecretData":"canar"}"#),
    ] {
        let mut refused = error("b", "Forbidden.ResourceNotFound", 404);
        refused["Message"] = json!(message);
        let body = answer(&[value("a", canary)], &[refused]);
        let told = told(&["a", "b"].map(asked), &body).unwrap();
        assert_eq!(told[1], "NotFound Some(404): refused with Forbidden.ResourceNotFound");
    }
    // Where not all that is secret is known, nothing that the service says is repeated.
    let names: Vec<String> = (0..20).map(|number| format!("s{number}")).collect();
    let asked: Vec<AskedSecret<'_>> = names
        .iter()
        .map(|name| AskedSecret { name, version_id: None, version_stage: None })
        .collect();
    let mut values: Vec<Value> =
        names.iter().map(|name| value(name, &"canary".repeat(2000))).collect();
    values.pop();
    let body = answer(&values, &[error("s19", "Forbidden.ResourceNotFound", 404)]);
    assert_eq!(told(&asked, &body).unwrap()[19], "alone");
}

#[test]
fn no_version_of_one_repeats_the_value_of_another() {
    let mut other = value("b", "x");
    other["VersionId"] = json!("canary-1");
    let body = answer(&[value("a", "canary-1"), other], &[]);
    // Only that one is asked for by itself: whoever writes a value may know versions of others.
    assert_eq!(told(&["a", "b"].map(asked), &body).unwrap(), ["canary-1", "alone"]);
    // A value as short as a digit stands in any version.
    let body = answer(&[value("a", "1"), value("b", "x")], &[]);
    assert_eq!(told(&["a", "b"].map(asked), &body).unwrap(), ["1", "x"]);
}

#[test]
fn all_values_of_an_answer_are_among_its_secrets() {
    let body = answer(&THREE.map(|name| value(name, name)), &[]).to_string();
    let parts = read(body.as_bytes(), &THREE.map(asked), &[]).ok().unwrap();
    assert_eq!((parts.secrets().len(), parts.versions().len()), (3, 3));
    assert_eq!(parts.request_id(), Some("r-1"));
}

impl ReadError {
    fn failure(self) -> Option<Failure> {
        let cause: Cause = self.into_cause();
        Some(FailedAttempt::from(cause).failure())
    }
}
