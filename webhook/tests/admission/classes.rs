//! A SecretProviderClass that a Pod names stands for annotations.

use serde_json::{Value, json};
use webhook::account::Account;
use webhook::class::Class;
use webhook::facts::{Fact, Facts, Wanted};
use webhook::settings::Settings;
use webhook::wire::admit::Question;
use webhook::wire::reply::Outcome;

use crate::support::{Answer, ask_with, injected_with, plan, pod, review, settings, settings_with};

const OBJECTS: &str =
    "- objectName: shop/db\n  objectAlias: db\n- objectName: shop-token\n  objectType: oos\n";

fn class(parameters: &Value) -> Value {
    json!({
        "apiVersion": "secrets-store.csi.x-k8s.io/v1",
        "kind": "SecretProviderClass",
        "metadata": {"name": "db", "namespace": "shop"},
        "spec": {"provider": "alibabacloud", "parameters": parameters},
    })
}

fn reading() -> Settings {
    settings_with(&["secretProviderClasses=read"])
}

fn named(annotations: &[(&str, &str)]) -> Value {
    pod(&[&[("secret-provider-class", "db")], annotations].concat())
}

/// The answer where the cluster says this of the class.
fn answered(pod: &Value, class: Class) -> Answer {
    let body = review(pod).to_string();
    let facts = Facts::default().with(Fact::Class(class));
    let reply = Question::read(body.as_bytes()).unwrap().answer(&facts, &reading());
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    Answer { outcome: reply.outcome, response: body["response"].clone() }
}

fn with_class(pod: &Value, class: &Value) -> Answer {
    answered(pod, Class::read(&class.to_string()))
}

fn planned(pod: &Value, class: &Value) -> plan::Plan {
    let patch: json_patch::Patch = serde_json::from_value(with_class(pod, class).patch()).unwrap();
    let mut after = pod.clone();
    json_patch::patch(&mut after, &patch).unwrap();
    plan(&after)
}

fn denied(parameters: &Value) -> String {
    with_class(&named(&[]), &class(parameters)).message().to_owned()
}

#[test]
fn a_class_is_read_as_if_its_parameters_were_annotations() {
    let parameters = json!({"objects": OBJECTS, "region": "eu-central-1", "pathTranslation": "-"});
    let annotations = [("secrets", OBJECTS), ("region", "eu-central-1"), ("path-translation", "-")];
    let written = plan(&injected_with(&pod(&annotations), &settings()));
    for version in ["v1", "v1alpha1"] {
        let mut class = class(&parameters);
        class["apiVersion"] = json!(format!("secrets-store.csi.x-k8s.io/{version}"));
        assert_eq!(planned(&named(&[]), &class), written);
    }
    let beside = planned(
        &named(&[("template.greeting", "{{ secret(\"kms://name\") }}")]),
        &class(&parameters),
    );
    let names: Vec<_> = beside.files().iter().map(|file| file.name.as_str()).collect();
    assert!(names.contains(&"db") && names.contains(&"greeting"), "{names:?}");
}

#[test]
fn what_the_pod_says_itself_goes_before_its_class() {
    let parameters = json!({"objects": OBJECTS, "region": "eu-central-1"});
    let own = planned(&named(&[("secrets", "a: kms://a")]), &class(&parameters));
    let expected = pod(&[("secrets", "a: kms://a"), ("region", "eu-central-1")]);
    assert_eq!(own, plan(&injected_with(&expected, &settings())));
    // What is not its to say any more is not looked at.
    let bad = json!({"objects": "- objectName: ../x\n", "region": "nowhere"});
    let both = named(&[("secrets", "a: kms://a"), ("region", "eu-central-1")]);
    assert_eq!(planned(&both, &class(&bad)), own);
}

#[test]
fn an_empty_parameter_is_one_that_is_left_out_as_the_provider_has_it() {
    let parameters = json!({"objects": OBJECTS, "region": "", "pathTranslation": ""});
    let written = plan(&injected_with(&pod(&[("secrets", OBJECTS)]), &settings()));
    assert_eq!(planned(&named(&[]), &class(&parameters)), written);
}

#[test]
fn what_of_a_class_means_nothing_here_is_warned_about() {
    let mut class = class(&json!({"objects": OBJECTS, "usePodServiceAccountToken": "true"}));
    let answer = with_class(&named(&[]), &class);
    assert!(!answer.warnings().contains("SecretProviderClass"), "{}", answer.warnings());
    class["spec"]["secretObjects"] = json!([{"secretName": "canary", "type": "Opaque"}]);
    class["spec"]["parameters"]["usePodServiceAccountToken"] = json!("false");
    let warnings = with_class(&named(&[]), &class).warnings();
    for told in [
        "SecretProviderClass db, secretObjects: no Kubernetes Secret is made of it; set variables with kms.alibabacloud/env",
        "SecretProviderClass db, parameters.usePodServiceAccountToken: the CSI provider fetches with a role of its own then",
    ] {
        assert!(warnings.contains(told), "{warnings}");
    }
    assert!(!warnings.contains("canary"), "{warnings}");
}

