use serde_json::{Value, json};
use webhook::settings::Settings;

use crate::support::{
    ask, ask_with, injected, injected_with, ours, plan, pod, review, settings, settings_with,
    volume,
};

const ENV: (&str, &str) = ("env", "DB_PASSWORD: kms://app/db#password\nTOKEN: oos://app-token\n");

/// A Pod whose container says how it is started.
fn started(annotations: &[(&str, &str)]) -> Value {
    let mut pod = pod(annotations);
    pod["spec"]["containers"][0]["command"] = json!(["/app", "--serve"]);
    pod["spec"]["containers"][0]["args"] = json!(["-v"]);
    pod
}

/// The part that a variable has of its value.
fn selected(variable: &plan::Variable) -> String {
    match &variable.content {
        plan::Content::Value(value) => value.select.as_ref().unwrap().to_string(),
        plan::Content::Template(_) => panic!("{variable:?}"),
    }
}

fn kubelets(minor: u32) -> Settings {
    settings_with(&[&format!("oldestKubelet=1.{minor}")])
}

fn wrapped(container: &str, required: &str, command: &[&str]) -> Value {
    let program = "/kms-env/secrets-exec";
    let ours = [program, "--container", container, "--require", required, "--"];
    json!([&ours[..], command].concat())
}

fn read(container: &str, name: &str) -> Value {
    let path = format!("{container}.{name}");
    json!({"name": name, "valueFrom": {
        "fileKeyRef": {"volumeName": "kms-env", "path": path, "key": name}}})
}

fn settles(pod: &Value, settings: &Settings) {
    let answer = ask_with(&review(pod), settings);
    assert_eq!(answer.response["allowed"], true, "{}", answer.response);
    assert!(answer.response.get("patch").is_none(), "{}", answer.patch());
}

#[test]
fn a_container_with_a_command_is_started_through_our_program() {
    let after = injected(&started(&[ENV]));
    let app = &after["spec"]["containers"][0];
    assert_eq!(app["command"], wrapped("app", "DB_PASSWORD,TOKEN", &["/app", "--serve"]));
    assert_eq!(app["args"], json!(["-v"]));
    assert!(app.get("env").is_none());
    assert_eq!(
        app["volumeMounts"],
        json!([
            {"name": "kms-secrets", "mountPath": "/mnt/secrets-store", "readOnly": true},
            {"name": "kms-env", "mountPath": "/kms-env", "readOnly": true},
        ])
    );
    let mounts = ours(&after)["volumeMounts"].as_array().unwrap();
    assert!(mounts.contains(&json!({"name": "kms-env", "mountPath": "/kms-env"})));
    let memory = &volume(&after, "kms-env")["emptyDir"];
    assert_eq!(memory["medium"], "Memory");
    let plan = plan(&after);
    assert!(plan.files().is_empty());
    let env = plan.env().unwrap();
    let names: Vec<_> = env.variables.iter().map(|variable| variable.name.as_str()).collect();
    assert_eq!(names, ["DB_PASSWORD", "TOKEN"]);
    assert_eq!(selected(&env.variables[0]), "password");
    assert_eq!(env.variables[0].exec[0].as_str(), "app");
    settles(&after, &settings());
}

#[test]
fn the_way_that_was_chosen_is_told() {
    let warnings = ask(&started(&[ENV])).warnings();
    assert!(warnings.contains("kubectl exec do not see them"), "{warnings}");
    let asked = started(&[ENV, ("env-method", "file-key-ref")]);
    let warnings = ask_with(&review(&asked), &kubelets(35)).warnings();
    assert!(warnings.contains("on the node's disk"), "{warnings}");
}

#[test]
fn the_kubelet_reads_variables_in_front_of_all_that_refers_to_them() {
    let mut pod = started(&[ENV, ("env-method", "file-key-ref")]);
    let url = json!({"name": "URL", "value": "db://u:$(DB_PASSWORD)@db"});
    pod["spec"]["containers"][0]["env"] = json!([url]);
    let settings = kubelets(36);
    let after = injected_with(&pod, &settings);
    let app = &after["spec"]["containers"][0];
    assert_eq!(app["command"], json!(["/app", "--serve"]));
    assert_eq!(app["env"], json!([read("app", "DB_PASSWORD"), read("app", "TOKEN"), url]));
    // What the container does not read itself, it does not see.
    assert_eq!(app["volumeMounts"].as_array().unwrap().len(), 1);
    let affinity = &after["spec"]["affinity"]["nodeAffinity"];
    let terms = &affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"];
    assert_eq!(terms[0]["matchExpressions"][0]["values"], json!(["virtual-kubelet"]));
    settles(&after, &settings);
}

