//! Clusters without RRSA: Pods prove their identity with a Secret of their namespace or as their node,
//! where a rule of the operator names that, and not before.

use std::time::Duration;

use lab::cluster::{Look, until};
use serde_json::{Value, json};

use crate::install::helm;
use crate::pods::{annotated, app, checks_files};
use crate::release::at_work;
use crate::stage::Namespace;

/// The kubelet brings changed settings to the replicas after its syncFrequency, at most.
const KUBELET: Duration = Duration::from_secs(3 * 60);

/// The sets of keys that users have, as they stand in the documents.
const SETS: [(&str, &[(&str, &str)]); 4] = [
    ("keys", &[("id", "LTAIlabReader0001"), ("secret", "keyOfTheReaderInTheLab")]),
    (
        "provider",
        &[("access_key", "LTAIlabReader0001"), ("access_secret", "keyOfTheReaderInTheLab")],
    ),
    (
        "keys-and-role",
        &[
            ("id", "LTAIlabReader0001"),
            ("secret", "keyOfTheReaderInTheLab\n"),
            ("rolearn", "acs:ram::1234567890123456:role/assumed"),
        ],
    ),
    (
        "role-and-provider",
        &[
            ("rolearn", "acs:ram::1234567890123456:role/app"),
            ("oidcproviderarn", "acs:ram::1234567890123456:oidc-provider/ack-rrsa-clab"),
        ],
    ),
];

#[test]
fn with_each_set_of_keys_and_as_the_node() {
    let place = Namespace::opted_in("without-rrsa");
    let refused = place.refused(&pod("before", "secret=keys"));
    assert!(refused.contains("may not use secret/keys by secret"), "{refused}");

    let rule = json!([{
        "name": "all", "namespaces": ["*"], "roles": ["*"],
        "credentials": ["rrsa", "secret", "ecs-ram-role"],
    }]);
    helm("upgrade", &["--set-json", &format!("settings.policy={rule}")]).run().unwrap();
    for (name, keys) in SETS {
        place.create(&secret(name, keys));
    }
    until("the rule to reach both replicas", KUBELET, || {
        for _ in 0..10 {
            let output = place.kubectl(&["create", "--dry-run=server", "-f", "-"]);
            let output = output.input(pod("asked", "secret=keys").to_string()).output()?;
            if !output.success {
                return Ok(Look::Missing(output.stderr));
            }
        }
        Ok(Look::Found(()))
    })
    .unwrap();

    let by_secret = SETS.iter().map(|(name, _)| ((*name).to_owned(), format!("secret={name}")));
    let by_node = [("node", "ecs-ram-role"), ("named", "ecs-ram-role=KubernetesWorkerRole-lab")];
    let by_node = by_node.map(|(name, credentials)| (name.to_owned(), credentials.to_owned()));
    let all: Vec<_> = by_secret.chain(by_node).collect();
    for (name, credentials) in &all {
        place.create(&pod(name, credentials));
    }
    for (name, _) in &all {
        place.succeeded(name);
        assert_eq!(place.logs(name, "app"), "db.json: OK\npassword: OK\nbinary: OK\ntoken: OK\n");
    }

    // What is wrong is told by the Secret and the key, without what is in it.
    place.create(&secret("half", &[("id", "LTAIlabReader0001")]));
    place.create(&pod("half", "secret=half"));
    place.phase("half", "Failed");
    let ended = place.ended("half");
    assert_eq!(ended.code, 11, "{}", ended.message);
    let words = "the credentials in Secret half cannot be used: it has the key id and lacks secret";
    assert!(ended.message.contains(words), "{}", ended.message);

    helm("upgrade", &[]).run().unwrap();
    at_work(&place);
}

fn pod(name: &str, credentials: &str) -> Value {
    annotated(app(name, &checks_files()), &[("credentials", credentials)])
}

fn secret(name: &str, keys: &[(&str, &str)]) -> Value {
    let keys: serde_json::Map<_, _> =
        keys.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
    json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name }, "stringData": keys,
    })
}
