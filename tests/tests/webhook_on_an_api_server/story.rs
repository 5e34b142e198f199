//! What happens to Pods, step by step in one cluster: it takes seconds to start one.

use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::core::{DynamicObject, TypeMeta};
use kube::discovery::ApiResource;
use kube::{Api, Client};
use lab::api_server::ApiServer;
use serde_json::{Value, json};

use crate::webhook::{NAME, NAMESPACE, Webhook, until};

/// Creates an object of any kind.
pub(crate) async fn create(client: &Client, object: &Value) -> kube::Result<Value> {
    let namespace = object["metadata"]["namespace"].as_str();
    let object: DynamicObject = serde_json::from_value(object.clone()).unwrap();
    let kind = object.types.clone().unwrap();
    let made = api(client, &kind, namespace).create(&PostParams::default(), &object).await?;
    Ok(serde_json::to_value(made).unwrap())
}

fn api(client: &Client, kind: &TypeMeta, namespace: Option<&str>) -> Api<DynamicObject> {
    let resource = ApiResource::from_gvk(&kind.try_into().unwrap());
    match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    }
}

fn configurations(client: &Client) -> Api<DynamicObject> {
    let kind = TypeMeta {
        api_version: "admissionregistration.k8s.io/v1".to_owned(),
        kind: "MutatingWebhookConfiguration".to_owned(),
    };
    api(client, &kind, None)
}

fn accounts(client: &Client) -> Api<DynamicObject> {
    let kind = TypeMeta { api_version: "v1".to_owned(), kind: "ServiceAccount".to_owned() };
    api(client, &kind, Some("shop"))
}

fn account(name: &str, role: Option<&str>) -> Value {
    let mut account = json!({"apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {"name": name, "namespace": "shop"}});
    if let Some(role) = role {
        let arn = format!("acs:ram::1234567890123456:role/{role}");
        account["metadata"]["annotations"] = json!({"ack.alibabacloud.com/role-arn": arn});
    }
    account
}

fn pod(name: &str, account: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop",
            "annotations": {"kms.alibabacloud/secrets": "a: kms://b"}},
        "spec": {"serviceAccountName": account, "containers": [{"name": "app", "image": "i"}]},
    })
}

/// The role in the plan of an injected Pod.
fn role(pod: &Value) -> String {
    let ours = &pod["spec"]["initContainers"][0];
    assert_eq!(ours["name"], "kms-secrets-init", "{pod}");
    let plan = ours["env"][0]["value"].as_str().unwrap();
    let plan = plan::Plan::decode(plan).unwrap();
    plan.credentials().unwrap().principal().text().rsplit('/').next().unwrap().to_owned()
}

/// What the chart would install, for a webhook that this machine reaches at its port.
async fn install(client: &Client, webhook: &Webhook) {
    let metadata = json!({"name": NAME, "namespace": NAMESPACE});
    for object in [
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop",
            "labels": {"kms.alibabacloud/injection": "enabled"}}}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata,
            "spec": {"type": "ExternalName", "externalName": "localhost"}}),
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "MutatingWebhookConfiguration",
            "metadata": {"name": NAME},
            "webhooks": [{
                "name": "pods.kms.alibabacloud",
                "admissionReviewVersions": ["v1"], "sideEffects": "None", "failurePolicy": "Fail",
                "reinvocationPolicy": "IfNeeded", "timeoutSeconds": 5,
                "clientConfig": {"service": {"name": NAME, "namespace": NAMESPACE,
                    "path": "/mutate", "port": webhook.listen.port()}},
                "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"],
                    "operations": ["CREATE"], "scope": "Namespaced"}],
                "namespaceSelector": {"matchLabels": {"kms.alibabacloud/injection": "enabled"}},
                "matchConditions": [{"name": "triggers", "expression":
                    "has(object.metadata.annotations) && object.metadata.annotations.exists(k, k.startsWith('kms.alibabacloud/'))"}],
            }],
        }),
    ] {
        create(client, &object).await.unwrap();
    }
}

