//! What a rule of the operator's policy lets a Pod read: which secrets, of which product, in which
//! regions, and from which hosts.

use serde_json::Value;
use webhook::settings::Settings;

use crate::support::{ask_with, injected_with, pod, review, settings_with};

/// Settings with one rule for namespace `shop`, of which the rest is given.
fn ruled(rest: &str) -> Settings {
    with(rest, &[])
}

fn with(rest: &str, more: &[&str]) -> Settings {
    let policy = format!("policy=[{{name: shops, namespaces: [shop], roles: ['*'], {rest}}}]");
    settings_with(&[&[policy.as_str()], more].concat())
}

fn secrets(text: &str) -> Value {
    pod(&[("secrets", text), ("ca-config-map", "gateway-ca")])
}

fn passes(pod: &Value, settings: &Settings) {
    injected_with(pod, settings);
}

fn denied(pod: &Value, settings: &Settings) -> String {
    ask_with(&review(pod), settings).message().to_owned()
}

#[test]
fn a_rule_for_regions_holds_in_whatever_way_a_pod_names_another() {
    let settings =
        ruled("secrets: ['shop/*', 'acs:kms:*:secret/shop/*'], regions: [cn-hangzhou, 'eu-*']");
    let arn = |region: &str| format!("a: kms://acs:kms:{region}:1:secret/shop/db");
    for text in [
        "a: shop/db",
        "a: {source: shop/db, region: eu-central-1}",
        "a: {source: shop/db, endpoint: kms.eu-central-1.aliyuncs.com}",
        &arn("cn-hangzhou"),
    ] {
        passes(&secrets(text), &settings);
    }
    for text in [
        "a: {source: shop/db, region: cn-beijing}",
        "a: {source: shop/db, endpoint: kms.cn-beijing.aliyuncs.com}",
        // The host says another region than the object does.
        "a: {source: shop/db, region: cn-hangzhou, endpoint: kms-vpc.cn-beijing.aliyuncs.com}",
        &arn("cn-beijing"),
    ] {
        let message = denied(&secrets(text), &settings);
        assert!(message.contains("in region cn-beijing"), "{text}: {message}");
        assert!(message.contains("kms.alibabacloud/secrets"), "{message}");
    }
    for key in ["region", "kms-endpoint"] {
        let value = if key == "region" { "cn-beijing" } else { "kms.cn-beijing.aliyuncs.com" };
        let message = denied(&pod(&[("secrets", "a: shop/db"), (key, value)]), &settings);
        assert!(message.contains("in region cn-beijing"), "{message}");
    }
    let variable = pod(&[("env", "A: {source: shop/db, region: cn-beijing}")]);
    assert!(denied(&variable, &settings).contains("in region cn-beijing"));
}

#[test]
fn a_region_in_a_name_counts_beside_the_one_that_is_asked() {
    let settings =
        ruled("secrets: ['shop/*', 'acs:kms:*:1:secret/shop/*'], regions: [cn-hangzhou]");
    let arn = |region: &str| format!("acs:kms:{region}:1:secret/shop/x");
    let asked = |region: &str| {
        let arn = arn(region);
        let mut variable = pod(&[("env", &format!("A: {{source: '{arn}', region: cn-hangzhou}}"))]);
        variable["spec"]["containers"][0]["command"] = serde_json::json!(["/app"]);
        [
            variable,
            secrets(&format!("a: {{source: '{arn}', region: cn-hangzhou}}")),
            secrets(&format!("- {{objectName: '{arn}', objectAlias: a, region: cn-hangzhou}}")),
            pod(&[
                ("region", "cn-hangzhou"),
                ("template.a", &format!("{{{{ secret(\"{arn}\") }}}}")),
            ]),
        ]
    };
    for elsewhere in asked("cn-beijing") {
        let message = denied(&elsewhere, &settings);
        assert!(message.contains("in region cn-beijing"), "{message}");
    }
    for here in asked("cn-hangzhou") {
        passes(&here, &settings);
    }
}

#[test]
fn a_rule_for_endpoints_leaves_those_of_the_region_and_of_the_settings() {
    let own = "kst-own.cryptoservice.kms.aliyuncs.com";
    let other = "kst-other.cryptoservice.kms.aliyuncs.com";
    let rule = format!("secrets: ['shop/*'], endpoints: [{own}]");
    for text in [
        "a: shop/db",
        "a: {source: shop/db, region: cn-beijing}",
        "a: {source: shop/db, region: cn-beijing, endpoint: kms.cn-beijing.aliyuncs.com}",
        "a: oos://shop/db",
        &format!("a: {{source: shop/db, endpoint: {own}}}"),
    ] {
        passes(&secrets(text), &ruled(&rule));
    }
    for host in [other, "kms.cn-beijing.aliyuncs.com"] {
        let text = format!("a: {{source: shop/db, region: cn-hangzhou, endpoint: {host}}}");
        let message = denied(&secrets(&text), &ruled(&rule));
        assert!(message.contains(&format!("from {host}")), "{message}");
    }
    let message = denied(
        &pod(&[("secrets", "a: shop/db"), ("kms-endpoint", other), ("ca-config-map", "c")]),
        &ruled(&rule),
    );
    assert!(message.contains(&format!("from {other}")), "{message}");
    let operators =
        with(&rule, &["kmsEndpoint=kms.example.internal", "allowedEndpoints=oos.example.internal"]);
    passes(&secrets("a: shop/db"), &operators);
    let allowed = "a: {source: 'oos://shop/db', endpoint: oos.example.internal}";
    assert!(denied(&secrets(allowed), &operators).contains("from oos.example.internal"));
}