#[test]
fn an_old_kubelet_never_gets_variables_to_read() {
    let bare = pod(&[ENV]);
    let asked = started(&[ENV, ("env-method", "file-key-ref")]);
    for oldest_kubelet in ["oldestKubelet=", "oldestKubelet=1.34"] {
        let settings = settings_with(&[oldest_kubelet, "fileKeyRef=auto"]);
        let answer = ask_with(&review(&bare), &settings);
        assert!(answer.message().contains("it has no command"), "{}", answer.message());
        let answer = ask_with(&review(&asked), &settings);
        assert!(answer.message().contains("before 1.35"), "{}", answer.message());
    }
}

#[test]
fn without_a_command_the_kubelet_reads_where_the_operator_allows_it() {
    let bare = pod(&[ENV]);
    let message = ask_with(&review(&bare), &kubelets(36)).message().to_owned();
    assert!(message.contains("write the image's entrypoint"), "{message}");
    let settings = settings_with(&["oldestKubelet=1.36", "fileKeyRef=auto"]);
    let after = injected_with(&bare, &settings);
    let env = &after["spec"]["containers"][0]["env"];
    assert_eq!(*env, json!([read("app", "DB_PASSWORD"), read("app", "TOKEN")]));
    let mut sandboxed = bare;
    sandboxed["spec"]["runtimeClassName"] = json!("kata");
    assert!(ask_with(&review(&sandboxed), &settings).message().contains("no command"));
}

#[test]
fn each_container_gets_what_is_meant_for_it() {
    let mut pod = started(&[
        ("env", "ALL: kms://all\nSOME: {source: kms://some, containers: [app, migrate]}\n"),
        ("env.app", "OWN: kms://own\n"),
    ]);
    let side = json!({"name": "side", "command": ["side"]});
    pod["spec"]["containers"].as_array_mut().unwrap().push(side);
    pod["spec"]["initContainers"] = json!([{"name": "migrate", "command": ["migrate"]}]);
    let after = injected(&pod);
    let env = plan(&after).env().unwrap().clone();
    let of = |name: &str| -> Vec<String> {
        let variable = env.variables.iter().find(|variable| variable.name.as_str() == name);
        variable.unwrap().exec.iter().map(ToString::to_string).collect()
    };
    assert_eq!(of("ALL"), ["migrate", "app", "side"]);
    assert_eq!(of("SOME"), ["migrate", "app"]);
    assert_eq!(of("OWN"), ["app"]);
    assert_eq!(after["spec"]["containers"][1]["command"], wrapped("side", "ALL", &["side"]));
    assert_eq!(
        after["spec"]["initContainers"][1]["command"],
        wrapped("migrate", "ALL,SOME", &["migrate"])
    );
    settles(&after, &settings());
}

#[test]
fn an_init_container_that_runs_before_the_fetcher_is_left_as_it_is() {
    let mut pod = started(&[ENV, ("init-first", "false")]);
    pod["spec"]["initContainers"] = json!([{"name": "early", "command": ["x"]}]);
    let after = injected(&pod);
    assert_eq!(after["spec"]["initContainers"][0]["command"], json!(["x"]));
    settles(&after, &settings());
    let mut named = started(&[("env.early", "A: kms://a\n"), ("init-first", "false")]);
    named["spec"]["initContainers"] = pod["spec"]["initContainers"].clone();
    assert!(ask(&named).message().contains("runs before they are fetched"));
}

#[test]
fn the_secret_wins_over_what_the_pod_sets_and_it_is_said() {
    let mut pod = started(&[ENV]);
    let own = json!([{"name": "A", "value": "1"}, {"name": "DB_PASSWORD", "value": "old"}]);
    pod["spec"]["containers"][0]["env"] = own.clone();
    assert!(ask(&pod).warnings().contains("sets DB_PASSWORD itself; the secret wins"));
    assert_eq!(injected(&pod)["spec"]["containers"][0]["env"], own);
    pod["metadata"]["annotations"]["kms.alibabacloud/env-method"] = json!("file-key-ref");
    let after = injected_with(&pod, &kubelets(35));
    let env = &after["spec"]["containers"][0]["env"];
    assert_eq!(*env, json!([read("app", "TOKEN"), own[0], read("app", "DB_PASSWORD")]));
    settles(&after, &kubelets(35));
}

