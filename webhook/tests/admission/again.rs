use serde_json::{Value, json};

use crate::support::{ask, injected, injected_with, ours, plan, pod, settings, volume};

fn full() -> Value {
    let mut pod = pod(&[("secrets", "db: kms://app/db\nuser: kms://app/db#user\n")]);
    pod["spec"]["containers"] = json!([
        {"name": "app", "volumeMounts": [{"name": "own", "mountPath": "/own"}]},
        {"name": "helper"},
    ]);
    pod["spec"]["volumes"] = json!([{"name": "own", "emptyDir": {}}]);
    pod["spec"]["initContainers"] = json!([{"name": "setup"}]);
    pod
}

/// What API server and limits add to ours, and other webhooks beside it.
fn with_additions(mut pod: Value) -> Value {
    let index = index_of_ours(&pod);
    let container = &mut pod["spec"]["initContainers"][index];
    container["imagePullPolicy"] = json!("IfNotPresent");
    container["terminationMessagePath"] = json!("/dev/termination-log");
    container["resources"]["limits"]["cpu"] = json!("1");
    let volumes = pod["spec"]["volumes"].as_array_mut().unwrap();
    volumes.push(json!({"name": "mesh", "emptyDir": {}}));
    for volume in volumes {
        if volume["name"] == "kms-rrsa-token" {
            volume["projected"]["defaultMode"] = json!(420);
        }
    }
    pod
}

fn index_of_ours(pod: &Value) -> usize {
    let init = pod["spec"]["initContainers"].as_array().unwrap();
    init.iter().position(|container| container["name"] == "kms-secrets-init").unwrap()
}

fn unchanged(pod: &Value) -> bool {
    let answer = ask(pod);
    assert_eq!(answer.response["allowed"], true, "{}", answer.response);
    answer.response.get("patch").is_none()
}

#[test]
fn our_own_output_is_left_as_it_is() {
    let after = injected(&full());
    assert!(unchanged(&after), "{}", ask(&after).patch());
}

#[test]
fn what_others_may_add_stays_and_changes_nothing() {
    let after = with_additions(injected(&full()));
    assert!(unchanged(&after), "{}", ask(&after).patch());
}

#[test]
fn ours_is_found_wherever_others_moved_it() {
    let mut after = injected(&full());
    after["spec"]["initContainers"]
        .as_array_mut()
        .unwrap()
        .insert(0, json!({"name": "istio-init"}));
    after["spec"]["volumes"].as_array_mut().unwrap().reverse();
    assert!(unchanged(&after), "{}", ask(&after).patch());
}

