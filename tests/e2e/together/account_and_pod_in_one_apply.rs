//! A ServiceAccount and the Pod that uses it can come in one `kubectl apply`: nobody has to wait
//! until the webhook has heard of the account.

use serde_json::{Value, json};

use crate::pods::{app, password_sum, with};
use crate::stage::{Namespace, ROLE};

fn account(name: &str, annotations: &Value) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": { "name": name, "annotations": annotations },
    })
}

fn pod(name: &str) -> Value {
    let pod = app(name, "sha256sum < /mnt/secrets-store/password");
    with(pod, "/spec/serviceAccountName", json!(name))
}

fn list(items: &[Value]) -> Value {
    json!({ "apiVersion": "v1", "kind": "List", "items": items })
}

#[test]
fn an_account_that_did_not_exist() {
    let place = Namespace::opted_in("one-apply");
    let names: Vec<_> = (0..8).map(|index| format!("app-{index}")).collect();
    let role = json!({ "ack.alibabacloud.com/role-arn": ROLE });
    let items = names.iter().flat_map(|name| [account(name, &role), pod(name)]);
    let applied = place.apply(&list(&items.collect::<Vec<_>>()));
    assert!(applied.success, "{}", applied.stderr);
    for name in &names {
        place.succeeded(name);
        assert_eq!(place.logs(name, "app"), password_sum());
    }
}

#[test]
fn an_account_that_had_no_role() {
    let place = Namespace::opted_in("annotated-late");
    let names: Vec<_> = (0..8).map(|index| format!("app-{index}")).collect();
    let without: Vec<_> = names.iter().map(|name| account(name, &json!({}))).collect();
    assert!(place.apply(&list(&without)).success);
    // By now everybody knows the accounts, and that they have no role.
    for name in &names {
        assert!(place.refused(&pod(name)).contains("no RAM role is known"));
    }
    let role = json!({ "ack.alibabacloud.com/role-arn": ROLE });
    let items = names.iter().flat_map(|name| [account(name, &role), pod(name)]);
    let applied = place.apply(&list(&items.collect::<Vec<_>>()));
    assert!(applied.success, "{}", applied.stderr);
    place.succeeded(&names[0]);
}
