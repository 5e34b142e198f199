//! The two lists of rules: which roles may be used, and which annotations Pods are given.

use super::resolve;
use crate::settings::policy::Policy;

#[test]
fn the_policy_can_be_given_as_a_flag_in_the_form_of_the_file() {
    let file = "policy: [{name: a, namespaces: [x], roles: ['*']}]";
    let flag = "policy=[{name: b, namespaces: [y], roles: ['*']}]";
    let names = |flags: &[&str]| -> Vec<_> {
        let Policy(rules) = resolve(file, flags, &[]).unwrap().policy;
        rules.into_iter().map(|rule| rule.name).collect()
    };
    assert_eq!(names(&[]), ["a"]);
    assert_eq!(names(&[flag]), ["b"]);
    assert!(names(&["policy=[]"]).is_empty());
    for blank in ["policy=", "policy=null", "policy=# none"] {
        let problem = resolve(file, &[blank], &[]).expect_err(blank);
        assert_eq!(problem, "setting policy: it is blank; write [] for no rules");
    }
    let problem = resolve("policy:", &[], &[]).unwrap_err();
    assert!(problem.contains("policy is blank; write [] for no rules"), "{problem}");
    let problem = resolve("", &["policy=[{nmae: b}]"], &[]).unwrap_err();
    assert!(problem.starts_with("setting policy: ") && problem.contains("nmae"), "{problem}");
}

#[test]
fn a_rule_that_could_be_misunderstood_is_refused_at_its_place() {
    let good = "{name: a, namespaces: [x], roles: ['*']}";
    for (rule, place) in [
        ("{namespaces: [x], roles: ['*']}", "policy[1].name"),
        ("{name: 'a b', namespaces: [x], roles: ['*']}", "policy[1].name"),
        ("{name: a, namespaces: [x], roles: ['*']}", "policy[1].name"),
        ("{name: b, roles: ['*']}", "policy[1].namespaces"),
        ("{name: b, namespaces: [], roles: ['*']}", "policy[1].namespaces"),
        ("{name: b, namespaces: [X], roles: ['*']}", "policy[1].namespaces"),
        ("{name: b, namespaces: ['[xy]'], roles: ['*']}", "policy[1].namespaces"),
        ("{name: b, namespaces: [x]}", "policy[1].roles"),
        ("{name: b, namespaces: [x], roles: []}", "policy[1].roles"),
        ("{name: b, namespaces: [x], roles: [payments-*]}", "policy[1].roles"),
        ("{name: b, namespaces: [x], roles: ['*'], credentials: []}", "policy[1].credentials"),
        ("{name: b, namespaces: [x], roles: ['*'], credentials: }", "policy[1].credentials"),
        ("{name: b, namespaces: , roles: ['*']}", "policy[1].namespaces"),
        ("{name: b, namespaces: [x], roles: ~}", "policy[1].roles"),
        ("{name: b, namespaces: [x], roles: ['*'], secrets: []}", "policy[1].secrets"),
        ("{name: b, namespaces: [x], roles: ['*'], secrets: }", "policy[1].secrets"),
        ("{name: b, namespaces: [x], roles: ['*'], secrets: ['a b']}", "policy[1].secrets"),
        ("{name: b, namespaces: [x], roles: ['*'], secrets: ['s3://x']}", "policy[1].secrets"),
        ("{name: b, namespaces: [x], roles: ['*'], secrets: ['kms://']}", "policy[1].secrets"),
        ("{name: b, namespaces: [x], roles: ['*'], regions: }", "policy[1].regions"),
        ("{name: b, namespaces: [x], roles: ['*'], regions: [CN]}", "policy[1].regions"),
        ("{name: b, namespaces: [x], roles: ['*'], endpoints: }", "policy[1].endpoints"),
        (
            "{name: b, namespaces: [x], roles: ['*'], endpoints: ['https://x']}",
            "policy[1].endpoints",
        ),
        ("{name: b, namespaces: [x], roles: ['*'], credentials: [RRSA]}", "policy[1].credentials"),
    ] {
        let problem = resolve(&format!("policy: [{good}, {rule}]"), &[], &[]).expect_err(rule);
        assert!(problem.starts_with(&format!("setting {place}: ")), "{rule}: {problem}");
        assert!(!problem.contains("; setting"), "{rule}: {problem}");
    }
    let many: Vec<_> = (0..501)
        .map(|number| format!("{{name: r{number}, namespaces: [x], roles: ['*']}}"))
        .collect();
    assert!(resolve(&format!("policy: [{}]", many[..500].join(", ")), &[], &[]).is_ok());
    let problem = resolve(&format!("policy: [{}]", many.join(", ")), &[], &[]).unwrap_err();
    assert!(problem.contains("at most 500 rules"), "{problem}");
}

