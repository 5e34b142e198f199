//! The operator's policy, as the author of a Pod meets it.

use serde_json::{Value, json};
use webhook::settings::Settings;

use crate::support::{ROLE, ask_with, injected_with, plan, pod, review, rrsa, settings_with};

fn settings(policy: &str) -> Settings {
    settings_with(&[policy])
}

fn shops() -> Settings {
    settings(
        "policy=[{name: shops, namespaces: [shop, shop-*], roles: ['acs:ram::*:role/demo-*']}]",
    )
}

fn denied(pod: &Value, settings: &Settings) -> String {
    ask_with(&review(pod), settings).message().to_owned()
}

#[test]
fn a_role_that_a_rule_names_is_used_and_another_is_denied_with_the_rule() {
    let named = pod(&[("secrets", "a: b")]);
    assert_eq!(rrsa(&plan(&injected_with(&named, &shops()))).role.as_str(), ROLE);
    let other = pod(&[("secrets", "a: b"), ("role-arn", "acs:ram::1:role/admin")]);
    assert_eq!(
        denied(&other, &shops()),
        "policy: namespace shop may not use acs:ram::1:role/admin by rrsa: rule \"shops\" (not the role); use a role that the policy allows, or ask the operator for a rule"
    );
}

#[test]
fn secrets_that_no_rule_names_are_denied_and_an_agent_gets_the_rules_with_it() {
    let settings = settings(
        "policy=[{name: shops, namespaces: [shop], roles: ['*'], secrets: ['shop/*', shop-token]}]",
    );
    let allowed = pod(&[("secrets", "- shop/db\n- oos://shop-token\n")]);
    injected_with(&allowed, &settings);
    let message = denied(&pod(&[("secrets", "- shop/db\n- billing/db\n")]), &settings);
    assert!(
        message.contains(
            "namespace shop may not read billing/db with this role: rule \"shops\" does not allow it"
        ),
        "{message}"
    );
    assert!(message.starts_with("kms.alibabacloud/secrets, line 2, "), "{message}");
    let arn = "acs:kms:cn-hangzhou:1234567890123456:secret/shop/db";
    let by_arn = pod(&[("secrets", &format!("db: kms://{arn}"))]);
    assert!(denied(&by_arn, &settings).contains("may not read acs:kms:"));
    let agent = pod(&[("mode", "agent"), ("agent-secrets", "*")]);
    let after = injected_with(&agent, &settings);
    let plan = after["spec"]["initContainers"][0]["env"][0]["value"].as_str().unwrap();
    let plan = plan::Plan::decode(plan).unwrap();
    let allowed = plan.mode().agent().unwrap().allowed.clone().unwrap();
    assert_eq!(
        allowed.iter().map(plan::Glob::as_str).collect::<Vec<_>>(),
        ["shop/*", "shop-token"]
    );
}

/// Whoever reaches the webhook posts a review for any namespace.
#[test]
fn a_denial_tells_no_pattern_and_no_rule_of_another_namespace() {
    let settings = settings(
        "policy=[{name: shops, namespaces: [shop], roles: ['acs:ram::*:role/demo-*'], secrets: ['shop/*']}, \
         {name: treasury, namespaces: [pay], roles: ['acs:ram::*:role/demo-*', 'acs:ram::1:role/vault-*'], secrets: ['pay/prod/*']}]",
    );
    let vault = "acs:ram::1:role/vault-keys";
    for annotations in [
        vec![("secrets", "a: pay/prod/db")],
        vec![("secrets", "a: pay/staging/db")],
        vec![("secrets", "a: shop/db"), ("role-arn", vault)],
        vec![("secrets", "a: pay/prod/db"), ("role-arn", vault)],
        vec![("secrets", "a: b"), ("cross-account-role-arn", vault)],
    ] {
        for namespace in ["shop", "elsewhere"] {
            let mut review = review(&pod(&annotations));
            review["request"]["namespace"] = json!(namespace);
            let answer = ask_with(&review, &settings);
            let message = answer.message();
            assert!(!message.contains('*') && !message.contains("treasury"), "{message}");
            assert_eq!(message.contains("\"shops\""), namespace == "shop", "{message}");
        }
    }
}

#[test]
fn the_namespace_is_the_requests_and_not_the_pods() {
    let named = pod(&[("secrets", "a: b")]);
    let mut elsewhere = review(&named);
    elsewhere["request"]["namespace"] = json!("workshop");
    let answer = ask_with(&elsewhere, &shops());
    assert!(answer.message().contains("namespace workshop may not use"), "{}", answer.message());
}

#[test]
fn roles_assumed_on_top_are_the_pods_roles_too_and_each_is_told_once() {
    let cross = "acs:ram::2:role/demo-shared";
    let both = [("secrets", "- x\n- y\n"), ("cross-account-role-arn", cross)];
    assert_eq!(rrsa(&plan(&injected_with(&pod(&both), &shops()))).role.as_str(), ROLE);
    let foreign = "acs:ram::2:role/foreign";
    let objects = format!(
        "- {{objectName: x, crossAccountRoleArn: {foreign}}}\n\
         - {{objectName: yy, crossAccountRoleArn: {foreign}}}\n"
    );
    let message = denied(&pod(&[("secrets", &objects)]), &shops());
    assert_eq!(message.matches(foreign).count(), 1, "{message}");
    let message = denied(
        &pod(&[("secrets", &objects), ("cross-account-role-arn", "acs:ram::3:role/more")]),
        &settings("policy=[{name: none, namespaces: [other], roles: ['*']}]"),
    );
    // The Pod's own role and the objects' role; the annotation's is not used by any object.
    assert!(message.contains("(1 of 2 problems)"), "{message}");
}

#[test]
fn a_policy_without_rules_limits_nothing() {
    let any = pod(&[("secrets", "a: b"), ("role-arn", "acs:ram::77:role/any")]);
    injected_with(&any, &settings("policy=[]"));
}

#[test]
fn the_longest_refusal_tells_namespace_and_role_in_its_first_line() {
    let role = format!("acs:ram::1234567890123456:role/{}", "r".repeat(64));
    let mut review = review(&pod(&[("secrets", "a: b"), ("role-arn", &role)]));
    let namespace = "n".repeat(63);
    review["request"]["namespace"] = json!(namespace);
    let answer = ask_with(&review, &shops());
    let first = answer.message().lines().next().unwrap();
    assert!(first.chars().count() <= 200, "{first}");
    assert!(first.contains(&namespace) && first.contains(&role), "{first}");
    assert!(answer.message().contains("no rule names this namespace"), "{}", answer.message());
}
