use serde_json::{Value, json};
use webhook::account::{Account, ServiceAccount};
use webhook::decide::inject::{Injection, inject};
use webhook::facts::{Facts, Subject, Wanted};
use webhook::settings::Settings;
use webhook::wire::admit::Question;
use webhook::wire::reply::Outcome;

use crate::support::{ROLE, ask_with, injected, plan, pod, review, rrsa, settings, settings_with};

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
    let account = Account::Known(ServiceAccount::from_annotations(account.iter().copied()));
    let namespace = pod["metadata"]["namespace"].as_str().unwrap();
    let subject = Subject { namespace, facts: &account.into() };
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
    let owned = settings_with(&["accountId=6"]);
    let role = |pod: &Value, account: &[(&str, &str)]| {
        rrsa(&decided(pod, account, &owned).unwrap()).role.to_string()
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
        rrsa(&decided(&without_role(), &[ARN], settings).unwrap()).provider.to_string()
    };
    assert_eq!(provider(&settings()), "acs:ram::5:oidc-provider/ack-rrsa-c0123");
    let owned = settings_with(&["accountId=6"]);
    assert_eq!(provider(&owned), "acs:ram::6:oidc-provider/ack-rrsa-c0123");
}

#[test]
fn a_session_is_called_after_namespace_and_account() {
    let session = |namespace: &str, account: Value| {
        let mut pod = without_role();
        pod["metadata"]["namespace"] = json!(namespace);
        pod["spec"]["serviceAccountName"] = account;
        rrsa(&decided(&pod, &[ARN], &settings()).unwrap()).sts.session.to_string()
    };
    assert_eq!(session("my-shop", json!("check-out")), "my-shop.check-out");
    assert_eq!(session("my-shop", json!("")), "my-shop.default");
    assert_eq!(session("my-shop", Value::Null), "my-shop.default");
    // A namespace that was cut could be another's.
    let long = |namespace: usize, account: usize| {
        session(&"n".repeat(namespace), json!("a".repeat(account)))
    };
    for (namespace, account, left) in [(60, 3, 3), (60, 4, 3), (31, 63, 32), (63, 63, 0)] {
        let told = format!("{}.{}", "n".repeat(namespace), "a".repeat(left));
        assert_eq!(long(namespace, account), told);
    }
}

#[test]
fn a_session_carries_the_pods_namespace_whatever_name_it_asks_for() {
    let session = |namespace: &str, annotations: &[(&str, &str)]| {
        let all = [&[("secrets", "a: b")], annotations].concat();
        let mut review = review(&pod(&all));
        review["request"]["namespace"] = json!(namespace);
        ask_with(&review, &settings())
    };
    for (name, told) in [
        ("payments.db", "shop.payments.db"),
        ("shop.db", "shop.db"),
        ("shop", "shop.shop"),
        ("shop-eu.db", "shop.shop-eu.db"),
        ("a@b", "shop.a@b"),
        (&"x".repeat(59), &format!("shop.{}", "x".repeat(59))),
    ] {
        let after = injected(&pod(&[("secrets", "a: b"), ("role-session-name", name)]));
        assert_eq!(rrsa(&plan(&after)).sts.session.as_str(), told, "{name}");
    }
    let answer = session("shop", &[("role-session-name", &"x".repeat(60))]);
    assert!(
        answer.message().starts_with("kms.alibabacloud/role-session-name: ")
            && answer.message().contains("at most 59 characters"),
        "{}",
        answer.message()
    );
    // The whole namespace stays, since one that was cut could be another's.
    let answer = session(&"n".repeat(63), &[("role-session-name", "xy")]);
    assert!(answer.message().contains("remove it"), "{}", answer.message());
    assert_eq!(session(&"n".repeat(63), &[]).response["allowed"], true);
}

/// The account that a review's answer needs.
fn needed(review: &Value) -> Option<(String, String)> {
    let body = review.to_string();
    let question = Question::read(body.as_bytes()).unwrap();
    match question.wants(&Facts::default(), &settings())? {
        Wanted::Account { namespace, name } => Some((namespace.into_owned(), name.into_owned())),
        other @ Wanted::Class { .. } => panic!("{other:?}"),
    }
}