#[test]
fn a_warning_about_a_text_names_the_class_that_it_is_in() {
    let objects = "- objectName: a\n  objectType: oos\n  objectVersion: \"2\"\n";
    let warnings = with_class(&named(&[]), &class(&json!({"objects": objects}))).warnings();
    let told = "SecretProviderClass db, parameters.objects, line 3, item 1, objectVersion: the CSI";
    assert!(warnings.contains(told), "{warnings}");
}

#[test]
fn a_problem_in_a_class_is_told_with_parameter_line_and_item() {
    let objects = "- objectName: a\n- objectName: b\n  objectAlias: ../c\n";
    for (parameters, told) in [
        (
            json!({"objects": objects}),
            "SecretProviderClass db, parameters.objects, line 3, item 2, objectAlias: \"../c\" leads through other directories",
        ),
        (
            json!({"objects": "- objectName: [\n"}),
            "SecretProviderClass db, parameters.objects, line 1, item 1: it is not YAML",
        ),
        (
            json!({"objects": OBJECTS, "region": "CN"}),
            "SecretProviderClass db, parameters.region: ",
        ),
        (
            json!({"objects": OBJECTS, "pathTranslation": "no"}),
            "SecretProviderClass db, parameters.pathTranslation: path translation \"no\" is not valid",
        ),
        (
            json!({"objects": OBJECTS, "Region": "cn-hangzhou"}),
            "SecretProviderClass db, parameters.Region: there is no such parameter, and the CSI provider ignores it; did you mean region?",
        ),
        (
            json!({"objects": OBJECTS, "kmsEndpoint": "kms.cn-hangzhou.aliyuncs.com"}),
            "SecretProviderClass db, parameters.kmsEndpoint: there is no such parameter, and the CSI provider ignores it; remove it",
        ),
        (
            json!({"objects": [{"objectName": "a"}]}),
            "SecretProviderClass db, parameters.objects: the value is a list, and must be a string; write it as text: `objects: |`",
        ),
        (
            json!({"region": "cn-hangzhou"}),
            "SecretProviderClass db, parameters.objects: the class names no secret; write objects: |",
        ),
        (
            json!({"objects": " \n"}),
            "SecretProviderClass db, parameters.objects: the class names no secret",
        ),
    ] {
        let message = denied(&parameters);
        assert!(message.starts_with(told), "{message}");
        assert!(!message.contains(" problems)"), "one slip has one problem: {message}");
    }
}

#[test]
fn a_class_that_cannot_be_used_says_why_and_nothing_of_itself() {
    let mut foreign = class(&json!({"objects": "CANARY", "roleName": "CANARY"}));
    foreign["spec"]["provider"] = json!("vault");
    let mut nobodys = class(&json!({"objects": OBJECTS}));
    nobodys["spec"].as_object_mut().unwrap().remove("provider");
    let large = class(&json!({"objects": "CANARY ".repeat(10_000)}));
    for (class, told) in [
        (
            foreign,
            "SecretProviderClass db, provider: it is not alibabacloud: the class is for another provider; name a class of this provider",
        ),
        (
            nobodys,
            "SecretProviderClass db, provider: it is missing, or no text; write provider: alibabacloud",
        ),
        (
            class(&json!(["CANARY"])),
            "SecretProviderClass db, parameters: they are missing, or no mapping",
        ),
        (
            class(&Value::Null),
            "SecretProviderClass db, parameters: they are missing, or no mapping",
        ),
        (
            json!({"kind": "SecretProviderClass"}),
            "SecretProviderClass db, spec: it is missing, or not as the CSI driver has it",
        ),
        (
            json!({"spec": ["CANARY"]}),
            "SecretProviderClass db, spec: it is missing, or not as the CSI driver has it",
        ),
        (
            large,
            "SecretProviderClass db, parameters: the class is too large: its parameters may have 64 KiB together",
        ),
    ] {
        let answer = with_class(&named(&[]), &class);
        let message = answer.message();
        assert!(message.starts_with(told), "{message}");
        assert!(!message.contains(" problems)") && !message.contains("CANARY"), "{message}");
        assert_eq!(answer.outcome, Outcome::Denied);
    }
}

#[test]
fn a_class_that_was_not_found_is_told_at_the_annotation() {
    for (class, told) in [
        (
            Class::Missing,
            "there is no SecretProviderClass db in namespace \"shop\"; create it there, or correct the name; a class of another namespace cannot be used",
        ),
        (
            Class::NotOptedIn,
            "namespace \"shop\" is not labelled kms.alibabacloud/injection: enabled, and none of its SecretProviderClasses is read",
        ),
        (
            Class::Unknown,
            "SecretProviderClass db is not known here; offline, it must be in the input",
        ),
    ] {
        let answer = answered(&named(&[]), class);
        let message = answer.message();
        assert_eq!(message, message.lines().next().unwrap());
        assert!(
            message.starts_with(&format!("kms.alibabacloud/secret-provider-class: {told}")),
            "{message}"
        );
    }
}

