//! Rules of the settings give annotations to the Pods of namespaces.

use serde_json::{Value, json};
use webhook::ask::rules;
use webhook::class::Class;
use webhook::facts::{Fact, Facts, Wanted};
use webhook::settings::{Inputs, Settings};
use webhook::wire::admit::Question;

use crate::support::{ask_with, injected_with, plan, pod, review, settings, settings_with};

/// The name of a rule, its namespaces, and annotations by their keys without the prefix.
type Rule<'a> = (&'a str, &'a [&'a str], &'a [(&'a str, &'a str)]);

fn ruled(rules: &[Rule<'_>]) -> Settings {
    let rule = |(name, namespaces, annotations): &Rule<'_>| {
        let pairs = annotations.iter();
        let pairs = pairs.map(|(key, text)| (format!("kms.alibabacloud/{key}"), json!(text)));
        let annotations: serde_json::Map<_, _> = pairs.collect();
        json!({"name": name, "namespaces": namespaces, "annotations": annotations})
    };
    let rules: Vec<_> = rules.iter().map(rule).collect();
    settings_with(&["secretProviderClasses=read", &format!("rules={}", json!(rules))])
}

/// The plan as it would be, had the Pod these annotations itself.
fn written(annotations: &[(&str, &str)]) -> plan::Plan {
    plan(&refreshed(&injected_with(&pod(annotations), &settings())))
}

/// The same where the container is found that `plan` looks for, whatever the mode is.
fn refreshed(pod: &Value) -> Value {
    let mut pod = pod.clone();
    for container in pod["spec"]["initContainers"].as_array_mut().unwrap() {
        if container["name"] == "kms-secrets" {
            container["name"] = json!("kms-secrets-init");
        }
    }
    pod
}

fn planned(pod: &Value, settings: &Settings) -> plan::Plan {
    plan(&refreshed(&injected_with(pod, settings)))
}

#[test]
fn a_rule_for_the_namespace_stands_for_annotations() {
    let refresh = [("mode", "refresh"), ("refresh-interval", "90s")];
    let settings = ruled(&[
        ("others", &["pay-*", "s"], &[("mode", "agent")]),
        ("shops", &["pay", "sh?p"], &refresh),
    ]);
    let secrets = ("secrets", "a: kms://a");
    let expected = written(&[&[secrets], &refresh[..]].concat());
    assert_eq!(planned(&pod(&[secrets]), &settings), expected);
}

#[test]
fn what_the_pod_says_goes_before_a_rule_and_an_earlier_rule_before_a_later_one() {
    let settings = ruled(&[
        ("first", &["shop"], &[("mode", "refresh"), ("refresh-interval", "90s")]),
        ("second", &["*"], &[("refresh-interval", "30s"), ("timeout", "77s")]),
    ]);
    let own = [("secrets", "a: kms://a"), ("timeout", "11s")];
    let expected = [&own[..], &[("mode", "refresh"), ("refresh-interval", "90s")]].concat();
    assert_eq!(planned(&pod(&own), &settings), written(&expected));
}

#[test]
fn what_a_rule_says_for_another_mode_means_nothing_and_is_nobodys_slip() {
    let everything = [
        ("mode", "refresh"),
        ("refresh-interval", "90s"),
        ("on-change", "http=http://127.0.0.1:9090/x"),
        ("metrics-port", "9100"),
        ("agent-port", "2026"),
        ("agent-secrets", "shop/*"),
    ];
    let settings = ruled(&[("all", &["shop"], &everything)]);
    let own = [("secrets", "a: kms://a"), ("mode", "init")];
    assert_eq!(planned(&pod(&own), &settings), written(&own));
    // What the Pod says itself is.
    let own = [&own[..], &[("refresh-interval", "90s")]].concat();
    let answer = ask_with(&review(&pod(&own)), &settings);
    let told = "kms.alibabacloud/refresh-interval: it says how secrets are kept current";
    assert!(answer.message().starts_with(told), "{}", answer.message());
}

#[test]
fn a_pod_that_asks_for_nothing_is_left_alone_whatever_rules_say() {
    let settings = ruled(&[("all", &["*"], &[("secrets", "a: kms://a")])]);
    let mut plain = pod(&[]);
    plain["metadata"]["annotations"] = json!({});
    let answer = ask_with(&review(&plain), &settings);
    assert_eq!((&answer.response["allowed"], answer.response.get("patch")), (&json!(true), None));
    // One annotation is enough to ask.
    let expected = written(&[("secrets", "a: kms://a")]);
    assert_eq!(planned(&pod(&[]), &settings), expected);
}

