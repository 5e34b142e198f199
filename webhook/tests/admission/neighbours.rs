//! Where containers see each other's processes, none has the fetcher's user.

use serde_json::{Value, json};

use crate::support::{ask, ask_with, injected, ours, plan, pod, review, settings_with};

const SECRETS: (&str, &str) = ("secrets", "db: kms://app/db\n");

/// A Pod that shares its processes, with a container for each security context.
fn shared(contexts: &[Value], more: &[(&str, &str)]) -> Value {
    let mut pod = pod(&[&[SECRETS], more].concat());
    pod["spec"]["shareProcessNamespace"] = json!(true);
    let container =
        |(index, context)| json!({"name": format!("c{index}"), "securityContext": context});
    pod["spec"]["containers"] = contexts.iter().enumerate().map(container).collect();
    pod
}

fn user(uid: u32) -> Value {
    json!({ "runAsUser": uid })
}

/// As whom the fetcher runs, and how others read its files.
fn decided(pod: &Value) -> (Value, String) {
    let after = injected(pod);
    (
        ours(&after)["securityContext"]["runAsUser"].clone(),
        plan(&after).files()[0].options.mode.to_string(),
    )
}

#[test]
fn who_sees_the_fetchers_process_never_has_its_user() {
    let apart = |uid: u32, mode: &str| (json!(uid), mode.to_owned());
    // All containers are known, and none has the usual user.
    let pod = shared(&[user(1000), user(1000)], &[]);
    assert_eq!(decided(&pod), apart(65_532, "0444"));
    let mut grouped = pod.clone();
    grouped["spec"]["securityContext"] = json!({"fsGroup": 2000});
    assert_eq!(decided(&grouped), apart(65_532, "0440"));
    let mut on_the_node = pod;
    on_the_node["spec"]["shareProcessNamespace"] = json!(false);
    on_the_node["spec"]["hostPID"] = json!(true);
    assert_eq!(decided(&on_the_node), apart(65_532, "0444"));
    // One has it, or its image may; also one that gets no secrets.
    assert_eq!(decided(&shared(&[user(65_532)], &[])), apart(61_000, "0444"));
    assert_eq!(decided(&shared(&[user(1000), json!({})], &[])), apart(61_000, "0444"));
    for other in [user(65_532), json!({})] {
        let pod = shared(&[user(1000), other], &[("containers", "c0")]);
        assert_eq!(decided(&pod), apart(61_000, "0444"));
    }
    let taken = shared(&[user(65_532), user(61_000), user(61_001)], &[]);
    assert_eq!(decided(&taken), apart(61_002, "0444"));
    let mut early = shared(&[user(1000)], &[]);
    early["spec"]["initContainers"] = json!([{"name": "proxy", "restartPolicy": "Always"}]);
    assert_eq!(decided(&early), apart(61_000, "0444"));
    // The Pod itself says the user.
    let mut whole = shared(&[json!({})], &[]);
    whole["spec"]["securityContext"] = user(65_532);
    assert_eq!(decided(&whole), apart(61_000, "0444"));
    // It comes again as it is.
    let after = injected(&whole);
    assert!(ask(&after).response.get("patch").is_none(), "{}", ask(&after).patch());
}

#[test]
fn a_warning_says_that_files_are_no_longer_their_users_alone() {
    let warnings = ask(&shared(&[user(1000), user(1000)], &[])).warnings();
    assert!(
        warnings.contains("shareProcessNamespace is set: the fetcher has uid 65532 and not 1000"),
        "{warnings}"
    );
    assert!(warnings.contains("files have mode 0444"), "{warnings}");
    let mut grouped = shared(&[user(1000)], &[]);
    grouped["spec"]["securityContext"] = json!({"fsGroup": 2000});
    let warnings = ask(&grouped).warnings();
    assert!(warnings.contains("files have mode 0440, of group 2000"), "{warnings}");
    // Nothing is other than without shared processes.
    let rootless = json!({"runAsNonRoot": true});
    for contexts in [&[user(1000), user(1001)][..], &[rootless]] {
        assert!(ask(&shared(contexts, &[])).response.get("warnings").is_none());
    }
    // A mode for the owner alone would shut consumers out.
    let owned = shared(&[user(1000)], &[("file-mode", "0400")]);
    let message = ask(&owned).message().to_owned();
    assert!(message.contains("cannot read mode 0400 of uid 65532"), "{message}");
}

#[test]
fn a_user_that_a_container_has_is_refused_for_the_fetcher() {
    for contexts in [&[user(1000)][..], &[user(1000), user(7)], &[user(7), user(1000)]] {
        let pod = shared(contexts, &[("run-as-user", "1000"), ("containers", "c0")]);
        let message = ask(&pod).message().to_owned();
        assert!(message.starts_with("kms.alibabacloud/run-as-user: container \"c"), "{message}");
        assert!(message.contains("has uid 1000 too while shareProcessNamespace is"), "{message}");
        assert!(message.contains("use a uid that no container of the Pod has"), "{message}");
        let mut apart = pod;
        apart["spec"]["shareProcessNamespace"] = json!(false);
        assert_eq!(ask(&apart).response["allowed"], true);
    }
    let other = shared(&[user(1000), user(1000)], &[("run-as-user", "7")]);
    assert_eq!(decided(&other), (json!(7), "0444".to_owned()));
    assert!(ask(&other).response.get("warnings").is_none());
    // A user that only the image says is not known, and nothing is lost.
    let unknown = shared(&[json!({}), json!({})], &[("run-as-user", "7")]);
    assert!(ask(&unknown).response.get("warnings").is_none());
}

#[test]
fn a_user_that_the_platform_assigns_is_not_trusted_to_be_another() {
    let settings = settings_with(&["uid=platform"]);
    let message = |pod: &Value| ask_with(&review(pod), &settings).message().to_owned();
    let pod = shared(&[json!({})], &[]);
    assert!(
        message(&pod).contains("shareProcessNamespace is set where the platform assigns users"),
        "{}",
        message(&pod)
    );
    let said = shared(&[user(1000)], &[("run-as-user", "7")]);
    assert_eq!(ask_with(&review(&said), &settings).response["allowed"], true);
}

#[test]
fn a_signal_is_the_one_reason_to_share_a_user() {
    let context = json!({"runAsUser": 1000, "runAsGroup": 1000});
    let mut signalled = shared(
        &[context, user(1001)],
        &[("mode", "refresh"), ("on-change", "signal=SIGHUP:c0"), ("containers", "c0")],
    );
    let sidecar = injected(&signalled)["spec"]["initContainers"][0].clone();
    assert_eq!(sidecar["securityContext"]["runAsUser"], 1000, "{sidecar}");
    assert!(ask(&signalled).response.get("warnings").is_none());
    let annotations = signalled["metadata"]["annotations"].as_object_mut().unwrap();
    annotations.retain(|key, _| !key.ends_with("on-change") && !key.ends_with("mode"));
    assert_eq!(decided(&signalled), (json!(65_532), "0444".to_owned()));
}