#[test]
fn what_the_kubelet_cannot_fill_in_is_refused() {
    for (field, value, words) in [
        ("args", json!(["--password=$(DB_PASSWORD)"]), "which the kubelet cannot fill in"),
        ("command", json!(["/app", "$(TOKEN)"]), "which the kubelet cannot fill in"),
        ("env", json!([{"name": "URL", "value": "x$(TOKEN)"}]), "cannot fill in"),
        // Filled in with another value than the process gets.
        (
            "env",
            json!([{"name": "TOKEN", "value": "old"}, {"name": "URL", "value": "$(TOKEN)"}]),
            "cannot fill in",
        ),
        (
            "volumeMounts",
            json!([{"name": "v", "mountPath": "/v", "subPathExpr": "$(TOKEN)"}]),
            "no part of a path",
        ),
    ] {
        let mut pod = started(&[ENV]);
        pod["spec"]["containers"][0][field] = value;
        let message = ask(&pod).message().to_owned();
        assert!(message.contains(words), "{message}");
    }
    let mut escaped = started(&[ENV]);
    escaped["spec"]["containers"][0]["args"] = json!(["$$(TOKEN)", "$TOKEN", "$(OTHER)"]);
    injected(&escaped);
}

#[test]
fn bad_variables_are_refused_with_line_and_remedy() {
    for (annotations, words) in [
        (&[("env", "1A: kms://x\n")][..], "is not the name of an environment variable"),
        (&[("env", "A-B: kms://x\n")], "letters, digits and underscores"),
        (&[("env", "LD_PRELOAD: kms://x\n")], "allowedVariables"),
        (&[("env", "SECRETS_INJECTOR_PLAN: kms://x\n")], "are ours"),
        (&[("env", "A: kms://x\nA: kms://y\n")], "set twice in container app, first in"),
        (&[("env", "A: kms://x\n"), ("env.app", "A: kms://y\n")], "set twice"),
        (&[("env", "A: {source: kms://x, containers: [ap]}\n")], "did you mean app?"),
        (&[("env.other", "A: kms://x\n")], "the Pod has no container"),
        (
            &[("env.app", "A: {source: kms://x, containers: [app]}\n")],
            "names the container already",
        ),
        (&[("env", "A: {source: kms://x, containers: []}\n")], "it names no container"),
        (&[("env", "A: {source: kms://x, fileMode: \"0400\"}\n")], "there is no such field"),
        (&[("env", "A: [x]\n")], "a variable cannot be a list"),
        (&[("env", "A: {source: kms://x, containers: [app, [b]]}\n")], "no container \"a list\""),
        (&[("env", "A: kms://x\n"), ("mount-path", "/kms-env/x")], "variables are kept"),
        (&[("env", "- kms://x\n")], "it names no variable"),
        (&[("env", "")], "it names no variable"),
        (&[("env", "A: s3://x\n")], "s3"),
        (&[("env", "A: {source: kms://x")], "kms.alibabacloud/env, line 1"),
        (&[("secrets", "a: kms://x"), ("env-method", "exec")], "none are asked for"),
        (&[("env", "A: kms://x\n"), ("env-method", "shell")], "file-key-ref"),
    ] {
        let message = ask(&started(annotations)).message().to_owned();
        assert!(message.contains(words), "{annotations:?}: {message}");
        assert!(message.contains("kms.alibabacloud/"), "{message}");
    }
}

#[test]
fn a_variable_that_reaches_nobody_is_refused_and_one_that_misses_somebody_is_told() {
    let migrate = json!([{"name": "migrate", "command": ["m"]}]);
    let first = ("init-first", "false");
    let mut nobody = started(&[("env", "A: kms://a\n"), first, ("containers", "migrate")]);
    nobody["spec"]["initContainers"] = migrate.clone();
    assert!(ask(&nobody).message().contains("no container would get it"));
    let mut some = started(&[("env", "A: kms://a\n"), first]);
    some["spec"]["initContainers"] = migrate;
    let warnings = ask(&some).warnings();
    assert!(
        warnings.contains("migrate runs before the secrets are fetched and gets no"),
        "{warnings}"
    );
}

#[test]
fn a_container_that_another_webhook_adds_may_be_named() {
    let env = "A: {source: kms://a, containers: [app, later]}\nB: kms://b\n";
    let pod = started(&[("env", env), ("containers", "app,later")]);
    let mut after = injected(&pod);
    let later = json!({"name": "later", "command": ["later"]});
    after["spec"]["containers"].as_array_mut().unwrap().push(later);
    let again = injected(&after);
    assert_eq!(again["spec"]["containers"][1]["command"], wrapped("later", "A,B", &["later"]));
    settles(&again, &settings());
}