#[test]
fn a_problem_with_a_text_of_a_rule_names_the_rule() {
    let settings = ruled(&[("shops", &["shop"], &[("secrets", "a: s3://a"), ("containers", "x")])]);
    let answer = ask_with(&review(&pod(&[])), &settings);
    for told in [
        "rule shops of the settings, kms.alibabacloud/secrets, line 1, ",
        "rule shops of the settings, kms.alibabacloud/containers: ",
    ] {
        assert!(answer.message().contains(told), "{}", answer.message());
    }
    // To those of other namespaces it says nothing.
    let settings = ruled(&[("shops", &["other"], &[("secrets", "a: s3://a")])]);
    let answer = ask_with(&review(&pod(&[("timeout", "5m")])), &settings);
    assert!(answer.message().contains("nothing to fetch"), "{}", answer.message());
    assert!(!answer.message().contains("shops"), "{}", answer.message());
}

#[test]
fn a_rule_may_name_the_role_and_a_class_and_then_these_are_asked_for_or_not() {
    let wants = |settings: &Settings| {
        let mut pod = pod(&[("timeout", "5m")]);
        pod["metadata"]["annotations"].as_object_mut().unwrap().remove("kms.alibabacloud/role-arn");
        let body = review(&pod).to_string();
        let question = Question::read(body.as_bytes()).unwrap();
        match question.wants(&Facts::default(), settings) {
            Some(Wanted::Class { name, .. }) => format!("class {name}"),
            Some(Wanted::Account { name, .. }) => format!("account {name}"),
            None => String::new(),
        }
    };
    let role = ("role-arn", "acs:ram::1234567890123456:role/shops");
    assert_eq!(wants(&ruled(&[("a", &["shop"], &[role])])), "");
    assert_eq!(wants(&ruled(&[("a", &["other"], &[role])])), "account checkout");
    let class = ("secret-provider-class", "db");
    let both = ruled(&[("a", &["shop"], &[role, class, ("region", "cn-beijing")])]);
    assert_eq!(wants(&both), "class db");

    // A class is said for this Pod, a rule for all of a namespace.
    let parameters = json!({"objects": "- objectName: a\n", "region": "cn-shanghai"});
    let object = json!({"spec": {"provider": "alibabacloud", "parameters": parameters}});
    let facts = Facts::default().with(Fact::Class(Class::read(&object.to_string())));
    let body = review(&pod(&[("timeout", "5m")])).to_string();
    let reply = Question::read(body.as_bytes()).unwrap().answer(&facts, &both);
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    let patch = body["response"]["patch"].as_str().unwrap_or_else(|| panic!("{body}"));
    let patch = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, patch).unwrap();
    let patch = String::from_utf8(patch).unwrap();
    assert!(patch.contains("cn-shanghai") && !patch.contains("cn-beijing"), "{patch}");
}

#[test]
fn a_rule_whose_annotation_does_not_exist_or_cannot_say_that_is_a_bad_setting() {
    for (key, text, told) in [
        ("mdoe", "refresh", "did you mean kms.alibabacloud/mode?"),
        ("status", "{}", "an annotation that exists"),
        ("mode", "sometimes", "`init`, `refresh` or `agent`"),
        ("refresh-interval", "9s", "10s to 24h"),
        ("run-as-user", "0", "1 to 2147483647"),
    ] {
        let rule = json!([{"name": "shops", "namespaces": ["shop"],
            "annotations": {format!("kms.alibabacloud/{key}"): text}}]);
        let inputs = Inputs::new(None, &[format!("rules={rule}")], []).unwrap();
        let problem = rules::load(&inputs).unwrap_err().to_string();
        let place = format!("setting rules: kms.alibabacloud/{key} of rule shops: ");
        assert!(problem.starts_with(&place) && problem.contains(told), "{problem}");
        assert!(rules::resolve(&inputs, None).is_err());
    }
}

#[test]
fn the_texts_of_rules_and_of_the_pod_have_one_bound_together() {
    let text = "x".repeat(70 * 1024);
    let settings = ruled(&[("large", &["shop"], &[("template.b", &text)])]);
    let answer = ask_with(&review(&pod(&[("template.a", &text)])), &settings);
    let told = "rule large of the settings, kms.alibabacloud/template.b: with it the annotations";
    assert!(answer.message().contains(told), "{}", answer.message());
}
