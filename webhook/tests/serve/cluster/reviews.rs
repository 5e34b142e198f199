//! Reviews of Pods whose role is their ServiceAccount's to say.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use webhook::cluster::accounts::accounts;
use webhook::cluster::directory::Directory;
use webhook::cluster::reader::Patience;
use webhook::cluster::watch;
use webhook::metrics::Metrics;
use webhook::serve::mutate::Judge;
use webhook::serve::server::Limits;
use webhook::settings::Inputs;

use crate::cluster::api::Api;
use crate::harness::{Lab, review, text, until};

struct Cluster {
    api: Api,
    lab: Lab,
}

impl Cluster {
    /// Nothing is in memory, so that every account is read.
    async fn start() -> Self {
        let api = Api::start().await;
        let lab = serve(&api, false).await;
        Self { api, lab }
    }

    async fn ask(&self, pod: &Value) -> Value {
        let body = json!({
            "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
            "request": {"uid": "1", "kind": {"group": "", "version": "v1", "kind": "Pod"},
                "operation": "CREATE", "namespace": "shop", "object": pod},
        });
        let answer = self.lab.http1().await.send_request(review(&body.to_string())).await.unwrap();
        let (status, body) = text(answer).await;
        assert_eq!(status, 200, "{body}");
        let answer: Value = serde_json::from_str(&body).unwrap();
        answer["response"].clone()
    }

    async fn denied(&self, pod: &Value, code: u16) -> String {
        let answer = self.ask(pod).await;
        assert_eq!((&answer["allowed"], &answer["status"]["code"]), (&json!(false), &json!(code)));
        answer["status"]["message"].as_str().unwrap().to_owned()
    }
}

async fn serve(api: &Api, watched: bool) -> Lab {
    let (accounts, writer) = accounts();
    let metrics = Arc::new(Metrics::in_cluster());
    if watched {
        tokio::spawn(watch::keep(api.client(), writer, Arc::clone(&metrics)));
        let synced = "\nsecrets_webhook_service_accounts_synced 1\n";
        until("the list", async || metrics.text().unwrap().contains(synced)).await;
    }
    // No test waits for a deadline, but the one about it.
    let patience = Patience { attempt: Duration::from_millis(200), ..Patience::default() };
    let directory = Directory::new(accounts, api.client(), patience, metrics);
    let flags =
        ["region=cn-hangzhou", "clusterId=c0123", "secretProviderClasses=read"].map(str::to_owned);
    let settings = Inputs::new(None, &flags, []).unwrap().load().unwrap();
    Lab::start_with(Judge::InCluster(Box::new(directory)), settings, Limits::default()).await
}

/// A Pod that does not say its role.
fn pod(more: &[(&str, &str)]) -> Value {
    let mut annotations = json!({"kms.alibabacloud/secrets": "a: kms://b"});
    for (key, value) in more {
        annotations[format!("kms.alibabacloud/{key}")] = json!(value);
    }
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "app", "annotations": annotations},
        "spec": {"serviceAccountName": "checkout", "containers": [{"name": "app", "image": "i"}]},
    })
}

fn uses(answer: &Value, role: &str) -> bool {
    assert_eq!(answer["allowed"], true, "{answer}");
    let patch = STANDARD.decode(answer["patch"].as_str().unwrap()).unwrap();
    String::from_utf8(patch).unwrap().contains(&format!(":role/{role}\\\""))
}

fn injected(answer: &Value, role: &str) {
    assert!(uses(answer, role), "{role}: {answer}");
}

#[tokio::test]
async fn the_accounts_role_is_used_whether_it_is_in_memory_or_new() {
    let cluster = Cluster::start().await;
    cluster.api.role("shop", "checkout", "one");
    injected(&cluster.ask(&pod(&[])).await, "one");
    assert_eq!(cluster.api.count("get"), 1);
    let lab = serve(&cluster.api, true).await;
    let cluster = Cluster { lab, ..cluster };
    injected(&cluster.ask(&pod(&[])).await, "one");
    assert_eq!(cluster.api.count("get"), 1);
}

#[tokio::test]
async fn nobody_is_asked_for_a_pod_that_says_its_role_or_asks_for_nothing() {
    let cluster = Cluster::start().await;
    let named = pod(&[("role-arn", "acs:ram::1234567890123456:role/own")]);
    injected(&cluster.ask(&named).await, "own");
    assert!(cluster.denied(&pod(&[("role-arn", "own")]), 400).await.contains("role ARN"));
    let mut plain = pod(&[]);
    plain["metadata"]["annotations"] = json!({"example.com/a": "b"});
    assert_eq!(cluster.ask(&plain).await["allowed"], true);
    assert_eq!(cluster.api.count("get"), 0);
}

