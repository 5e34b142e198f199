//! What a chart would have put into the cluster, under names of its own for each test, and
//! replicas that may do no more than the webhook's ServiceAccount.

use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, SystemTime};

use certs::{Keeper, Lifetimes, Place, State, Target};
use k8s_openapi::ByteString;
use k8s_openapi::api::admissionregistration::v1::MutatingWebhookConfiguration;
use k8s_openapi::api::core::v1::{Namespace, Secret, ServiceAccount};
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use lab::api_server::{ApiServer, PATIENCE};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::{Mutex as AsyncMutex, watch};
use tokio::task::AbortHandle;

pub(crate) struct Stage {
    pub(crate) admin: Client,
    /// The client of the webhook's ServiceAccount.
    pub(crate) client: Client,
    pub(crate) place: Place,
    server: Shared,
}

/// One may stop it.
pub(crate) type Shared = Arc<AsyncMutex<ApiServer>>;

/// One keeper, which ends with it.
pub(crate) struct Replica {
    pub(crate) state: watch::Receiver<State>,
    task: AbortHandle,
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Replica {
    pub(crate) fn now(&self) -> State {
        self.state.borrow().clone()
    }

    pub(crate) async fn until(&mut self, what: &str, seen: impl Fn(&State) -> bool) -> State {
        let waited = tokio::time::timeout(PATIENCE, self.state.wait_for(|state| seen(state)));
        let waited = waited.await.map(|state| state.unwrap().clone());
        waited.unwrap_or_else(|_| panic!("not seen: {what}; {:?}", self.now()))
    }

    pub(crate) async fn until_ready(&mut self) -> State {
        self.until("ready", State::ready).await
    }
}

impl Stage {
    /// Everything but the configuration, which a chart puts there last.
    pub(crate) async fn set(server: Shared, name: &str) -> Self {
        let admin = server.lock().await.admin().await.unwrap();
        let configuration = format!("{name}-webhook");
        let secret = format!("{name}-certificate");
        let subject = json!([{"kind": "ServiceAccount", "name": "webhook", "namespace": name}]);
        let reference = |kind| json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": configuration});
        let meta = json!({"name": configuration});
        let cluster = Api::<Namespace>::all(admin.clone());
        make(&cluster, json!({"metadata": {"name": name}})).await;
        let accounts = Api::<ServiceAccount>::namespaced(admin.clone(), name);
        make(&accounts, json!({"metadata": {"name": "webhook"}})).await;
        make(
            &Api::<Role>::namespaced(admin.clone(), name),
            json!({"metadata": meta, "rules": [{
                "apiGroups": [""], "resources": ["secrets"], "resourceNames": [secret],
                "verbs": ["get", "watch", "patch", "create"],
            }]}),
        )
        .await;
        make(
            &Api::<RoleBinding>::namespaced(admin.clone(), name),
            json!({"metadata": meta, "subjects": subject, "roleRef": reference("Role")}),
        )
        .await;
        make(
            &Api::<ClusterRole>::all(admin.clone()),
            json!({"metadata": meta, "rules": [{
                "apiGroups": ["admissionregistration.k8s.io"],
                "resources": ["mutatingwebhookconfigurations"],
                "resourceNames": [configuration],
                "verbs": ["get", "watch", "patch"],
            }]}),
        )
        .await;
        make(
            &Api::<ClusterRoleBinding>::all(admin.clone()),
            json!({"metadata": meta, "subjects": subject, "roleRef": reference("ClusterRole")}),
        )
        .await;
        let token =
            json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}});
        let token: Value = accounts
            .create_subresource("token", "webhook", &PostParams::default(), &token)
            .await
            .unwrap();
        let client =
            server.lock().await.client(token["status"]["token"].as_str().unwrap()).await.unwrap();
        let target = Target {
            configuration,
            webhook: WEBHOOK.to_owned(),
            condition: "triggers".to_owned(),
            names: vec![format!("webhook.{name}.svc"), "localhost".to_owned()],
        };
        let place = Place { namespace: name.to_owned(), secret, target };
        Self { admin, client, place, server }
    }

    /// With the configuration as a chart makes it: another webhook before ours, no CA.
    pub(crate) async fn complete(server: Shared, name: &str) -> Self {
        let stage = Self::set(server, name).await;
        stage.install("https://localhost:1/mutate").await;
        stage
    }

    pub(crate) async fn install(&self, url: &str) {
        let webhook = |name: &str| {
            json!({
                "name": name,
                "clientConfig": {"url": url},
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "timeoutSeconds": 5,
                "namespaceSelector":
                    {"matchLabels": {"kubernetes.io/metadata.name": self.place.namespace}},
                "matchConditions": [{"name": "triggers", "expression": "true"}],
            })
        };
        let mut ours = webhook(WEBHOOK);
        ours["rules"] = json!([{
            "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"],
            "operations": ["CREATE"],
        }]);
        make(
            &self.configurations(),
            json!({
                "metadata": {"name": self.place.target.configuration},
                "webhooks": [webhook("other.example.com"), ours],
            }),
        )
        .await;
    }

    pub(crate) async fn uninstall(&self) {
        let name = &self.place.target.configuration;
        self.configurations().delete(name, &DeleteParams::default()).await.unwrap();
    }

    pub(crate) fn replica(&self, seed: u64) -> Replica {
        self.replica_for(seed, Lifetimes::default())
    }

    pub(crate) fn replica_for(&self, seed: u64, lifetimes: Lifetimes) -> Replica {
        self.replica_at(self.place.clone(), seed, lifetimes)
    }

    pub(crate) fn replica_at(&self, place: Place, seed: u64, lifetimes: Lifetimes) -> Replica {
        let client = self.client.clone();
        let (keeper, state) = Keeper::new(client, place, lifetimes, SystemTime::now, seed);
        let task = tokio::spawn(async move {
            keeper.run().await;
        });
        Replica { state, task: task.abort_handle() }
    }

    pub(crate) fn configurations(&self) -> Api<MutatingWebhookConfiguration> {
        Api::all(self.admin.clone())
    }

    pub(crate) fn secrets(&self) -> Api<Secret> {
        Api::namespaced(self.admin.clone(), &self.place.namespace)
    }

    pub(crate) async fn secret(&self) -> Option<Secret> {
        self.secrets().get_opt(&self.place.secret).await.unwrap()
    }

    pub(crate) async fn configuration(&self) -> MutatingWebhookConfiguration {
        self.configurations().get(&self.place.target.configuration).await.unwrap()
    }

    /// `caBundle` of our webhook.
    pub(crate) async fn bundle(&self) -> String {
        let webhooks = self.configuration().await.webhooks.unwrap();
        let ours = webhooks.into_iter().find(|webhook| webhook.name == WEBHOOK).unwrap();
        text(&ours.client_config.ca_bundle.unwrap_or_default())
    }

    /// As a person would with kubectl.
    pub(crate) async fn set_bundle(&self, bundle: &str) {
        let bundle = ByteString(bundle.as_bytes().to_vec());
        let patch = json!([
            {"op": "test", "path": "/webhooks/1/name", "value": WEBHOOK},
            {"op": "add", "path": "/webhooks/1/clientConfig/caBundle", "value": bundle},
        ]);
        let patch = Patch::Json::<()>(serde_json::from_value(patch).unwrap());
        let name = &self.place.target.configuration;
        self.configurations().patch(name, &PatchParams::default(), &patch).await.unwrap();
    }

    /// Ends the API server, and starts it again with what etcd has.
    pub(crate) async fn restart_server(&self) {
        let mut server = self.server.lock().await;
        server.stop().unwrap();
        server.start_again().unwrap();
        server.admin().await.unwrap();
    }

    pub(crate) async fn delete_secret(&self) {
        self.secrets().delete(&self.place.secret, &DeleteParams::default()).await.unwrap();
    }

    /// Looks again and again until it is so.
    pub(crate) async fn until<F: Future<Output = bool>>(&self, what: &str, so: impl Fn() -> F) {
        let waited = tokio::time::timeout(PATIENCE, async {
            while !so().await {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        assert!(waited.await.is_ok(), "not seen: {what}");
    }
}

/// The one that tests which run at the same time share; it ends with the last of them.
pub(crate) fn server() -> Option<Shared> {
    static SHARED: Mutex<Weak<AsyncMutex<ApiServer>>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap();
    if let Some(server) = shared.upgrade() {
        return Some(server);
    }
    let server = server_alone()?;
    *shared = Arc::downgrade(&server);
    Some(server)
}

pub(crate) fn server_alone() -> Option<Shared> {
    ApiServer::start().unwrap().map(|server| Arc::new(AsyncMutex::new(server)))
}

pub(crate) fn text(bytes: &ByteString) -> String {
    String::from_utf8(bytes.0.clone()).unwrap()
}

async fn make<K>(api: &Api<K>, object: Value)
where
    K: Clone + std::fmt::Debug + DeserializeOwned + serde::Serialize,
{
    let object = serde_json::from_value(object).unwrap();
    api.create(&PostParams::default(), &object).await.unwrap();
}

pub(crate) const WEBHOOK: &str = "pods.kms.alibabacloud";