#[test]
fn rules_with_annotations_can_be_given_as_a_flag_in_the_form_of_the_file() {
    let rule = |name: &str| {
        format!(
            "[{{name: {name}, namespaces: [x], annotations: {{kms.alibabacloud/mode: refresh}}}}]"
        )
    };
    let names = |file: &str, flags: &[&str]| -> Vec<_> {
        let rules = resolve(file, flags, &[]).unwrap().rules;
        rules.0.into_iter().map(|rule| rule.name).collect()
    };
    let file = format!("rules: {}", rule("a"));
    assert_eq!(names(&file, &[]), ["a"]);
    assert_eq!(names(&file, &[&format!("rules={}", rule("b"))]), ["b"]);
    // No rules say nothing, so that a blank is none.
    for none in ["rules=", "rules=[]", "rules=# none"] {
        assert!(names(&file, &[none]).is_empty(), "{none}");
    }
    assert!(names("rules:", &[]).is_empty());
    let problem = resolve("", &["rules=[{nmae: b}]"], &[]).unwrap_err();
    assert!(problem.starts_with("setting rules: ") && problem.contains("nmae"), "{problem}");
}

#[test]
fn a_number_in_a_rule_is_the_text_that_it_is_written_as() {
    let annotations = "{kms.alibabacloud/agent-port: 2026, kms.alibabacloud/file-mode: '0440'}";
    let file = format!("rules: [{{name: a, namespaces: [x], annotations: {annotations}}}]");
    let rules = resolve(&file, &[], &[]).unwrap().rules;
    let pair = |key: &str, text: &str| (key.to_owned(), text.to_owned());
    assert_eq!(rules.0[0].annotations, [pair("agent-port", "2026"), pair("file-mode", "0440")]);
}

#[test]
fn a_rule_with_annotations_that_could_be_misunderstood_is_refused_at_its_place() {
    let good = "{name: a, namespaces: [x], annotations: {kms.alibabacloud/mode: refresh}}";
    let annotations = "annotations: {kms.alibabacloud/mode: refresh}";
    for (rule, place) in [
        (format!("{{namespaces: [x], {annotations}}}"), "rules[1].name"),
        (format!("{{name: a, namespaces: [x], {annotations}}}"), "rules[1].name"),
        (format!("{{name: b, {annotations}}}"), "rules[1].namespaces"),
        (format!("{{name: b, namespaces: , {annotations}}}"), "rules[1].namespaces"),
        (format!("{{name: b, namespaces: [X], {annotations}}}"), "rules[1].namespaces"),
        ("{name: b, namespaces: [x]}".to_owned(), "rules[1].annotations"),
        ("{name: b, namespaces: [x], annotations: }".to_owned(), "rules[1].annotations"),
        (
            "{name: b, namespaces: [x], annotations: {mode: refresh}}".to_owned(),
            "rules[1].annotations",
        ),
    ] {
        let problem = resolve(&format!("rules: [{good}, {rule}]"), &[], &[]).expect_err(&rule);
        assert!(problem.starts_with(&format!("setting {place}: ")), "{rule}: {problem}");
        assert!(!problem.contains("; setting"), "{rule}: {problem}");
    }
}

#[test]
fn so_many_patterns_may_be_looked_at_for_each_pod_and_no_more() {
    let rules = |count: usize| {
        let rule = |number| {
            format!(
                "{{name: r{number}, namespaces: [pay-*, shop], annotations: {{kms.alibabacloud/mode: init}}}}"
            )
        };
        let rules: Vec<_> = (0..count).map(rule).collect();
        resolve(&format!("rules: [{}]", rules.join(", ")), &[], &[])
    };
    assert!(rules(200).is_ok());
    let problem = rules(900).map(|_| ()).unwrap_err();
    assert!(problem.starts_with("setting rules: ") && problem.contains("fewer"), "{problem}");
}
