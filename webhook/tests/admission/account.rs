use serde_json::{Value, json};
use webhook::account::ServiceAccount;
use webhook::inject::{Injection, Subject, inject};
use webhook::settings::Settings;

use crate::support::{ROLE, plan, pod, settings};

/// A Pod whose role is its ServiceAccount's to say.
fn without_role() -> Value {
    let mut pod = pod(&[("secrets", "a: b")]);
    pod["metadata"]["annotations"].as_object_mut().unwrap().remove("kms.alibabacloud/role-arn");
    pod
}

fn decided(
    pod: &Value,
    account: &[(&str, &str)],
    settings: &Settings,
) -> Result<plan::Plan, String> {
    let account = ServiceAccount::from_annotations(account.iter().copied());
    let namespace = pod["metadata"]["namespace"].as_str().unwrap();
    let subject = Subject { namespace, account: Some(&account) };
    match inject(&pod.to_string(), &subject, settings) {
        Ok(Injection::Patched { patch, .. }) => {
            let patch = serde_json::to_value(&patch).unwrap();
            let patch: json_patch::Patch = serde_json::from_value(patch).unwrap();
            let mut after = pod.clone();
            json_patch::patch(&mut after, &patch).unwrap();
            Ok(plan(&after))
        }
        Ok(Injection::Untouched) => panic!("{pod}"),
        Err(problems) => Err(problems.message()),
    }
}

const ARN: (&str, &str) = ("ack.alibabacloud.com/role-arn", " acs:ram::5:role/by-arn\n");
const NAME: (&str, &str) = ("pod-identity.alibabacloud.com/role-name", " by-name\n");

#[test]
fn the_role_is_the_pods_else_the_accounts_arn_else_its_name() {
    let owned = Settings { account_id: Some("6".to_owned()), ..settings() };
    let role = |pod: &Value, account: &[(&str, &str)]| {
        decided(pod, account, &owned).unwrap().identity().role.to_string()
    };
    assert_eq!(role(&pod(&[("secrets", "a: b")]), &[ARN, NAME]), ROLE);
    assert_eq!(role(&without_role(), &[ARN, NAME]), "acs:ram::5:role/by-arn");
    assert_eq!(role(&without_role(), &[NAME]), "acs:ram::6:role/by-name");
    for (account, settings, words) in [
        (&[][..], owned.clone(), "ServiceAccount \"checkout\": no RAM role is known"),
        (&[NAME][..], settings(), "no account is known"),
        (&[("ack.alibabacloud.com/role-arn", "by-arn")][..], owned.clone(), "not a role ARN"),
        (
            &[("pod-identity.alibabacloud.com/role-name", "a/b")][..],
            owned.clone(),
            "annotation pod-identity.alibabacloud.com/role-name",
        ),
    ] {
        let message = decided(&without_role(), account, &settings).unwrap_err();
        assert!(message.contains(words), "{message}");
        assert!(!message.contains("problems)"), "{message}");
    }
}

#[test]
fn the_provider_belongs_to_the_operators_account_else_to_the_roles() {
    let provider = |settings: &Settings| {
        decided(&without_role(), &[ARN], settings).unwrap().identity().provider.to_string()
    };
    assert_eq!(provider(&settings()), "acs:ram::5:oidc-provider/ack-rrsa-c0123");
    let owned = Settings { account_id: Some("6".to_owned()), ..settings() };
    assert_eq!(provider(&owned), "acs:ram::6:oidc-provider/ack-rrsa-c0123");
}

#[test]
fn a_session_is_called_after_namespace_and_account() {
    let session = |namespace: &str, account: Value| {
        let mut pod = without_role();
        pod["metadata"]["namespace"] = json!(namespace);
        pod["spec"]["serviceAccountName"] = account;
        decided(&pod, &[ARN], &settings()).unwrap().identity().session.to_string()
    };
    assert_eq!(session("my-shop", json!("check-out")), "my-shop.check-out");
    assert_eq!(session("my-shop", json!("")), "my-shop.default");
    assert_eq!(session("my-shop", Value::Null), "my-shop.default");
    let cut = format!("{}.{}", "n".repeat(31), "a".repeat(32));
    assert_eq!(session(&"n".repeat(63), json!("a".repeat(63))), cut);
    let whole = format!("{}.{}", "n".repeat(60), "app");
    assert_eq!(session(&"n".repeat(60), json!("app")), whole);
}