#[test]
fn a_pattern_may_say_which_product_it_is_about() {
    let kms = ruled("secrets: ['kms://shop/*']");
    let oos = ruled("secrets: ['oos://shop/*']");
    let both = ruled("secrets: ['shop/*']");
    for (text, allowed) in [
        ("a: shop/x", [true, false, true]),
        ("a: oos://shop/x", [false, true, true]),
        ("a: oos-parameter://shop/x", [false, true, true]),
        ("a: kms://other", [false, false, false]),
    ] {
        for (settings, allowed) in [&kms, &oos, &both].into_iter().zip(allowed) {
            let answer = ask_with(&review(&secrets(text)), settings);
            assert_eq!(answer.response["allowed"], allowed, "{text}: {}", answer.response);
        }
    }
}

#[test]
fn one_rule_allows_all_of_a_reading_or_none_does() {
    let policy = "policy=[{name: a, namespaces: [shop], roles: ['*'], secrets: [x], regions: [cn-beijing]}, \
                  {name: b, namespaces: [shop], roles: ['*'], secrets: [y], regions: [cn-hangzhou]}]";
    let settings = settings_with(&[policy]);
    passes(&secrets("- y\n- {objectName: x, region: cn-beijing}"), &settings);
    for text in ["a: x", "a: {source: y, region: cn-beijing}"] {
        assert!(denied(&secrets(text), &settings).contains("does not allow it"), "{text}");
    }
}

#[test]
fn a_name_that_steps_back_is_meant_by_patterns_that_do_so_too() {
    let settings = ruled("secrets: ['shop/*']");
    for name in ["shop/../payments/db", "shop/..", "shop/./db"] {
        let message = denied(&secrets(&format!("a: {name}")), &settings);
        assert!(message.contains("does not allow it"), "{message}");
    }
    passes(&secrets("a: shop/..db"), &settings);
    passes(&secrets("a: shop/../db"), &ruled("secrets: ['shop/../*']"));
}

#[test]
fn an_agent_whose_patterns_no_rule_can_allow_is_refused() {
    let agent = |patterns: &str, more: &[(&str, &str)]| {
        let all = [&[("mode", "agent"), ("agent-secrets", patterns)], more].concat();
        pod(&all)
    };
    let settings =
        ruled("secrets: ['shop/*', 'kms://*-db', 'oos://payments/*'], regions: [cn-hangzhou]");
    for patterns in ["*", "shop/db", "sh?p/*", "payments/*-db", "payments/*"] {
        passes(&agent(patterns, &[]), &settings);
    }
    for patterns in ["payments/token", "payments/?", "shop/*, other/x"] {
        let message = denied(&agent(patterns, &[]), &settings);
        assert!(message.starts_with("kms.alibabacloud/agent-secrets: "), "{message}");
        assert!(message.contains("would never serve"), "{message}");
    }
    // Its own region is none of the rule's.
    let message = denied(&agent("shop/*", &[("region", "cn-beijing")]), &settings);
    assert!(message.contains("would never serve"), "{message}");
    // What the Pod lists itself was allowed as such.
    let listed = "db: {source: shop/db, region: cn-hangzhou}";
    passes(&agent("shop/db", &[("region", "cn-beijing"), ("secrets", listed)]), &settings);
    let narrow = ruled("secrets: ['oos://*', 'kms://shop/*']");
    let after = injected_with(&agent("*", &[]), &narrow);
    let plan = after["spec"]["initContainers"][0]["env"][0]["value"].as_str().unwrap();
    let allowed =
        plan::Plan::decode(plan).unwrap().mode().agent().unwrap().allowed.clone().unwrap();
    assert_eq!(allowed.iter().map(plan::Glob::as_str).collect::<Vec<_>>(), ["shop/*"]);
}

#[test]
fn a_pattern_that_takes_too_long_to_compare_with_what_the_pod_lists_is_left_to_the_agent() {
    let settings = ruled("secrets: ['a*']");
    let names: String = (0..100).map(|n| format!("f{n}: {}{n:02}\n", "a".repeat(190))).collect();
    let agent =
        |pattern: &str| pod(&[("mode", "agent"), ("secrets", &names), ("agent-secrets", pattern)]);
    assert!(denied(&agent("b?"), &settings).contains("would never serve"));
    passes(&agent(&format!("?{}", "?b".repeat(90))), &settings);
}