#[test]
fn variables_for_nobody_who_is_there_are_told_where_they_are_asked_for() {
    let pod = started(&[("env.laterxyz", "A: kms://a\n"), ("containers", "app,laterxyz")]);
    let message = ask(&pod).message().to_owned();
    assert!(
        message.starts_with("kms.alibabacloud/env.laterxyz: its variables are for"),
        "{message}"
    );
    assert!(message.contains("correct the name, or add kms.alibabacloud/secrets"), "{message}");
    let files = ("secrets", "b: kms://b");
    injected(&started(&[("env.laterxyz", "A: kms://a\n"), ("containers", "app,laterxyz"), files]));
}

#[test]
fn nobody_else_keeps_what_starts_a_container_writable() {
    let mut pod = injected(&started(&[("env.app", "A: kms://a\n"), ("secrets", "b: kms://b")]));
    let mounts = json!([{"name": "kms-env", "mountPath": "/owned"}]);
    let side = json!({"name": "side", "image": "x", "volumeMounts": mounts});
    pod["spec"]["containers"].as_array_mut().unwrap().push(side);
    assert!(ask(&pod).message().contains("mounts the secrets writable"));
    let early = json!([{"name": "X", "valueFrom": {
        "fileKeyRef": {"volumeName": "kms-env", "path": "x", "key": "X"}}}]);
    let mut reference = started(&[ENV]);
    reference["spec"]["containers"][0]["env"] = early;
    assert!(ask(&reference).message().contains("would be read from the volume"));
}

fn required(terms: &Value) -> Value {
    json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}})
}

fn zone() -> Value {
    json!({"key": "zone", "operator": "In", "values": ["a", "b"]})
}

fn virtual_type() -> Value {
    json!({"key": "type", "operator": "In", "values": ["virtual-kubelet"]})
}

fn virtual_name() -> Value {
    json!({"key": "metadata.name", "operator": "In", "values": ["virtual-kubelet-cn-hangzhou-k"]})
}

#[test]
fn the_kubelet_reads_nothing_where_the_operator_or_the_node_forbids_it() {
    let asked = started(&[ENV, ("env-method", "file-key-ref")]);
    let never = settings_with(&["oldestKubelet=1.36", "fileKeyRef=never"]);
    assert!(ask_with(&review(&asked), &never).message().contains("the operator does not allow it"));
    let mut many = asked.clone();
    let containers = many["spec"]["containers"].as_array_mut().unwrap();
    containers.extend((0..5).map(|n| json!({"name": format!("c{n}"), "image": "x"})));
    let answer = ask_with(&review(&many), &never);
    assert_eq!(answer.message().lines().count(), 1, "{}", answer.message());
    for (parent, field, value) in [
        ("spec", "nodeSelector", json!({"type": "virtual-kubelet"})),
        ("metadata", "labels", json!({"alibabacloud.com/eci": "true"})),
        ("spec", "nodeName", json!("virtual-kubelet-cn-hangzhou-k")),
        ("spec", "affinity", required(&json!([{"matchExpressions": [zone(), virtual_type()]}]))),
        ("spec", "affinity", required(&json!([{"matchFields": [virtual_name()]}]))),
        // One that is empty selects nothing.
        (
            "spec",
            "affinity",
            required(&json!([{"matchExpressions": [virtual_type()]}, {"matchExpressions": []}])),
        ),
    ] {
        let mut pod = asked.clone();
        pod[parent][field] = value;
        let message = ask_with(&review(&pod), &kubelets(36)).message().to_owned();
        assert!(message.contains("for virtual nodes"), "{message}");
    }
    for (field, value) in [
        ("nodeName", json!("cn-hangzhou.10.0.0.1")),
        // Another node will do as well.
        (
            "affinity",
            required(
                &json!([{"matchExpressions": [virtual_type()]}, {"matchExpressions": [zone()]}]),
            ),
        ),
    ] {
        let mut pod = asked.clone();
        pod["spec"][field] = value;
        injected_with(&pod, &kubelets(36));
    }
    let mut sandboxed = asked;
    sandboxed["spec"]["runtimeClassName"] = json!("kata");
    assert!(ask_with(&review(&sandboxed), &kubelets(36)).warnings().contains("in a sandbox"));
}