#[tokio::test]
async fn a_webhook_bootstraps_itself_and_injects_by_the_roles_of_service_accounts() {
    let Some(mut server) = ApiServer::start().unwrap() else { return };
    let client = server.admin().await.unwrap();
    let webhook = Webhook::start(&server, &client).await;
    let not_ready = webhook.get("/readyz").await;
    assert!(not_ready.starts_with("503 not ready: there is no certificate yet"), "{not_ready}");
    let found = "MutatingWebhookConfiguration injector with the match condition triggers was not";
    assert!(not_ready.contains(found), "{not_ready}");
    install(&client, &webhook).await;
    webhook.until_ready().await;

    an_account_and_its_pod_can_be_created_in_one_breath(&client).await;
    a_change_of_an_account_reaches_the_next_pod(&client, &webhook).await;
    a_class_stands_for_annotations(&client).await;
    a_denial_reaches_the_author_and_the_log(&client, &webhook).await;
    what_is_taken_from_the_configuration_is_missed_or_put_back(&client, &webhook).await;
    a_restart_of_the_api_server_changes_nothing(&mut server, &webhook).await;
    assert_eq!(webhook.get("/healthz").await, "200 ok\n");
    let log = webhook.log();
    assert!(!log.contains("PRIVATE KEY") && !log.contains("\"ERROR\""), "{log}");
}

async fn an_account_and_its_pod_can_be_created_in_one_breath(client: &Client) {
    for number in 0..20 {
        let (name, role_name) = (format!("app-{number}"), format!("role-{number}"));
        create(client, &account(&name, Some(&role_name))).await.unwrap();
        let made = create(client, &pod(&name, &name)).await.unwrap();
        assert_eq!(role(&made), role_name);
    }
}

async fn a_change_of_an_account_reaches_the_next_pod(client: &Client, webhook: &Webhook) {
    let synced = "secrets_webhook_service_accounts_synced";
    until("the list", async || webhook.metric(synced).await == 1).await;
    let known = "secrets_webhook_service_accounts";
    until("all accounts", async || webhook.metric(known).await == 20).await;
    let reads = "secrets_webhook_service_account_reads_total{result=\"found\"}";
    let before = webhook.metric(reads).await;
    let made = create(client, &pod("from-memory", "app-0")).await.unwrap();
    assert_eq!(role(&made), "role-0");
    assert_eq!(webhook.metric(reads).await, before);

    let arn = "acs:ram::1234567890123456:role/other";
    let change = json!({"metadata": {"annotations": {"ack.alibabacloud.com/role-arn": arn}}});
    let params = PatchParams::default();
    accounts(client).patch("app-0", &params, &Patch::Merge(&change)).await.unwrap();
    accounts(client).delete("app-1", &DeleteParams::default()).await.unwrap();
    until("the end of an account", async || webhook.metric(known).await == 19).await;
    // Its events come in order, so that the change before it is known as well.
    let made = create(client, &pod("changed", "app-0")).await.unwrap();
    assert_eq!(role(&made), "other");
}

/// The kind of object that the CSI driver installs, as far as it is read.
fn kind_of_classes() -> Value {
    let schema = json!({"openAPIV3Schema": {"type": "object", "properties": {"spec": {
        "type": "object", "x-kubernetes-preserve-unknown-fields": true}}}});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "secretproviderclasses.secrets-store.csi.x-k8s.io"},
        "spec": {
            "group": "secrets-store.csi.x-k8s.io", "scope": "Namespaced",
            "names": {"kind": "SecretProviderClass", "plural": "secretproviderclasses",
                "singular": "secretproviderclass", "listKind": "SecretProviderClassList"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema}],
        },
    })
}

