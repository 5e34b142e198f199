use plan::{Mode, OnRevoked, Plan};
use serde_json::{Value, json};

use crate::support::{ask, injected, ours, plan, pod};

const SECRETS: (&str, &str) = ("secrets", "db: kms://app/db\n");

fn refreshed(more: &[(&str, &str)]) -> Value {
    pod(&[&[SECRETS, ("mode", "refresh")], more].concat())
}

/// Names in a list of containers.
fn names(pod: &Value, list: &str) -> Vec<String> {
    let containers = pod["spec"][list].as_array().into_iter().flatten();
    containers.map(|container| container["name"].as_str().unwrap().to_owned()).collect()
}

fn sidecar<'p>(pod: &'p Value, list: &str) -> &'p Value {
    let containers = pod["spec"][list].as_array().unwrap();
    containers.iter().find(|container| container["name"] == "kms-secrets").unwrap()
}

fn unchanged(pod: &Value) -> bool {
    let answer = ask(pod);
    assert_eq!(answer.response["allowed"], true, "{}", answer.response);
    answer.response.get("patch").is_none()
}

fn mode(container: &Value) -> Mode {
    Plan::decode(container["env"][0]["value"].as_str().unwrap()).unwrap().mode().clone()
}

#[test]
fn one_native_sidecar_holds_the_pod_back_and_stays() {
    let mut pod = refreshed(&[("timeout", "2m")]);
    pod["spec"]["initContainers"] = json!([{"name": "migrate", "image": "app:1"}]);
    let after = injected(&pod);
    assert_eq!(names(&after, "initContainers"), ["kms-secrets", "migrate"]);
    assert_eq!(names(&after, "containers"), ["app"]);
    let sidecar = sidecar(&after, "initContainers");
    assert_eq!(
        (&sidecar["args"], &sidecar["restartPolicy"]),
        (&json!(["refresh"]), &json!("Always"))
    );
    assert_eq!(
        sidecar["startupProbe"],
        json!({
            "exec": {"command": ["/secrets-injector", "probe"]},
            "periodSeconds": 1,
            "timeoutSeconds": 5,
            // The fetch gives up before the probe does.
            "failureThreshold": 150,
        })
    );
    for probe in ["livenessProbe", "readinessProbe", "lifecycle"] {
        assert!(sidecar.get(probe).is_none());
    }
    let status = after["metadata"]["annotations"]["kms.alibabacloud/status"].as_str().unwrap();
    let status: Value = serde_json::from_str(status).unwrap();
    assert_eq!(
        (&status["mode"], &status["containers"]),
        (&json!("refresh"), &json!(["kms-secrets"]))
    );
    assert!(unchanged(&after), "{}", ask(&after).patch());
}

#[test]
fn where_a_pod_does_not_restart_an_init_container_fails_in_its_place() {
    for policy in ["OnFailure", "Never"] {
        let mut pod = refreshed(&[]);
        pod["spec"]["restartPolicy"] = json!(policy);
        pod["spec"]["initContainers"] =
            json!([{"name": "istio-proxy", "restartPolicy": "Always"}, {"name": "migrate"}]);
        let after = injected(&pod);
        assert_eq!(
            names(&after, "initContainers"),
            ["istio-proxy", "kms-secrets-init", "kms-secrets", "migrate"]
        );
        assert_eq!(ours(&after)["args"], json!(["init"]));
        assert!(ours(&after).get("restartPolicy").is_none());
        let sidecar = sidecar(&after, "initContainers");
        assert_eq!(sidecar["restartPolicy"], "Always");
        assert!(sidecar.get("startupProbe").is_none());
        assert_eq!(mode(sidecar), *plan(&after).mode());
        assert!(unchanged(&after), "{}", ask(&after).patch());
    }
}

#[test]
fn an_ordinary_sidecar_is_there_for_who_asks_for_it() {
    let after = injected(&refreshed(&[("native-sidecar", "false")]));
    assert_eq!(names(&after, "initContainers"), ["kms-secrets-init"]);
    assert_eq!(names(&after, "containers"), ["app", "kms-secrets"]);
    let sidecar = sidecar(&after, "containers");
    assert!(sidecar.get("restartPolicy").is_none() && sidecar.get("startupProbe").is_none());
    assert_eq!(sidecar["volumeMounts"], ours(&after)["volumeMounts"]);
    assert!(unchanged(&after), "{}", ask(&after).patch());
}

#[test]
fn the_plan_says_how_often_and_what_then() {
    let after = injected(&refreshed(&[
        ("refresh-interval", "1m30s"),
        ("max-staleness", "24h"),
        ("on-revoked", "remove"),
    ]));
    let Mode::Refresh(refresh) = mode(sidecar(&after, "initContainers")) else { panic!() };
    assert_eq!(refresh.interval().as_secs(), 90);
    assert_eq!(refresh.max_staleness().unwrap().as_secs(), 86_400);
    assert_eq!(refresh.on_revoked(), OnRevoked::Remove);
    let Mode::Refresh(usual) = mode(sidecar(&injected(&refreshed(&[])), "initContainers")) else {
        panic!()
    };
    assert_eq!((usual.interval().as_secs(), usual.max_staleness()), (300, None));
    assert_eq!(usual.on_revoked(), OnRevoked::Keep);
}