#[test]
fn a_variable_that_may_be_missing_cannot_be_read_by_the_kubelet() {
    let skipped = ("env", "A: {source: kms://x, onMissing: skip}\n");
    let pod = started(&[skipped, ("env-method", "file-key-ref")]);
    let message = ask_with(&review(&pod), &kubelets(35)).message().to_owned();
    assert!(message.contains("cannot be skipped"), "{message}");
    let after = injected(&started(&[skipped]));
    assert_eq!(after["spec"]["containers"][0]["command"], wrapped("app", "", &["/app", "--serve"]));
}

#[test]
fn with_the_operators_leave_a_variable_may_run_code() {
    let settings = settings_with(&["allowedVariables=NODE_OPTIONS"]);
    injected_with(&started(&[("env", "NODE_OPTIONS: kms://x\n")]), &settings);
}

#[test]
fn names_for_code_and_names_that_the_operator_does_not_list_are_refused() {
    let settings = |flag: &str| {
        let flags = ["region=cn-hangzhou", "clusterId=c0123", flag].map(str::to_owned);
        webhook::settings::Inputs::new(None, &flags, []).unwrap().load().unwrap()
    };
    let asked = |name: &str| started(&[("env", &format!("{name}: kms://x\n"))]);
    for name in ["TAR_OPTIONS", "RSYNC_RSH", "JAVA_ARGS", "secrets_injector_plan"] {
        let answer = ask_with(&review(&asked(name)), &settings("fileKeyRef=asked"));
        assert_eq!(answer.response["allowed"], false, "{name}");
    }
    let listed = settings("onlyVariables=DB_*,TOKEN");
    injected_with(&asked("DB_PASSWORD"), &listed);
    let message = ask_with(&review(&asked("OTHER")), &listed).message().to_owned();
    assert!(message.contains("onlyVariables"), "{message}");
}

#[test]
fn something_else_at_the_place_of_the_variables_is_refused() {
    let mut pod = started(&[ENV]);
    pod["spec"]["volumes"] = json!([{"name": "v", "emptyDir": {}}]);
    for path in ["/kms-env", "/kms-env/x", "kms-env", "/.//kms-env/"] {
        pod["spec"]["containers"][0]["volumeMounts"] = json!([{"name": "v", "mountPath": path}]);
        let message = ask(&pod).message().to_owned();
        assert!(message.contains("where its variables are to be"), "{message}");
    }
}

#[test]
fn a_copy_that_wants_no_variables_starts_as_before() {
    for (annotations, settings) in
        [(vec![ENV], settings()), (vec![ENV, ("env-method", "file-key-ref")], kubelets(35))]
    {
        let mut copy = injected_with(&started(&annotations), &settings);
        let kept = copy["metadata"]["annotations"].as_object_mut().unwrap();
        kept.remove("kms.alibabacloud/env");
        kept.remove("kms.alibabacloud/env-method");
        kept.insert("kms.alibabacloud/secrets".to_owned(), json!("db: kms://app/db"));
        let after = injected_with(&copy, &settings);
        let app = &after["spec"]["containers"][0];
        assert_eq!(app["command"], json!(["/app", "--serve"]));
        assert!(app.get("env").is_none_or(|env| env.as_array().unwrap().is_empty()));
        assert!(!after["spec"].to_string().contains("kms-env"), "{after}");
        settles(&after, &settings);
    }
}

#[test]
fn who_runs_before_the_fetcher_is_decided_by_where_it_will_be() {
    let mut pod = started(&[("env", "A: kms://a\n"), ("mode", "refresh")]);
    let init = |name: &str| json!({"name": name, "command": [name]});
    pod["spec"]["initContainers"] = json!([init("a"), init("b")]);
    let mut once = injected(&pod);
    // The sidecar that is there goes, and its successor stands behind all others.
    let annotations = once["metadata"]["annotations"].as_object_mut().unwrap();
    annotations.insert("kms.alibabacloud/mode".to_owned(), json!("init"));
    annotations.insert("kms.alibabacloud/init-first".to_owned(), json!("false"));
    let after = injected(&once);
    let commands: Vec<_> = ["a", "b"]
        .iter()
        .map(|name| {
            let all = after["spec"]["initContainers"].as_array().unwrap();
            all.iter().find(|container| container["name"] == *name).unwrap()["command"].clone()
        })
        .collect();
    assert_eq!(commands, [json!(["a"]), json!(["b"])]);
    settles(&after, &settings());
}
