//! The kubelet expands `$(NAME)` and `$$` in the environment of containers. Plans survive that.

use lab::cloud::SecretSeed;
use lab::fetcher::{ACCOUNT, NAMESPACE};
use lab::kubelet::Sandbox;
use lab::manifest;
use lab::stage::{Stage, pod};
use serde_json::{Value, json};

const MOUNT: &str = "/mnt/$(HOME)/$$/a$b";
const NAMES: [&str; 6] = ["$(HOME)", "$$", "a$", "$$(HOME)", "$(SECRETS_INJECTOR_PLAN)", "$1"];

/// Other webhooks add variables in front of ours.
fn with_variables(mut pod: Value) -> Value {
    for container in pod["spec"]["initContainers"].as_array_mut().unwrap() {
        let env = container["env"].as_array_mut().unwrap();
        env.insert(0, json!({ "name": "HOME", "value": "/root" }));
    }
    pod
}

#[tokio::test(flavor = "multi_thread")]
async fn dollars_in_names_paths_and_expressions_arrive_unchanged() {
    let stage = Stage::start().await.unwrap();
    let value = r#"{"$(HOME)": "$(HOME) $$", "plain": "p"}"#;
    stage.cloud.put_secret(ACCOUNT, SecretSeed::text("shop/dollars", value)).unwrap();
    let mut secrets = serde_json::Map::new();
    for name in NAMES {
        secrets.insert(name.to_owned(), json!("kms://shop/dollars#plain"));
    }
    secrets.insert("selected".to_owned(), json!(r#"kms://shop/dollars#"$(HOME)""#));
    let pod = pod(&[("secrets", &Value::Object(secrets).to_string()), ("mount-path", MOUNT)]);

    let injected = stage.webhook.admit(&pod, NAMESPACE).await.unwrap();
    let ours = manifest::container(&injected, "kms-secrets-init").unwrap();
    let written = ours["env"][0]["value"].as_str().unwrap();
    assert!(!written.contains('$'), "{written}");

    let sandbox = Sandbox::new(&stage.cloud, &with_variables(injected.clone()), NAMESPACE).unwrap();
    let variables = sandbox.variables().unwrap();
    assert_eq!(variables["HOME"], "/root");
    assert_eq!(variables["SECRETS_INJECTOR_PLAN"], written);
    let plan = plan::Plan::decode(&variables["SECRETS_INJECTOR_PLAN"]).unwrap();
    assert_eq!(plan.mount().as_str(), MOUNT);

    let ended = sandbox.run().await.unwrap();
    assert_eq!(ended.code(), Some(0), "{}", ended.said());
    assert_eq!(sandbox.mount("app").unwrap(), sandbox.path(MOUNT));
    let files = sandbox.files("app").unwrap();
    for name in NAMES {
        assert_eq!(files[name].content, b"p", "{name}");
    }
    assert_eq!(files["selected"].content, b"$(HOME) $$");
    assert_eq!(files.len(), NAMES.len() + 1);
}