#[test]
fn a_changed_mode_takes_away_what_belongs_to_the_other() {
    let set = |pod: &Value, key: &str, value: &str| {
        let mut pod = pod.clone();
        pod["metadata"]["annotations"][format!("kms.alibabacloud/{key}")] = json!(value);
        pod
    };
    let first = refreshed(&[]);
    let once = set(&first, "mode", "init");
    let beside = set(&first, "native-sidecar", "false");
    let mut job = first.clone();
    job["spec"]["restartPolicy"] = json!("Never");
    // A container that somebody put first stays where it is.
    for before in [&first, &once, &beside] {
        for after in [&first, &once, &beside] {
            let mut again = injected(before);
            again["metadata"]["annotations"] = after["metadata"]["annotations"].clone();
            let again = injected_or_same(&again);
            assert_eq!(again["spec"], injected(after)["spec"]);
        }
    }
    let mut ended = injected(&first);
    ended["spec"]["restartPolicy"] = json!("Never");
    let ended = injected_or_same(&ended);
    let mut order = names(&ended, "initContainers");
    order.sort();
    assert_eq!(order, ["kms-secrets", "kms-secrets-init"]);
    assert!(sidecar(&ended, "initContainers").get("startupProbe").is_none());
    assert_eq!(names(&ended, "initContainers"), names(&injected(&job), "initContainers"));
}

fn injected_or_same(pod: &Value) -> Value {
    if unchanged(pod) { pod.clone() } else { injected(pod) }
}

#[test]
fn a_sidecar_that_others_made_harmless_is_mended() {
    let clean = injected(&refreshed(&[]));
    let edits: [fn(&mut Value); 10] = [
        |c| c["args"] = json!(["probe"]),
        |c| c["startupProbe"]["exec"]["command"] = json!(["true"]),
        |c| c["startupProbe"]["failureThreshold"] = json!(1),
        |c| drop(c.as_object_mut().unwrap().remove("startupProbe")),
        |c| c["startupProbe"]["httpGet"] = json!({"port": 80}),
        |c| c["startupProbe"]["initialDelaySeconds"] = json!(3600),
        |c| c["lifecycle"] = json!({"postStart": {"exec": {"command": ["/tools/x"]}}}),
        |c| c["livenessProbe"] = json!({"exec": {"command": ["/tools/x"]}}),
        |c| c["readinessProbe"] = json!({"exec": {"command": ["/tools/x"]}}),
        |c| drop(c.as_object_mut().unwrap().remove("restartPolicy")),
    ];
    for edit in edits {
        let mut edited = clean.clone();
        edit(&mut edited["spec"]["initContainers"][0]);
        assert_eq!(injected(&edited), clean);
    }
    // What the API server adds to a probe is no edit.
    let mut defaulted = clean;
    defaulted["spec"]["initContainers"][0]["startupProbe"]["successThreshold"] = json!(1);
    assert!(unchanged(&defaulted), "{}", ask(&defaulted).patch());
}

#[test]
fn an_ordinary_sidecar_that_keeps_a_pod_from_ending_is_warned_about() {
    let mut pod = refreshed(&[("native-sidecar", "false")]);
    assert!(ask(&pod).response.get("warnings").is_none());
    pod["spec"]["restartPolicy"] = json!("OnFailure");
    assert!(ask(&pod).warnings().contains("never ends"), "{}", ask(&pod).warnings());
}

#[test]
fn a_pod_with_nothing_but_our_sidecar_has_no_consumer() {
    let mut pod = injected(&refreshed(&[("native-sidecar", "false")]));
    pod["spec"]["containers"].as_array_mut().unwrap().remove(0);
    let answer = ask(&pod);
    assert!(
        answer.message().contains("no container would get the secrets"),
        "{}",
        answer.message()
    );
}

#[test]
fn how_to_refresh_without_refreshing_is_a_problem_and_so_is_a_bad_pair() {
    for (key, value) in [
        ("refresh-interval", "1m"),
        ("max-staleness", "1h"),
        ("on-revoked", "fail"),
        ("native-sidecar", "true"),
    ] {
        let answer = ask(&pod(&[SECRETS, (key, value)]));
        let message = answer.message();
        assert!(message.starts_with(&format!("kms.alibabacloud/{key}: ")), "{message}");
        assert!(message.contains("the mode is init") && message.contains("refresh"), "{message}");
    }
    let answer = ask(&refreshed(&[("refresh-interval", "10m"), ("max-staleness", "5m")]));
    assert!(answer.message().contains("at least the interval"), "{}", answer.message());
}

#[test]
fn a_guaranteed_pod_stays_guaranteed_with_both_containers() {
    let mut pod = refreshed(&[]);
    pod["spec"]["restartPolicy"] = json!("Never");
    pod["spec"]["containers"][0]["resources"] =
        json!({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1", "memory": "1Gi"}});
    let after = injected(&pod);
    for container in after["spec"]["initContainers"].as_array().unwrap() {
        assert_eq!(container["resources"]["limits"], container["resources"]["requests"]);
    }
}
