//! The webhook's process, with the rights that the chart gives it and no others.

use std::net::SocketAddr;
use std::process::Stdio;

use k8s_openapi::api::authentication::v1::TokenRequest;
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::PostParams;
use kube::{Api, Client};
use lab::api_server::{ApiServer, PATIENCE};
use lab::binary::beside;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::story::create;

pub(crate) const NAMESPACE: &str = "kms";
pub(crate) const NAME: &str = "injector";

pub(crate) struct Webhook {
    directory: TempDir,
    pub(crate) listen: SocketAddr,
    admin: SocketAddr,
    _child: Child,
}

impl Webhook {
    pub(crate) async fn start(server: &ApiServer, client: &Client) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let token = token(client).await;
        let kubeconfig = server.kubeconfig(&token, NAMESPACE).to_string();
        std::fs::write(directory.path().join("kubeconfig"), kubeconfig).unwrap();
        let log = std::fs::File::create(directory.path().join("log")).unwrap();
        let child = Command::new(beside("secrets-webhook").unwrap())
            .args(["serve", "--listen=127.0.0.1:0", "--admin=127.0.0.1:0"])
            .args(["--kubeconfig=kubeconfig", "--ready-file=ready.json", "--drain-seconds=0"])
            .args(["--webhook-configuration", NAME, "--service", NAME])
            .args(["--certificate-secret", "injector-certificate"])
            .args(["--setting=region=cn-hangzhou", "--setting=clusterId=c0123"])
            .arg("--setting=secretProviderClasses=read")
            .current_dir(directory.path())
            .env_clear()
            .stdin(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let ready = directory.path().join("ready.json");
        until("the webhook to listen", async || ready.exists()).await;
        let ready: Value = serde_json::from_slice(&std::fs::read(&ready).unwrap()).unwrap();
        let address = |name: &str| ready[name].as_str().unwrap().parse().unwrap();
        Self { listen: address("listen"), admin: address("admin"), directory, _child: child }
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap()
    }

    /// Status and body from the administrative port.
    pub(crate) async fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.admin).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        format!("{} {body}", head.split(' ').nth(1).unwrap())
    }

    pub(crate) async fn until_ready(&self) {
        let ready = async || self.get("/readyz").await == "200 ready\n";
        let wait = tokio::time::timeout(PATIENCE, async {
            while !ready().await {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        });
        if wait.await.is_err() {
            panic!("{}\n{}", self.get("/readyz").await, self.log());
        }
    }

    pub(crate) async fn metric(&self, name: &str) -> u64 {
        let text = self.get("/metrics").await;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0, |value| value.parse().unwrap())
    }
}

/// The account with its rights, and a token of it.
async fn token(client: &Client) -> String {
    let metadata = json!({"name": NAME, "namespace": NAMESPACE});
    let subjects = json!([{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}]);
    let role =
        |kind: &str| json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": NAME});
    let of = |groups: &str, resource: &str, verbs: &[&str]| json!({"apiGroups": [groups], "resources": [resource], "verbs": verbs});
    let named = |rule: Value, name: &str| {
        let mut rule = rule;
        rule["resourceNames"] = json!([name]);
        rule
    };
    let configurations = "mutatingwebhookconfigurations";
    for object in [
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}),
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": NAME}, "rules": [
            of("", "serviceaccounts", &["get", "list", "watch"]),
            of("secrets-store.csi.x-k8s.io", "secretproviderclasses", &["get"]),
            of("", "namespaces", &["get"]),
            named(of("admissionregistration.k8s.io", configurations, &["get", "watch", "patch"]), NAME),
        ]}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
        "metadata": metadata, "rules": [
            named(of("", "secrets", &["get", "watch", "patch", "create"]), "injector-certificate"),
        ]}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": NAME}, "subjects": subjects, "roleRef": role("ClusterRole")}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": metadata, "subjects": subjects, "roleRef": role("Role")}),
    ] {
        create(client, &object).await.unwrap();
    }
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), NAMESPACE);
    let request: TokenRequest =
        serde_json::from_value(json!({"spec": {"audiences": [], "expirationSeconds": 3600}}))
            .unwrap();
    let made = accounts.create_token_request(NAME, &PostParams::default(), &request).await.unwrap();
    made.status.unwrap().token
}

pub(crate) async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let wait = async {
        while !condition().await {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("waited for {what}"));
}