async fn a_class_stands_for_annotations(client: &Client) {
    let mut pod = pod("of-a-class", "app-0");
    pod["metadata"]["annotations"] = json!({"kms.alibabacloud/secret-provider-class": "db"});
    // Neither the kind nor the class is there.
    let error = create(client, &pod).await.unwrap_err().to_string();
    assert!(error.contains("there is no SecretProviderClass db in namespace"), "{error}");
    create(client, &kind_of_classes()).await.unwrap();
    let class = json!({"apiVersion": "secrets-store.csi.x-k8s.io/v1", "kind": "SecretProviderClass",
        "metadata": {"name": "db", "namespace": "shop"},
        "spec": {"provider": "alibabacloud", "parameters": {"objects": "- objectName: of/db"}}});
    until("the kind to be served", async || create(client, &class).await.is_ok()).await;
    let made = create(client, &pod).await.unwrap();
    let plan = made["spec"]["initContainers"][0]["env"][0]["value"].as_str().unwrap();
    let plan = plan::Plan::decode(plan).unwrap();
    assert_eq!(plan.files()[0].name.as_str(), "of_db");
}

async fn a_denial_reaches_the_author_and_the_log(client: &Client, webhook: &Webhook) {
    create(client, &account("plain", None)).await.unwrap();
    let error = create(client, &pod("denied", "plain")).await.unwrap_err().to_string();
    assert!(error.contains("admission webhook \"pods.kms.alibabacloud\" denied"), "{error}");
    assert!(error.contains("ServiceAccount \"plain\": no RAM role is known"), "{error}");
    let log = webhook.log();
    let line = log.lines().find(|line| line.contains("\"name\":\"denied\"")).unwrap();
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!((&line["namespace"], &line["outcome"]), (&json!("shop"), &json!("denied")));
    let reason = line["reason"].as_str().unwrap();
    assert!(reason.starts_with("ServiceAccount \"plain\": no RAM role is known"), "{reason}");
    create(client, &pod("missing", "nobody")).await.unwrap_err();
}

async fn what_is_taken_from_the_configuration_is_missed_or_put_back(
    client: &Client,
    webhook: &Webhook,
) {
    let configurations = configurations(client);
    let params = PatchParams::default();
    let edit = async |operations: Value| {
        let patch: json_patch::Patch = serde_json::from_value(operations).unwrap();
        configurations.patch(NAME, &params, &Patch::<()>::Json(patch)).await.unwrap()
    };
    let conditions =
        configurations.get(NAME).await.unwrap().data["webhooks"][0]["matchConditions"].clone();
    edit(json!([{"op": "remove", "path": "/webhooks/0/matchConditions"}])).await;
    let missed = "503 not ready: webhook pods.kms.alibabacloud of MutatingWebhookConfiguration";
    until("the condition to be missed", async || webhook.get("/readyz").await.starts_with(missed))
        .await;
    let path = "/webhooks/0/matchConditions";
    edit(json!([{"op": "add", "path": path, "value": conditions}])).await;
    webhook.until_ready().await;

    edit(json!([{"op": "remove", "path": "/webhooks/0/clientConfig/caBundle"}])).await;
    until("caBundle to be put back", async || {
        let found = configurations.get(NAME).await.unwrap();
        found.data["webhooks"][0]["clientConfig"]["caBundle"].is_string()
    })
    .await;
    webhook.until_ready().await;
    // The API server reads its configurations by a watch, which may be a moment behind.
    until("the API server to trust it again", async || {
        create(client, &pod("after-all", "app-2")).await.is_ok()
    })
    .await;
}

async fn a_restart_of_the_api_server_changes_nothing(server: &mut ApiServer, webhook: &Webhook) {
    server.stop().unwrap();
    let failures = "secrets_webhook_service_account_watch_failures_total";
    until("the watch to fail", async || webhook.metric(failures).await > 0).await;
    assert_eq!(webhook.get("/readyz").await, "200 ready\n");
    server.start_again().unwrap();
    let client = server.admin().await.unwrap();
    create(&client, &account("afterwards", Some("new"))).await.unwrap();
    let made = create(&client, &pod("afterwards", "afterwards")).await.unwrap();
    assert_eq!(role(&made), "new");
    let known = "secrets_webhook_service_accounts";
    until("the watch to go on", async || webhook.metric(known).await == 20).await;
}
