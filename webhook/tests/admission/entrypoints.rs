//! Variables where nobody writes a container's command, and where the Pod has them from elsewhere.

use serde_json::{Value, json};

use crate::support::{ask, ask_with, injected, injected_with, plan, pod, review, settings_with};

const ENV: (&str, &str) = ("env", "DB_PASSWORD: kms://app/db#password");
const SAID: (&str, &str) = ("command.app", r#"["/entrypoint.sh", "serve"]"#);

fn started(annotations: &[(&str, &str)]) -> Value {
    let mut pod = pod(annotations);
    pod["spec"]["containers"][0]["command"] = json!(["/app"]);
    pod
}

#[test]
fn an_annotation_says_what_an_image_starts() {
    let first = pod(&[ENV, SAID]);
    let after = injected(&first);
    let line = ["/kms-env/secrets-exec", "--container", "app", "--require", "DB_PASSWORD", "--"];
    let wanted = json!([&line[..], &["/entrypoint.sh", "serve"]].concat());
    assert_eq!(after["spec"]["containers"][0]["command"], wanted);
    assert!(ask(&after).response.get("patch").is_none(), "{}", ask(&after).response);
    // A copy with another line gets that one, and without variables keeps the program alone.
    let mut other = after;
    other["metadata"]["annotations"]["kms.alibabacloud/command.app"] = json!(r#"["/other"]"#);
    let command = injected(&other)["spec"]["containers"][0]["command"].clone();
    assert_eq!(command, json!([&line[..], &["/other"]].concat()));
}

#[test]
fn an_entrypoint_that_cannot_be_used_is_refused_with_its_reason() {
    let settings = settings_with(&["oldestKubelet=1.35"]);
    for (pod, words) in [
        (pod(&[ENV, ("command.app", "/app")]), "it is no list of texts; write a JSON list"),
        (pod(&[ENV, ("command.app", "[]")]), "it names no program"),
        (pod(&[ENV, ("command.app", "[1]")]), "it is no list of texts"),
        (pod(&[ENV, ("command.aap", "[\"/a\"]")]), "did you mean kms.alibabacloud/command.app?"),
        (pod(&[SAID, ("secrets", "a: b")]), "no container gets variables"),
        (started(&[ENV, SAID]), "the container has a command of its own"),
        (pod(&[ENV, SAID, ("env-method", "file-key-ref")]), "the kubelet sets the variables"),
        (pod(&[ENV, ("command.app", "[\"/a\", \"$(DB_PASSWORD)\"]")]), "its command refers to"),
    ] {
        let message = ask_with(&review(&pod), &settings).message().to_owned();
        assert!(message.contains(words), "{message}");
    }
    let message = ask(&pod(&[ENV])).message().to_owned();
    assert!(message.contains("in kms.alibabacloud/command.app: '[\"/PROGRAM\""), "{message}");
    assert!(message.contains("env-method: file-key-ref"), "{message}");
}

#[test]
fn a_variable_from_a_secret_of_the_cluster_gives_way() {
    let mut pod = started(&[ENV]);
    pod["spec"]["containers"][0]["env"] = json!([
        {"name": "A", "value": "1"},
        {"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "gone", "key": "p"}}},
        {"name": "B", "valueFrom": {"secretKeyRef": {"name": "there", "key": "p"}}},
    ]);
    let after = injected(&pod);
    let names = |pod: &Value| {
        let env = pod["spec"]["containers"][0]["env"].as_array().unwrap().iter();
        env.map(|variable| variable["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&after), ["A", "B"]);
    let warnings = ask(&pod).warnings();
    assert!(warnings.contains("takes DB_PASSWORD from a Secret or ConfigMap"), "{warnings}");
    // Where it may be missing, the Pod's own is what holds then.
    let skip = "DB_PASSWORD: {source: kms://app/db#password, onMissing: skip}";
    pod["metadata"]["annotations"]["kms.alibabacloud/env"] = json!(skip);
    assert_eq!(names(&injected(&pod)), ["A", "DB_PASSWORD", "B"]);
}

#[test]
fn a_variable_may_be_a_template_and_has_its_rules() {
    let template = "URL: {template: \"x{{ secret('kms://app/db#password') }}\", onMissing: skip}";
    let after = injected(&started(&[("env", template)]));
    let plan = plan(&after);
    let [variable] = plan.env().unwrap().variables.as_slice() else { panic!("{plan:?}") };
    assert!(matches!(&variable.content, plan::Content::Template(it) if it.secrets.len() == 1));
    for (env, words) in [
        ("A: {template: x}", "uses no secret"),
        ("A: {template: \"{{ secret('x') }}\", source: y}", "either a source or a template"),
        ("A: {template: \"{{ secret('x') | nope }}\"}", "there is no filter"),
        ("A: {fileMode: \"0400\", source: x}", "there is no such field"),
    ] {
        let message = ask(&started(&[("env", env)])).message().to_owned();
        assert!(message.contains(words), "{env}: {message}");
    }
}

#[test]
fn all_keys_become_variables_of_containers_that_we_start() {
    let env = "\"*\": {source: kms://app/db, prefix: DB_}\nA: kms://app/a";
    let settings =
        settings_with(&["oldestKubelet=1.35", "onlyVariables=DB_*,A", "allowedVariables=DB_OPTS"]);
    let after =
        injected_with(&started(&[("env", env), ("secrets", "\"*\": kms://app/files")]), &settings);
    let plan = plan(&after);
    let [files, variables] = plan.all_keys() else { panic!("{plan:?}") };
    assert!(matches!(files.become_what, plan::KeysTarget::Files { slash: Some('_'), .. }));
    assert_eq!(variables.prefix, "DB_");
    let rules = plan.variable_rules().unwrap();
    assert_eq!((rules.allowed.len(), rules.only.as_ref().unwrap().len()), (1, 2));
    assert_eq!(after["spec"]["containers"][0]["command"][4], "*1,A");
    let again = ask_with(&review(&after), &settings);
    assert!(again.response.get("patch").is_none(), "{}", again.response);
    for (annotations, words) in [
        (&[("env", env), ("env-method", "file-key-ref")][..], "only those that are named"),
        (&[("env", "\"*\": {source: x, prefix: '1'}")], "no variable begins with this prefix"),
        (&[("env", "\"*\": {template: x}")], "a template belongs to a file of a mapping"),
        (
            &[("secrets", "\"*\": {source: x, prefix: '../'}")],
            "no file name begins with this prefix",
        ),
        (&[("secrets", "\"*\": [x]")], "those of one secret"),
        (&[("secrets", "a: {source: x, prefix: y}")], "there is no such field"),
    ] {
        let message = ask_with(&review(&started(annotations)), &settings).message().to_owned();
        assert!(message.contains(words), "{words}: {message}");
    }
}
