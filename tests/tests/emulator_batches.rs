//! Several secrets in one call, seen from the client: the true answer, and what faults make of it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper that fails is a test that fails"
)]

use lab::cloud::{Cloud, Effect, Fault, PartsChange};
use serde_json::{Value, json};

use crate::support::{ACCOUNT, Call, GATEWAY, KMS, Key, assumed, cloud, reader};

fn several(wanted: &Value, key: Key) -> Call {
    let call = Call::new(KMS, "BatchGetSecretValue", "2016-01-20", Some(key));
    call.with("SecretsList", &wanted.to_string())
}

fn wanted(names: &[&str]) -> Value {
    names.iter().map(|name| json!({ "SecretName": name })).collect()
}

/// Names of the values, and names and codes of the errors.
async fn told(cloud: &Cloud, call: &Call) -> (Vec<String>, Vec<(String, String)>) {
    let reply = call.send(cloud).await.unwrap();
    assert_eq!(reply.status, 200, "{}", reply.text());
    let json = reply.json();
    let list = |name: &str| json[name].as_array().cloned().unwrap_or_default();
    let text = |part: &Value, field: &str| part[field].as_str().unwrap().to_owned();
    let values = list("SecretValues").iter().map(|part| text(part, "SecretName")).collect();
    let error = |part: &Value| (text(part, "SecretName"), text(part, "Code"));
    (values, list("Errors").iter().map(error).collect())
}

#[tokio::test]
async fn permission_is_needed_for_each_secret_and_at_a_gateway_for_its_key() {
    let cloud = cloud().await;
    let key = assumed(&cloud).await;
    let call = several(&wanted(&["app/text", "other/text", "app/none"]), key.clone());
    let (values, errors) = told(&cloud, &call).await;
    assert_eq!(values, ["app/text"]);
    let error = |name: &str, code: &str| (name.to_owned(), code.to_owned());
    let denied = error("other/text", "Forbidden.NoPermission");
    assert_eq!(errors, [denied, error("app/none", "Forbidden.ResourceNotFound")]);
    let (values, errors) = told(&cloud, &several(&wanted(&["app/text"]), key).at(GATEWAY)).await;
    assert!(values.is_empty());
    assert_eq!(errors, [error("app/text", "Forbidden.NoPermission")]);
}

#[tokio::test]
async fn a_list_that_is_none_is_refused_whole() {
    let cloud = cloud().await;
    let many = vec![json!({ "SecretName": "app/text" }); 21];
    for list in [json!([]), json!(many), json!({}), json!(["app/text"])] {
        several(&list, reader()).refused(&cloud, 400, "InvalidParameter").await;
    }
    let none = Call::new(KMS, "BatchGetSecretValue", "2016-01-20", Some(reader()));
    none.refused(&cloud, 400, "MissingParameter").await;
}

#[tokio::test]
async fn faults_change_the_parts_of_an_answer() {
    let cloud = cloud().await;
    let names = ["app/text", "app/empty"];
    let arn = |name: &str| format!("acs:kms:cn-hangzhou:{ACCOUNT}:secret/{name}");
    for (change, expected) in [
        (PartsChange::Reversed, vec!["app/empty", "app/text"]),
        (PartsChange::ByArn, vec![&arn("app/text"), &arn("app/empty")]),
        (PartsChange::ByName, vec!["app/text", "app/empty"]),
        (PartsChange::WithoutErrors, vec!["app/text", "app/empty"]),
        (PartsChange::OneMissing, vec!["app/text"]),
        (PartsChange::OneTwice, vec!["app/text", "app/empty", "app/text"]),
        (PartsChange::OneMore, vec!["app/text", "app/empty", "another/secret"]),
        (PartsChange::OtherName, vec!["another/secret", "app/empty"]),
        (PartsChange::OtherVersion, vec!["app/text", "app/empty"]),
    ] {
        cloud.add_fault(Fault::new(Effect::Parts { change }).times(1));
        let (values, errors) = told(&cloud, &several(&wanted(&names), reader())).await;
        assert_eq!(values, expected, "{change:?}");
        assert!(errors.is_empty());
    }
    cloud.add_fault(Fault::new(Effect::Parts { change: PartsChange::AsAsked }).times(1));
    let asked = [arn("app/text"), "app/empty".to_owned()];
    let asked = asked.each_ref().map(String::as_str);
    assert_eq!(told(&cloud, &several(&wanted(&asked), reader())).await.0, asked);

    let part = Effect::PartRefused {
        name: "app/text".to_owned(),
        status: 418,
        code: "Any".to_owned(),
        message: "m".to_owned(),
    };
    cloud.add_fault(Fault::new(part).times(1));
    let (values, errors) = told(&cloud, &several(&wanted(&names), reader())).await;
    assert_eq!((values.as_slice(), errors[0].1.as_str()), (&["app/empty".to_owned()][..], "Any"));

    let whole = Effect::Parts { change: PartsChange::RefusedWhole };
    cloud.add_fault(Fault::new(whole).times(1));
    let call = several(&wanted(&["app/text", "app/none"]), reader());
    call.refused(&cloud, 404, "Forbidden.ResourceNotFound").await;
}
