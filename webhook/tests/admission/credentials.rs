//! Credentials other than RRSA, as the author of a Pod and its operator meet them.

use plan::{Credentials, Principal};
use serde_json::{Value, json};
use webhook::settings::Settings;
use webhook::wire::reply::Outcome;

use crate::support::{ask_with, injected_with, plan, pod, review, settings, settings_with, volume};

const BY_SECRET: (&str, &str) = ("credentials", "secret=alibaba-credentials");

/// A Pod whose own annotations and ServiceAccount say no role.
fn without_role(annotations: &[(&str, &str)]) -> Value {
    let mut pod = pod(annotations);
    pod["metadata"]["annotations"].as_object_mut().unwrap().remove("kms.alibabacloud/role-arn");
    pod
}

fn allowed(roles: &str, credentials: &str) -> Settings {
    let rule =
        format!("name: shops, namespaces: [shop], roles: [{roles}], credentials: [{credentials}]");
    settings_with(&[&format!("policy=[{{{rule}}}]")])
}

fn denied(pod: &Value, settings: &Settings) -> String {
    ask_with(&review(pod), settings).message().to_owned()
}

#[test]
fn a_secret_is_mounted_in_our_container_alone_and_the_pod_stays_as_it_is_when_it_comes_again() {
    let settings = allowed("'*'", "secret");
    let before = without_role(&[("secrets", "db: kms://shop/db"), ("mode", "refresh"), BY_SECRET]);
    let after = injected_with(&before, &settings);
    let keys = json!({"name": "kms-credentials", "secret": {"secretName": "alibaba-credentials"}});
    assert_eq!(*volume(&after, "kms-credentials"), keys);
    let ours = &after["spec"]["initContainers"][0];
    let mount =
        json!({"name": "kms-credentials", "mountPath": "/etc/kms-credentials", "readOnly": true});
    assert!(ours["volumeMounts"].as_array().unwrap().contains(&mount), "{ours}");
    let app = &after["spec"]["containers"][0];
    assert!(!app.to_string().contains("kms-credentials"), "{app}");
    let mut defaulted = after.clone();
    for volume in defaulted["spec"]["volumes"].as_array_mut().unwrap() {
        if volume["name"] == "kms-credentials" {
            volume["secret"]["defaultMode"] = json!(420);
        }
    }
    for again in [after, defaulted] {
        assert_eq!(ask_with(&review(&again), &settings).outcome, Outcome::Unchanged);
    }
}

#[test]
fn a_plan_says_as_whom_its_pod_acts() {
    let settings = allowed("'*'", "secret, ecs-ram-role");
    for (credentials, principal) in [
        ("secret=alibaba-credentials", "secret/alibaba-credentials"),
        ("ecs-ram-role", "ecs-ram-role"),
        ("ecs-ram-role = KubernetesWorkerRole-1", "ecs-ram-role/KubernetesWorkerRole-1"),
    ] {
        let pod = without_role(&[("secrets", "db: kms://shop/db"), ("credentials", credentials)]);
        let plan = plan(&injected_with(&pod, &settings));
        assert_eq!(
            plan.credentials().map(Credentials::principal).map(Principal::text).unwrap(),
            principal
        );
        assert_eq!(plan.credentials().unwrap().sts().session.as_str(), "shop.checkout");
    }
}

#[test]
fn credentials_other_than_rrsa_need_a_rule_that_names_them() {
    let secrets = ("secrets", "db: kms://shop/db");
    let by_secret = without_role(&[secrets, BY_SECRET]);
    assert_eq!(
        denied(&by_secret, &settings()),
        "policy: namespace shop may not use secret/alibaba-credentials by secret: no rule names this namespace; ask the operator for a rule with credentials: [secret], or use rrsa"
    );
    for (roles, credentials, words) in [
        ("'*'", "rrsa", "rule \"shops\" (not the credentials)"),
        ("'acs:ram::*'", "secret", "rule \"shops\" (not the role)"),
        ("secret/other", "secret", "rule \"shops\" (not the role)"),
        ("'ecs-ram-role/*'", "secret, ecs-ram-role", "rule \"shops\" (not the role)"),
    ] {
        let message = denied(&by_secret, &allowed(roles, credentials));
        assert!(message.contains(words), "{roles}: {message}");
    }
    injected_with(&by_secret, &allowed("'secret/alibaba-*'", "secret"));
    let node = |name| without_role(&[secrets, ("credentials", name)]);
    injected_with(&node("ecs-ram-role=a"), &allowed("'ecs-ram-role/a'", "ecs-ram-role"));
    injected_with(&node("ecs-ram-role"), &allowed("ecs-ram-role", "ecs-ram-role"));
    let message = denied(&node("ecs-ram-role"), &allowed("'ecs-ram-role/*'", "ecs-ram-role"));
    assert!(message.contains("may not use ecs-ram-role by ecs-ram-role"), "{message}");
}