#[test]
fn the_account_is_needed_where_the_pod_wants_secrets_and_does_not_say_its_role() {
    let needs = |pod: &Value| needed(&review(pod)).is_some();
    let mut pod = without_role();
    let expected = Some(("shop".to_owned(), "checkout".to_owned()));
    assert_eq!(needed(&review(&pod)), expected);
    pod["spec"].as_object_mut().unwrap().remove("serviceAccountName");
    assert_eq!(needed(&review(&pod)).unwrap().1, "default");

    let own = |value: Value| {
        let mut pod = without_role();
        pod["metadata"]["annotations"]["kms.alibabacloud/role-arn"] = value;
        pod
    };
    assert!(!needs(&own(json!(ROLE))) && !needs(&own(json!("bad"))) && !needs(&own(json!(7))));
    let mut out = without_role();
    out["metadata"]["labels"] = json!({"kms.alibabacloud/injection": "disabled"});
    assert!(!needs(&out));
    let mut plain = without_role();
    plain["metadata"]["annotations"] = json!({"example.com/role-arn": "x"});
    assert!(!needs(&plain));
    let mut update = review(&without_role());
    update["request"]["operation"] = json!("UPDATE");
    assert_eq!(needed(&update), None);
}

#[test]
fn an_account_that_was_not_read_is_a_denial_for_now_unless_more_is_wrong() {
    let account = Account::Unreadable("the API server is asleep".to_owned());
    let answered = |pod: &Value| {
        let body = review(pod).to_string();
        let reply =
            Question::read(body.as_bytes()).unwrap().answer(&account.clone().into(), &settings());
        let body: Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!((reply.status, &body["response"]["allowed"]), (200, &json!(false)));
        (reply, body["response"]["status"].clone())
    };
    let (reply, status) = answered(&without_role());
    assert_eq!(reply.outcome, Outcome::Unavailable);
    assert_eq!((&status["code"], &status["reason"]), (&json!(503), &json!("ServiceUnavailable")));
    let message = status["message"].as_str().unwrap();
    assert!(message.contains("could not be read") && message.contains("asleep"), "{message}");
    assert!(message.contains("try again"), "{message}");
    assert_eq!(reply.reason.as_deref(), message.lines().next());

    let mut worse = without_role();
    worse["metadata"]["annotations"]["kms.alibabacloud/timeout"] = json!("forever");
    let (reply, status) = answered(&worse);
    assert_eq!((reply.outcome, &status["code"]), (Outcome::Denied, &json!(400)));
    let message = status["message"].as_str().unwrap();
    assert!(message.contains("timeout") && message.contains("asleep"), "{message}");
}

#[test]
fn a_missing_account_is_named_with_its_namespace() {
    let body = review(&without_role()).to_string();
    let reply =
        Question::read(body.as_bytes()).unwrap().answer(&Account::Missing.into(), &settings());
    assert_eq!(reply.outcome, Outcome::Denied);
    assert_eq!(
        reply.reason.as_deref(),
        Some(
            "ServiceAccount \"checkout\": there is none of this name in namespace \"shop\"; create it, or correct serviceAccountName"
        )
    );
}

#[test]
fn the_reason_of_a_denial_is_one_line_without_control_characters() {
    let mut pod = without_role();
    pod["metadata"]["annotations"]["kms.alibabacloud/secrets"] =
        json!("a: s3://x\u{7}\u{202e}\r\nb: s3://y");
    pod["metadata"]["annotations"]["kms.alibabacloud/bad\u{1b}\u{202e}\u{2028}key"] = json!("x");
    let body = review(&pod).to_string();
    let reply = Question::read(body.as_bytes()).unwrap().answer(&Facts::default(), &settings());
    let reason = reply.reason.unwrap();
    assert!(
        reason.chars().count() <= 200 && reason.chars().all(printable::is_printable),
        "{reason:?}"
    );
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    let message = body["response"]["status"]["message"].as_str().unwrap();
    assert!(message.contains("badkey"), "{message:?}");
    assert!(message.chars().all(|c| c == '\n' || printable::is_printable(c)), "{message:?}");
    let allowed = review(&pod_that_is_left_alone()).to_string();
    let reply = Question::read(allowed.as_bytes()).unwrap().answer(&Facts::default(), &settings());
    assert_eq!(reply.reason, None);
}

fn pod_that_is_left_alone() -> Value {
    json!({"metadata": {"name": "app"}, "spec": {"containers": []}})
}

#[test]
fn a_pod_that_asks_for_nothing_so_far_hears_that_and_nothing_of_a_region() {
    let pod = pod(&[("env.tracer", "A: kms://a\n"), ("containers", "app, tracer")]);
    for settings in [settings(), settings_with(&["region="])] {
        let answer = ask_with(&review(&pod), &settings);
        let message = answer.message();
        assert!(message.contains("its variables are for containers that the Pod"), "{message}");
        assert!(!message.contains("region"), "{message}");
    }
}
