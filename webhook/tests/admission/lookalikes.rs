//! What somebody else did to a Pod, or meant for us and wrote otherwise.

use serde_json::json;

use crate::support::{ask, injected, pod};

const SECRETS: (&str, &str) = ("secrets", "db: kms://shop/db");

#[test]
fn a_pod_whose_container_was_taken_out_is_told_so_once() {
    for kept in [true, false] {
        let mut torn = injected(&pod(&[SECRETS]));
        torn["spec"]["initContainers"] = json!([]);
        if !kept {
            torn["metadata"]["annotations"]
                .as_object_mut()
                .unwrap()
                .remove("kms.alibabacloud/status");
        }
        let message = ask(&torn).message().to_owned();
        let words = "it has volumes of an earlier injection, and no container kms-secrets-init";
        assert!(message.contains(words) && message.lines().count() <= 2, "{message}");
        assert!(!message.contains("reserved") && !message.contains("added only here"), "{message}");
    }
}

#[test]
fn a_label_that_opts_nothing_out_is_told() {
    for (value, is_told) in [("false", true), ("Disabled", true), ("enabled", false)] {
        let mut pod = pod(&[SECRETS]);
        pod["metadata"]["labels"] = json!({"kms.alibabacloud/injection": value});
        let warnings = ask(&pod).warnings();
        assert_eq!(warnings.contains("opts nothing out; write disabled"), is_told, "{warnings}");
    }
}

#[test]
fn a_pod_of_tekton_gets_no_container_that_tekton_cannot_end() {
    let mut pod = pod(&[SECRETS, ("mode", "refresh"), ("native-sidecar", "false")]);
    pod["spec"]["restartPolicy"] = json!("Never");
    pod["spec"]["containers"][0]["command"] = json!(["/tekton/bin/entrypoint"]);
    let message = ask(&pod).message().to_owned();
    assert!(
        message.contains("kms.alibabacloud/native-sidecar: it is a Pod of Tekton"),
        "{message}"
    );
    pod["metadata"]["annotations"]["kms.alibabacloud/native-sidecar"] = json!("auto");
    assert_eq!(ask(&pod).response["allowed"], true);
}

#[test]
fn our_container_has_the_storage_that_is_asked_for() {
    let said = [
        SECRETS,
        ("resources.requests.ephemeral-storage", "1Mi"),
        ("resources.limits.ephemeral-storage", "8Mi"),
    ];
    let after = injected(&pod(&said));
    let resources = &after["spec"]["initContainers"][0]["resources"];
    assert_eq!(resources["requests"]["ephemeral-storage"], "1Mi");
    assert_eq!(resources["limits"]["ephemeral-storage"], "8Mi");
    assert!(ask(&after).response.get("patch").is_none(), "{}", ask(&after).response);
    for (key, value, words) in [
        (
            "resources.limits.ephemeral-storage",
            "512Ki",
            "less than the log of the fetcher may have",
        ),
        ("resources.requests.ephemeral-storage", "16Mi", "above the limit 8Mi"),
    ] {
        let mut pod = pod(&said);
        pod["metadata"]["annotations"][format!("kms.alibabacloud/{key}")] = json!(value);
        let message = ask(&pod).message().to_owned();
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn a_comment_that_looks_like_a_part_is_told() {
    for (secrets, is_told) in [
        ("password: kms://shop/db #password", true),
        ("password:\n  source: shop/db #password", true),
        ("- kms://shop/db #password", true),
        ("kms://shop/db #password", true),
        ("db: kms://shop/db # password", false),
        ("db: kms://shop/db #the whole secret", false),
        ("password: kms://shop/db#password #old", false),
        ("a: {source: kms://shop/db, fileMode: \"0400\"} #x", false),
    ] {
        let warnings = ask(&pod(&[("secrets", secrets)])).warnings();
        let words = "with a space before it #password is a comment";
        assert_eq!(warnings.contains(words), is_told, "{secrets}: {warnings}");
    }
    let mut pod = pod(&[("env", "A: kms://shop/db #password")]);
    pod["spec"]["containers"][0]["command"] = json!(["/app"]);
    assert!(ask(&pod).warnings().contains("is a comment"), "{}", ask(&pod).warnings());
}