#[test]
fn a_changed_annotation_brings_a_copy_up_to_date() {
    let mut copy = with_additions(injected(&full()));
    copy["metadata"]["annotations"]["kms.alibabacloud/secrets"] = json!("token: oos://t\n");
    copy["metadata"]["annotations"]["kms.alibabacloud/mount-path"] = json!("/secrets");
    let after = injected(&copy);
    let plan = plan(&after);
    assert_eq!(plan.files().len(), 1);
    assert_eq!(plan.mount().as_str(), "/secrets");
    let container = ours(&after);
    assert_eq!(container["resources"]["limits"]["cpu"], "1");
    assert_eq!(container["imagePullPolicy"], "IfNotPresent");
    let mounts: Vec<_> = after["spec"]["containers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["volumeMounts"].to_string())
        .collect();
    assert!(
        mounts.iter().all(|m| m.contains("\"/secrets\"") && !m.contains("/mnt/secrets-store")),
        "{mounts:?}"
    );
    assert!(unchanged(&after), "{}", ask(&after).patch());
}

#[test]
fn an_older_versions_output_gets_the_image_and_plan_of_this_one() {
    let mut older = injected(&full());
    let index = index_of_ours(&older);
    let container = &mut older["spec"]["initContainers"][index];
    container["image"] = json!("secrets-injector:0.0.1");
    container["env"][0]["value"] = json!(r#"{"version":0,"unheardOf":true}"#);
    container["args"] = json!(["init", "--old"]);
    container.as_object_mut().unwrap().remove("terminationMessagePolicy");
    older["metadata"]["annotations"]["kms.alibabacloud/status"] = json!("{}");
    let after = injected(&older);
    assert_eq!(after, injected(&full()));
}

/// As a replica of a later release makes it: with options, fields and annotations that this one does
/// not know.
fn of_a_later_release() -> Value {
    let mut later = injected(&full());
    later["metadata"]["annotations"]["kms.alibabacloud/of-a-later-release"] = json!("true");
    let index = index_of_ours(&later);
    let container = &mut later["spec"]["initContainers"][index];
    container["image"] = json!("secrets-injector:99.0.0");
    container["args"] = json!(["init", "--new"]);
    container["env"][0]["value"] = json!(r#"{"version":99,"unheardOf":true}"#);
    later
}

#[test]
fn a_later_releases_output_stays_as_it_is_and_a_warning_says_why() {
    let later = of_a_later_release();
    let answer = ask(&later);
    assert!(answer.response["patch"].is_null(), "{}", answer.response);
    assert_eq!(answer.response["allowed"], true, "{}", answer.response);
    let warning = answer.response["warnings"][0].as_str().unwrap();
    assert!(warning.contains("later release") && warning.contains("version 99"), "{warning}");
    assert!(warning.chars().count() <= 200, "{warning}");
}

#[test]
fn what_only_says_that_a_later_release_made_it_is_made_anew() {
    let mut forged = of_a_later_release();
    let annotations = forged["metadata"]["annotations"].as_object_mut().unwrap();
    annotations.remove("kms.alibabacloud/of-a-later-release");
    let index = index_of_ours(&forged);
    let container = &mut forged["spec"]["initContainers"][index];
    // Our command is not enough: anybody's program may lie there.
    container["image"] = json!("else.where/x:1");
    assert_eq!(injected(&forged), injected(&full()));
}

/// The fetcher of this release would carry out the plan of the other one, which nobody has judged.
#[test]
fn a_later_releases_container_beside_one_of_this_release_is_made_anew() {
    let clean = injected(&full());
    let ours = index_of_ours(&clean);
    for the_first_is_later in [true, false] {
        let mut forged = clean.clone();
        let mut sidecar = clean["spec"]["initContainers"][ours].clone();
        sidecar["name"] = json!("kms-secrets");
        let later = |container: &mut Value| {
            container["image"] = json!("secrets-injector:99.0.0");
            container["env"][0]["value"] = json!(r#"{"version":99}"#);
        };
        if the_first_is_later {
            later(&mut forged["spec"]["initContainers"][ours]);
        } else {
            later(&mut sidecar);
        }
        forged["spec"]["containers"].as_array_mut().unwrap().push(sidecar);
        assert_eq!(injected(&forged), clean, "{the_first_is_later}");
    }
}

#[test]
fn a_plan_that_nobody_can_read_is_a_foreigners_or_another_releases() {
    let no_consumers = format!(r#"{{"version":{},"consumers":7}}"#, plan::VERSION);
    for unreadable in ["", "{}", &no_consumers, r#"{"version":"new"}"#] {
        let mut pod = injected(&full());
        let index = index_of_ours(&pod);
        pod["spec"]["initContainers"][index]["env"][0]["value"] = json!(unreadable);
        assert_eq!(injected(&pod), injected(&full()), "{unreadable}");
        pod["spec"]["initContainers"][index]["image"] = json!("shell");
        pod["spec"]["initContainers"][index]["command"] = json!(["sh"]);
        assert!(ask(&pod).message().contains("no plan"), "{unreadable}");
    }
}

#[test]
fn a_foreign_edit_of_what_we_own_is_undone() {
    let clean = injected(&full());
    let edits: [fn(&mut Value); 14] = [
        |c| c["image"] = json!("evil"),
        |c| c["command"] = json!(["sh", "-c", "x"]),
        |c| c["restartPolicy"] = json!("Always"),
        |c| c["securityContext"]["privileged"] = json!(true),
        |c| c["securityContext"]["capabilities"] = json!({"add": ["SYS_ADMIN"]}),
        |c| c["securityContext"]["runAsUser"] = json!(0),
        |c| {
            c["env"]
                .as_array_mut()
                .unwrap()
                .push(json!({"name": "SECRETS_INJECTOR_PLAN", "value": "{}"}));
        },
        |c| c["volumeMounts"][1]["readOnly"] = json!(false),
        |c| c["volumeMounts"][0]["subPath"] = json!("x"),
        |c| c["volumeMounts"][0]["subPathExpr"] = json!("x"),
        |c| c["volumeMounts"][0]["readOnly"] = json!(true),
        |c| c["volumeMounts"] = json!([c["volumeMounts"][0]]),
        |c| {
            let mounts = c["volumeMounts"].as_array_mut().unwrap();
            mounts.push(json!({"name": "mesh", "mountPath": "/mnt/secrets-store"}));
        },
        |c| c["env"][0]["valueFrom"] = json!({"fieldRef": {"fieldPath": "metadata.name"}}),
    ];
    for (number, edit) in edits.into_iter().enumerate() {
        let mut edited = clean.clone();
        let index = index_of_ours(&edited);
        edit(&mut edited["spec"]["initContainers"][index]);
        assert_eq!(injected(&edited), clean, "edit {number}");
    }
    for path in [
        "/secrets-injector",
        "/secrets-injector/",
        "/x/../secrets-injector",
        "//secrets-injector",
        "/",
        "/mnt",
        "/mnt/secrets-store/db",
        "/var/run/secrets",
        // As the kubelet reads them.
        "secrets-injector",
        "/run/secrets",
    ] {
        let mut covered = clean.clone();
        let index = index_of_ours(&covered);
        let mounts = &mut covered["spec"]["initContainers"][index]["volumeMounts"];
        let foreign = json!({"name": "own", "mountPath": path, "subPath": "x"});
        mounts.as_array_mut().unwrap().push(foreign);
        assert_eq!(injected(&covered), clean, "{path}");
    }
    for replaced in [
        json!({"name": "kms-secrets", "hostPath": {"path": "/"}}),
        json!({"name": "kms-secrets", "emptyDir": {}, "hostPath": {"path": "/"}}),
        json!({"name": "kms-secrets", "a/b": 1, "a~b": 2}),
    ] {
        let mut volumes = clean.clone();
        volumes["spec"]["volumes"][1] = replaced;
        assert_eq!(volume(&injected(&volumes), "kms-secrets"), volume(&clean, "kms-secrets"));
    }
    let mut writable = clean.clone();
    writable["spec"]["containers"][1]["volumeMounts"][0]["readOnly"] = json!(false);
    assert_eq!(injected(&writable), clean);
    for (key, value) in [("subPath", "db"), ("subPathExpr", "$(X)"), ("mountPath", "/elsewhere")] {
        let mut partial = clean.clone();
        partial["spec"]["containers"][1]["volumeMounts"][0][key] = json!(value);
        assert_eq!(injected(&partial), clean, "{key}");
    }
    let mut twice = clean.clone();
    let second = json!({"name": "kms-secrets", "mountPath": "/w"});
    twice["spec"]["containers"][1]["volumeMounts"].as_array_mut().unwrap().push(second);
    assert!(ask(&twice).message().contains("mounts the secrets writable"));
    let mut unmounted = clean.clone();
    unmounted["spec"]["containers"][1]["volumeMounts"] = json!([]);
    assert_eq!(injected(&unmounted), clean);
}

#[test]
fn a_container_added_later_gets_nothing_but_a_warning_unless_it_is_named() {
    let mut later = injected(&full());
    later["spec"]["containers"].as_array_mut().unwrap().push(json!({"name": "debugger"}));
    let answer = ask(&later);
    assert!(answer.warnings().contains("debugger was added later"), "{}", answer.warnings());
    assert!(answer.response.get("patch").is_none());
    let mut proxy = injected(&full());
    proxy["spec"]["containers"].as_array_mut().unwrap().push(json!({"name": "istio-proxy"}));
    assert!(ask(&proxy).response.get("warnings").is_none());
    later["metadata"]["annotations"]["kms.alibabacloud/containers"] =
        json!("app,helper,setup,debugger");
    let after = injected(&later);
    assert!(
        after["spec"]["containers"][2]["volumeMounts"].to_string().contains("/mnt/secrets-store")
    );
}

#[test]
fn a_container_that_is_named_may_come_later_but_not_alone_and_not_misspelt() {
    let named = |names: &str| {
        let mut pod = full();
        pod["metadata"]["annotations"]["kms.alibabacloud/containers"] = json!(names);
        pod
    };
    let early = ask(&named("app, tracer"));
    assert!(early.warnings().contains("no container tracer so far"), "{}", early.warnings());
    let mut late = injected(&named("app, tracer"));
    late["spec"]["containers"].as_array_mut().unwrap().push(json!({"name": "tracer"}));
    assert!(ask(&late).response.get("warnings").is_none(), "{}", ask(&late).warnings());
    let late = injected(&late);
    let mounts = |index: usize| late["spec"]["containers"][index]["volumeMounts"].to_string();
    assert!(mounts(0).contains("kms-secrets") && mounts(2).contains("kms-secrets"));
    assert!(unchanged(&late));
    for (names, words) in [
        ("tracer", "no container \"tracer\""),
        ("app, helpr", "did you mean helper?"),
        ("app, kms-secrets", "kms-secrets is ours"),
    ] {
        assert!(ask(&named(names)).message().contains(words), "{}", ask(&named(names)).message());
    }
}

#[test]
fn nobody_else_may_mount_the_token_or_the_secrets_writable() {
    for (mount, words) in [
        (
            json!({"name": "kms-rrsa-token", "mountPath": "/t", "readOnly": true}),
            "mounts the token",
        ),
        (json!({"name": "kms-secrets", "mountPath": "/s"}), "mounts the secrets writable"),
    ] {
        let mut pod = injected(&full());
        pod["spec"]["containers"]
            .as_array_mut()
            .unwrap()
            .push(json!({"name": "spy", "volumeMounts": [mount]}));
        let answer = ask(&pod);
        assert!(answer.message().contains(words), "{}", answer.message());
    }
}

#[test]
fn a_private_ca_that_is_no_longer_named_goes() {
    let mut with_ca = full();
    with_ca["metadata"]["annotations"]["kms.alibabacloud/ca-config-map"] = json!("kms-ca");
    let mut copy = injected(&with_ca);
    assert!(ours(&copy)["volumeMounts"].to_string().contains("kms-ca"));
    copy["metadata"]["annotations"]
        .as_object_mut()
        .unwrap()
        .remove("kms.alibabacloud/ca-config-map");
    let after = injected_with(&copy, &settings());
    assert!(!after["spec"].to_string().contains("kms-ca"), "{after}");
    assert!(unchanged(&after), "{}", ask(&after).patch());
}

#[test]
fn a_volume_of_our_name_that_comes_later_goes_where_none_is_wanted() {
    let first = injected(&full());
    for name in ["kms-ca", "kms-env", "kms-agent"] {
        let mut later = first.clone();
        let volumes = later["spec"]["volumes"].as_array_mut().unwrap();
        volumes.push(json!({"name": name, "hostPath": {"path": "/"}}));
        assert_eq!(injected(&later), first, "{name}");
    }
}

#[test]
fn output_with_a_private_ca_or_a_guaranteed_pod_is_left_as_it_is_too() {
    let mut with_ca = full();
    with_ca["metadata"]["annotations"]["kms.alibabacloud/ca-config-map"] = json!("kms-ca");
    let mut guaranteed = full();
    guaranteed["metadata"]["annotations"]["kms.alibabacloud/resources.requests.memory"] =
        json!("20Mi");
    let amounts = json!({"limits": {"cpu": "1", "memory": "1Gi"}});
    guaranteed["spec"]["initContainers"][0]["resources"] = amounts.clone();
    for index in [0, 1] {
        guaranteed["spec"]["containers"][index]["resources"] = amounts.clone();
    }
    for before in [with_ca, guaranteed] {
        let after = injected(&before);
        assert!(unchanged(&after), "{}", ask(&after).patch());
    }
}

#[test]
fn a_reader_that_is_no_consumer_may_mount_the_secrets_read_only() {
    let mut pod = injected(&full());
    pod["spec"]["containers"].as_array_mut().unwrap().push(json!({"name": "reader",
        "volumeMounts": [{"name": "kms-secrets", "mountPath": "/s", "readOnly": true}]}));
    assert!(unchanged(&pod));
    assert!(ask(&pod).response.get("warnings").is_none(), "{}", ask(&pod).warnings());
}

#[test]
fn a_plan_makes_one_container_of_each_name_ours_in_its_place() {
    let clean = injected(&full());
    let index = index_of_ours(&clean);
    let mut twice = clean.clone();
    let copy = twice["spec"]["initContainers"][index].clone();
    twice["spec"]["initContainers"].as_array_mut().unwrap().push(copy);
    let mut elsewhere = clean;
    elsewhere["spec"]["initContainers"][index]["name"] = json!("mine");
    elsewhere["spec"]["containers"][index]["name"] = json!("kms-secrets-init");
    for pod in [twice, elsewhere] {
        let answer = ask(&pod);
        assert!(answer.message().contains("the name is reserved"), "{}", answer.message());
    }
}

#[test]
fn a_misspelt_consumer_is_never_corrected_to_our_container() {
    let mut pod = injected(&full());
    pod["metadata"]["annotations"]["kms.alibabacloud/containers"] = json!("kms-secrets-ini");
    let answer = ask(&pod);
    assert!(answer.message().contains("no container \"kms-secrets-ini\""), "{}", answer.message());
    assert!(!answer.message().contains("did you mean"), "{}", answer.message());
}