/// A role that is assumed on top needs a rule as well, with the kind that it is assumed by.
#[test]
fn a_role_on_top_is_judged_with_the_kind_that_it_is_assumed_by() {
    let partner = "acs:ram::9876543210987654:role/partner";
    let pod = without_role(&[
        ("secrets", "db: kms://shop/db"),
        ("cross-account-role-arn", partner),
        ("external-id", "shop-1"),
        BY_SECRET,
    ]);
    let message = denied(&pod, &allowed("'secret/*'", "secret"));
    assert!(
        message.contains("may not use acs:ram::9876543210987654:role/partner by secret"),
        "{message}"
    );
    let settings = allowed("'secret/*', 'acs:ram::9876543210987654:role/*'", "secret");
    let plan = plan(&injected_with(&pod, &settings));
    let assume = plan.lookups()[0].as_alibaba().unwrap().assume.as_ref().unwrap();
    assert_eq!(assume.role.as_str(), partner);
}

#[test]
fn a_role_for_rrsa_beside_other_credentials_is_denied_with_where_it_belongs() {
    for (credentials, remedy) in [
        ("secret=keys", "put rolearn into the Secret"),
        ("ecs-ram-role", "write ecs-ram-role=NAME"),
    ] {
        let pod = pod(&[("secrets", "db: kms://shop/db"), ("credentials", credentials)]);
        let message = denied(&pod, &allowed("'*'", "secret, ecs-ram-role"));
        assert!(
            message.starts_with("kms.alibabacloud/role-arn: it says a role for rrsa"),
            "{message}"
        );
        assert!(message.contains(remedy), "{message}");
    }
}

#[test]
fn a_metadata_service_without_tokens_is_the_operators_to_allow() {
    let pod = without_role(&[("secrets", "db: kms://shop/db"), ("credentials", "ecs-ram-role")]);
    for (setting, expected) in [("metadataV1=never", false), ("metadataV1=allow", true)] {
        let rule =
            "policy=[{name: a, namespaces: [shop], roles: ['*'], credentials: [ecs-ram-role]}]";
        let plan = plan(&injected_with(&pod, &settings_with(&[rule, setting])));
        let Some(Credentials::EcsRamRole(role)) = plan.credentials() else { unreachable!() };
        assert_eq!(role.metadata_v1, expected);
    }
}

#[test]
fn nobody_else_reaches_the_keys() {
    let settings = allowed("'*'", "secret");
    let pod = without_role(&[("secrets", "db: kms://shop/db"), BY_SECRET]);
    let mut before = pod.clone();
    before["spec"]["containers"][0]["volumeMounts"] =
        json!([{"name": "kms-credentials", "mountPath": "/x"}]);
    let message = denied(&before, &settings);
    assert!(message.contains("it mounts the volume \"kms-credentials\", which is added only here"));
    let mut after = injected_with(&pod, &settings);
    after["spec"]["containers"][0]["volumeMounts"]
        .as_array_mut()
        .unwrap()
        .push(json!({"name": "kms-credentials", "mountPath": "/x", "readOnly": true}));
    let message = denied(&after, &settings);
    assert!(message.contains("it mounts the keys with which secrets are fetched"), "{message}");
    let mut taken = pod;
    taken["spec"]["volumes"] = json!([{"name": "kms-credentials", "hostPath": {"path": "/"}}]);
    assert!(denied(&taken, &settings).contains("kms-credentials"));
}