#[test]
fn a_class_that_was_not_read_is_a_denial_for_now_unless_more_is_wrong() {
    let asleep = || Class::Unreadable("the API server is asleep".to_owned());
    let answer = answered(&named(&[]), asleep());
    assert_eq!(
        (answer.outcome, &answer.response["status"]["code"]),
        (Outcome::Unavailable, &json!(503))
    );
    let message = answer.response["status"]["message"].as_str().unwrap();
    assert_eq!(
        message,
        "kms.alibabacloud/secret-provider-class: SecretProviderClass db in namespace \"shop\" could not be read: the API server is asleep; try again"
    );
    let answer = answered(&named(&[("timeout", "soon")]), asleep());
    assert_eq!(answer.outcome, Outcome::Denied);
    // Both of what a Pod needs may sleep.
    let mut pod = named(&[]);
    pod["metadata"]["annotations"].as_object_mut().unwrap().remove("kms.alibabacloud/role-arn");
    let body = review(&pod).to_string();
    let facts = Facts::from(Account::Unreadable("asleep".to_owned())).with(Fact::Class(asleep()));
    let reply = Question::read(body.as_bytes()).unwrap().answer(&facts, &reading());
    assert_eq!(reply.outcome, Outcome::Unavailable);
}

/// What a review wants first of the cluster, in words.
fn wanted(pod: &Value, facts: &Facts, settings: &Settings) -> String {
    let body = review(pod).to_string();
    let question = Question::read(body.as_bytes()).unwrap();
    match question.wants(facts, settings) {
        None => String::new(),
        Some(Wanted::Account { namespace, name }) => format!("account {namespace}/{name}"),
        Some(Wanted::Class { namespace, name }) => format!("class {namespace}/{name}"),
    }
}

#[test]
fn a_class_is_asked_for_where_the_operator_turned_it_on_and_the_pod_names_one() {
    let nothing = Facts::default();
    let mut pod = named(&[]);
    assert_eq!(wanted(&pod, &nothing, &reading()), "class shop/db");
    assert_eq!(wanted(&pod, &nothing, &settings()), "");
    pod["metadata"]["annotations"].as_object_mut().unwrap().remove("kms.alibabacloud/role-arn");
    assert_eq!(wanted(&pod, &nothing, &reading()), "class shop/db");
    assert_eq!(wanted(&pod, &nothing, &settings()), "account shop/checkout");
    let known = nothing.with(Fact::Class(Class::Missing));
    assert_eq!(wanted(&pod, &known, &reading()), "account shop/checkout");
    let known = known.with(Fact::Account(Account::Missing));
    assert_eq!(wanted(&pod, &known, &reading()), "");
    // Names go into a path of the API.
    for name in ["", "../db", "other/db", "DB", "a?watch=true", "-a", &"a".repeat(254)] {
        let pod = self::pod(&[("secret-provider-class", name)]);
        assert_eq!(wanted(&pod, &Facts::default(), &reading()), "", "{name}");
        let answer = ask_with(&review(&pod), &reading());
        let message = answer.message();
        let told = "is not the name of a SecretProviderClass; name one of the Pod's own namespace";
        assert!(message.contains(told) && !message.contains("problems)"), "{message}");
    }
}

#[test]
fn where_it_is_not_turned_on_the_pod_is_told_which_value_of_the_chart_does_it() {
    let answer = ask_with(&review(&named(&[])), &settings());
    let told = "kms.alibabacloud/secret-provider-class: SecretProviderClasses are not read in this cluster; ask the operator for the chart's value settings.secretProviderClasses: read";
    assert!(answer.message().starts_with(told), "{}", answer.message());
    assert_eq!(answer.message().lines().count(), 2, "a first line that is cut, and the whole");
}

#[test]
fn the_texts_of_a_class_and_of_the_pod_have_one_bound_together() {
    let object = "- objectName: a\n";
    let comment = format!("# {}\n", "x".repeat(40 * 1024));
    let parameters = json!({"objects": format!("{object}{comment}")});
    let env = format!("A: kms://a\n{comment}");
    let mut pod = named(&[("env", &env)]);
    pod["spec"]["containers"][0]["command"] = json!(["/app"]);
    let message = with_class(&pod, &class(&parameters)).message().to_owned();
    assert!(message.contains("more than 64 KiB of YAML together"), "{message}");

    let text = "x".repeat(50 * 1024);
    let full = named(&[("template.a", &text), ("template.b", &text)]);
    let class = class(&json!({"objects": format!("- objectName: a\n# {text}\n")}));
    let message = with_class(&full, &class).message().to_owned();
    let told = "SecretProviderClass db, parameters.objects: with it the annotations under kms.alibabacloud/ have";
    assert!(message.contains(told), "{message}");
}