#[tokio::test]
async fn an_account_that_is_missing_is_named_with_its_namespace() {
    let cluster = Cluster::start().await;
    cluster.api.role("other", "checkout", "one");
    assert_eq!(
        cluster.denied(&pod(&[]), 400).await,
        "ServiceAccount \"checkout\": there is none of this name in namespace \"shop\"; create it, or correct serviceAccountName"
    );
}

#[tokio::test]
async fn an_account_without_a_role_is_told_where_to_put_one() {
    let cluster = Cluster::start().await;
    cluster.api.set("shop", "checkout", &[("example.com/a", "b")]);
    let message = cluster.denied(&pod(&[]), 400).await;
    assert!(message.contains("ServiceAccount \"checkout\": no RAM role is known"), "{message}");
    assert!(message.contains("ack.alibabacloud.com/role-arn"), "{message}");
    let name = ("pod-identity.alibabacloud.com/role-name", "by-name");
    cluster.api.set("shop", "checkout", &[name]);
    assert!(cluster.denied(&pod(&[]), 400).await.contains("no account is known"));
}

#[tokio::test]
async fn an_account_that_cannot_be_read_is_a_denial_for_now_and_never_an_injection() {
    let cluster = Cluster::start().await;
    cluster.api.role("shop", "checkout", "one");
    cluster.api.fail("get", 0..100, 500);
    let message = cluster.denied(&pod(&[]), 503).await;
    assert_eq!(
        message.lines().next_back().unwrap().trim_start_matches("- "),
        "ServiceAccount \"checkout\" in namespace \"shop\": it could not be read, and this Pod's role is its to say: the API server could not be asked (500 a fault of the test); try again, or annotate the Pod with kms.alibabacloud/role-arn"
    );
    let first = message.lines().next().unwrap();
    assert!(first.contains("could not be read") && first.chars().count() <= 200, "{first}");
    let outcome = "secrets_webhook_admissions_total{outcome=\"unavailable\"}";
    assert_eq!(cluster.lab.count(outcome), 1);
    // What does not pass is the author's to correct, whatever the API says.
    let message = cluster.denied(&pod(&[("mode", "nonsense")]), 400).await;
    assert!(message.contains("nonsense") && message.contains("could not be read"), "{message}");
}

#[tokio::test]
async fn an_api_server_that_does_not_answer_is_a_denial_for_now() {
    let cluster = Cluster::start().await;
    cluster.api.hold(true);
    let message = cluster.denied(&pod(&[]), 503).await;
    assert!(message.contains("the API server did not answer in time"), "{message}");
    // The API server waits five seconds for us.
    assert!(Patience::default().whole < Duration::from_secs(3));
}

#[tokio::test]
async fn a_role_that_changes_is_the_new_one_for_the_next_pod() {
    let cluster = Cluster::start().await;
    cluster.api.role("shop", "checkout", "one");
    let lab = serve(&cluster.api, true).await;
    let cluster = Cluster { lab, ..cluster };
    injected(&cluster.ask(&pod(&[])).await, "one");
    cluster.api.role("shop", "checkout", "two");
    until("the change", async || uses(&cluster.ask(&pod(&[])).await, "two")).await;
    assert_eq!(cluster.api.count("get"), 0);
}

#[tokio::test]
async fn a_pod_gets_what_its_class_and_its_account_say_whether_in_memory_or_new() {
    let cluster = Cluster::start().await;
    cluster.api.namespace("shop", "enabled");
    cluster.api.role("shop", "checkout", "one");
    let objects = json!({"objects": "- objectName: of-the-class"});
    cluster.api.class("v1", "db", &json!({"provider": "alibabacloud", "parameters": objects}));
    let mut pod = pod(&[("secret-provider-class", "db")]);
    pod["metadata"]["annotations"].as_object_mut().unwrap().remove("kms.alibabacloud/secrets");
    for _ in 0..2 {
        let answer = cluster.ask(&pod).await;
        injected(&answer, "one");
        let patch = STANDARD.decode(answer["patch"].as_str().unwrap()).unwrap();
        assert!(String::from_utf8(patch).unwrap().contains("of-the-class"));
    }
    // The second Pod comes within a second of the first, or a little later.
    assert!(cluster.api.count("class") <= 2);
    cluster.api.namespace("shop", "disabled");
    pod["metadata"]["annotations"]["kms.alibabacloud/secret-provider-class"] = json!("other");
    assert!(cluster.denied(&pod, 400).await.contains("is not labelled"));
    cluster.api.fail("namespace", 0..100, 500);
    assert!(cluster.denied(&pod, 503).await.contains("could not be read"));
}
