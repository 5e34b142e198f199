//! A namespace that enforces the strictest Pod Security level takes injected Pods.

use serde_json::{Value, json};

use crate::pods::{app, password_sum, with};
use crate::stage::Namespace;

fn restricted() -> Namespace {
    let place = Namespace::opted_in("restricted");
    for action in ["enforce", "warn", "audit"] {
        place.label(&format!("pod-security.kubernetes.io/{action}=restricted"));
    }
    place
}

/// As restricted as it has to be.
fn modest(name: &str) -> Value {
    let pod = app(name, "sha256sum < /mnt/secrets-store/password");
    let context = json!({
        "runAsNonRoot": true,
        "runAsUser": 1000,
        "seccompProfile": { "type": "RuntimeDefault" },
    });
    let own = json!({ "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] } });
    let pod = with(pod, "/spec/securityContext", context);
    with(pod, "/spec/containers/0/securityContext", own)
}

#[test]
fn without_a_word_of_warning() {
    let place = restricted();
    let said = place.create(&modest("once"));
    assert!(!said.contains("Warning"), "{said}");
    place.succeeded("once");
    assert_eq!(place.logs("once", "app"), password_sum());
}

#[test]
fn and_refuses_an_application_for_its_own_sake_alone() {
    let place = restricted();
    let said = place.refused(&with(
        modest("once"),
        "/spec/containers/0/securityContext/allowPrivilegeEscalation",
        json!(true),
    ));
    assert!(said.contains("violates PodSecurity \"restricted:latest\""), "{said}");
    assert!(said.contains("container \"app\" must set"), "{said}");
    assert!(!said.contains("kms-"), "{said}");
}
