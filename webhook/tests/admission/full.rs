//! A Pod that is as large as one may be: what is injected does not make it too large for the call
//! after that.

use serde_json::{Value, json};
use webhook::settings::Settings;
use webhook::wire::reply::Outcome;

use crate::support::{ask_with, injected_with, pod, review, settings, settings_with};

/// As many containers as there may be. Each gets a variable, three mounts with long paths, and our
/// program before its command, and two of ours stand beside them.
fn full(method: &str) -> Value {
    let path = format!("/{}", "m".repeat(510));
    let token = format!("/{}/token", "t".repeat(500));
    let env = format!("{}: kms://shop/db", "A".repeat(128));
    let mut full = pod(&[
        ("secrets", "db: kms://shop/db"),
        ("env", &env),
        ("env-method", method),
        ("mode", "agent"),
        ("agent-secrets", "kms://shop/*"),
        ("agent-token-path", &token),
        ("native-sidecar", "false"),
        ("mount-path", &path),
    ]);
    full["spec"]["containers"] = (0..256)
        .map(|n| json!({"name": format!("{n:063}"), "image": "app:1", "command": ["/app"]}))
        .collect();
    full["spec"]["volumes"] = json!([{"name": "x", "emptyDir": {}}]);
    full
}

fn settings_for_files() -> Settings {
    settings_with(&["oldestKubelet=1.35"])
}

/// The Pod as it comes out, which the next call leaves as it is.
fn settled(what: &str, pod: &Value) -> Value {
    let settings = settings_for_files();
    let after = injected_with(pod, &settings);
    let again = ask_with(&review(&after), &settings);
    assert_eq!(again.outcome, Outcome::Unchanged, "{what}: {:.300}", again.response.to_string());
    after
}

fn first(pod: &mut Value) -> &mut Value {
    &mut pod["spec"]["containers"][0]
}

#[test]
fn what_is_injected_into_as_many_containers_as_there_may_be_is_left_as_it_is() {
    for method in ["exec", "file-key-ref"] {
        let after = settled(method, &full(method));
        assert_eq!(after["spec"]["containers"].as_array().unwrap().len(), 257);
        let last = &after["spec"]["containers"][255];
        assert!(last["volumeMounts"].as_array().unwrap().len() >= 2, "{last}");
    }
}

#[test]
fn what_is_injected_where_there_is_as_much_as_there_may_be_is_left_as_it_is() {
    type Fill = fn(&mut Value);
    let fills: [(&str, Fill); 8] = [
        ("parts", |pod| {
            first(pod)["env"] = vec![json!({"name": "A"}); 2047].into();
        }),
        ("words", |pod| {
            first(pod)["args"] = vec![json!("x"); 2048 - 256].into();
        }),
        ("bytes of words", |pod| {
            first(pod)["args"] = json!(["x".repeat(128 * 1024 - 256 * "/app".len())]);
        }),
        ("bytes of paths", |pod| {
            let mount = json!({"name": "x", "mountPath": format!("/{}", "x".repeat(4095))});
            first(pod)["volumeMounts"] = vec![mount; 31].into();
        }),
        ("bytes of values", |pod| {
            let value = json!({"name": "A", "value": "x".repeat(64 * 1024 - 512)});
            first(pod)["env"] = vec![value; 2].into();
        }),
        ("capabilities", |pod| {
            let lists = json!({"add": vec!["CHOWN"; 512], "drop": vec!["ALL"; 2048]});
            first(pod)["securityContext"] = json!({"capabilities": lists});
        }),
        ("annotations", |pod| {
            // The role's and seven others are there.
            for n in 0..128 - 9 {
                pod["metadata"]["annotations"][format!("kms.alibabacloud/template.f{n}")] =
                    json!("{{ secret(\"shop/db\") }}");
            }
        }),
        ("affinity", |pod| {
            let terms = vec![json!({"matchFields": [1]}); 100];
            pod["spec"]["affinity"] = json!({"nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms},
            }});
        }),
    ];
    for (what, fill) in fills {
        for method in ["exec", "file-key-ref"] {
            let mut pod = full(method);
            fill(&mut pod);
            settled(what, &pod);
        }
    }
}

#[test]
fn what_others_write_under_our_names_is_bounded_too() {
    let after = settled("exec", &full("exec"));
    let mut swollen = after.clone();
    let mount = json!({"name": "kms-secrets", "mountPath": "/x", "readOnly": true});
    swollen["spec"]["containers"][0]["volumeMounts"] = vec![mount; 2000].into();
    let mut crowded = after;
    let ours = crowded["spec"]["initContainers"][0].clone();
    crowded["spec"]["initContainers"] = vec![ours; 3].into();
    let other = |change: &dyn Fn(&mut Value)| {
        let mut pod = settled("exec", &full("exec"));
        change(&mut pod["spec"]["initContainers"][0]);
        pod
    };
    let path = json!({"name": "kms-secrets", "mountPath": "/x".repeat(2000)});
    let changed = [
        other(&|ours| ours["args"] = vec![json!("x"); 2040].into()),
        other(&|ours| ours["args"] = json!(["x".repeat(640 * 1024)])),
        other(&|ours| ours["env"] = json!([{"name": "A".repeat(64 * 1024)}])),
        other(&|ours| ours["env"] = json!([{"name": "A", "value": "x".repeat(640 * 1024)}])),
        other(&|ours| ours["volumeMounts"] = vec![path.clone(); 170].into()),
        other(&|ours| {
            ours["securityContext"] = json!({"capabilities": {"add": vec!["CHOWN"; 65]}});
        }),
        other(&|ours| {
            ours["securityContext"] = json!({"capabilities": {"drop": vec!["CHOWN"; 65]}});
        }),
    ];
    for pod in changed.into_iter().chain([swollen, crowded]) {
        let answer = ask_with(&review(&pod), &settings_for_files());
        let message = answer.message();
        assert!(message.contains("more than are ever injected"), "{message}");
        assert!(message.contains("remove what others have written"), "{message}");
    }
}

/// A list is read as far as the limits go, whoever's its entries are.
#[test]
fn nothing_stands_unseen_behind_entries_that_count_as_ours() {
    let reference = json!({"name": "PW", "valueFrom": {"fileKeyRef": {
        "volumeName": "kms-env", "path": "app.PW", "key": "PW",
    }}});
    let mark = json!({"name": "SECRETS_INJECTOR_TARGET", "value": "x"});
    for (ours, theirs) in [(100, 1948), (1279, 2048), (5000, 0)] {
        let mut pod = injected_with(&pod(&[("secrets", "db: kms://shop/db")]), &settings());
        let mut env = vec![mark.clone(); ours];
        env.extend(vec![json!({"name": "A"}); theirs]);
        env.push(reference.clone());
        first(&mut pod)["env"] = env.into();
        let answer = ask_with(&review(&pod), &settings());
        if answer.response["allowed"] == true {
            let mut after = pod.clone();
            let patch: json_patch::Patch = serde_json::from_value(answer.patch()).unwrap();
            json_patch::patch(&mut after, &patch).unwrap();
            pod = after;
        }
        let refused = answer.response["allowed"] == false;
        assert!(refused || !first(&mut pod)["env"].to_string().contains("fileKeyRef"), "{ours}");
    }
}
