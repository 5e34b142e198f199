//! An API server that knows ServiceAccounts: list in pages, watch, get; namespaces and
//! SecretProviderClasses: get; and that fails on demand.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::ops::Range;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::body::{Bytes, Frame};
use kube::{Client, Config};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

type Key = (String, String);

/// Ends with the test.
pub(crate) struct Api {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    server: tokio::task::JoinHandle<()>,
}

struct Shared {
    state: Mutex<Cluster>,
    /// Goes up with every change.
    version: watch::Sender<u64>,
    /// What gets wait for.
    open: watch::Sender<bool>,
}

#[derive(Default)]
struct Cluster {
    accounts: BTreeMap<Key, Value>,
    /// By name, with what their label says.
    namespaces: BTreeMap<String, String>,
    /// By version, namespace and name.
    classes: BTreeMap<(String, String, String), Value>,
    /// Since the last compaction, with the version that each led to.
    events: Vec<(u64, Value)>,
    compacted: u64,
    /// Which of the next requests of a kind fail, and how.
    faults: HashMap<&'static str, (Range<usize>, StatusCode)>,
    gets: usize,
    most_gets: usize,
    counts: HashMap<&'static str, usize>,
    pages: Vec<usize>,
    /// Watches of before this are over.
    epoch: usize,
}

impl Api {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (version, open) = (watch::Sender::new(1), watch::Sender::new(true));
        let shared = Arc::new(Shared { state: Mutex::default(), version, open });
        let router = Router::new()
            .route("/api/v1/serviceaccounts", get(all))
            .route("/api/v1/namespaces/{namespace}/serviceaccounts/{name}", get(one))
            .route("/api/v1/namespaces/{namespace}", get(namespace))
            .route(
                "/apis/secrets-store.csi.x-k8s.io/{version}/namespaces/{namespace}/secretproviderclasses/{name}",
                get(class),
            )
            .with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, shared, server }
    }

    pub(crate) fn client(&self) -> Client {
        let mut config = Config::new(format!("http://{}", self.address).parse().unwrap());
        config.default_retry = false;
        webhook::cluster::client::bounded(config).unwrap()
    }

    /// Creates or changes an account.
    pub(crate) fn set(&self, namespace: &str, name: &str, annotations: &[(&str, &str)]) {
        let version = *self.shared.version.borrow() + 1;
        let annotations: BTreeMap<_, _> = annotations.iter().copied().collect();
        let object = json!({
            "apiVersion": "meta.k8s.io/v1",
            "kind": "PartialObjectMetadata",
            "metadata": {"namespace": namespace, "name": name, "annotations": annotations,
                "resourceVersion": version.to_string(), "uid": format!("{namespace}.{name}"),
                "managedFields": [{"manager": "kubectl", "operation": "Update"}]},
        });
        let key = (namespace.to_owned(), name.to_owned());
        let mut state = self.state();
        let kind = if state.accounts.contains_key(&key) { "MODIFIED" } else { "ADDED" };
        state.accounts.insert(key, object.clone());
        state.events.push((version, json!({"type": kind, "object": object})));
        drop(state);
        self.shared.version.send_replace(version);
    }

    /// The same with so many labels, of a hundred bytes each.
    pub(crate) fn label(&self, namespace: &str, name: &str, labels: usize) {
        let label = |number| (format!("{number:050}"), json!("x".repeat(44)));
        let key = (namespace.to_owned(), name.to_owned());
        let mut state = self.state();
        let object = state.accounts.get_mut(&key).unwrap();
        object["metadata"]["labels"] =
            (0..labels).map(label).collect::<serde_json::Map<_, _>>().into();
    }

    pub(crate) fn role(&self, namespace: &str, name: &str, role: &str) {
        let arn = format!("acs:ram::1234567890123456:role/{role}");
        self.set(namespace, name, &[("ack.alibabacloud.com/role-arn", &arn)]);
    }

    pub(crate) fn delete(&self, namespace: &str, name: &str) {
        let version = *self.shared.version.borrow() + 1;
        let mut state = self.state();
        let mut object = state.accounts.remove(&(namespace.to_owned(), name.to_owned())).unwrap();
        object["metadata"]["resourceVersion"] = json!(version.to_string());
        state.events.push((version, json!({"type": "DELETED", "object": object})));
        drop(state);
        self.shared.version.send_replace(version);
    }

    /// A namespace whose label for injection is this.
    pub(crate) fn namespace(&self, name: &str, label: &str) {
        self.state().namespaces.insert(name.to_owned(), label.to_owned());
    }

    /// A class of the namespace shop, as this version alone is served.
    pub(crate) fn class(&self, version: &str, name: &str, spec: &Value) {
        let object = json!({"apiVersion": format!("secrets-store.csi.x-k8s.io/{version}"),
            "kind": "SecretProviderClass", "metadata": {"name": name, "namespace": "shop"},
            "spec": spec});
        let key = (version.to_owned(), "shop".to_owned(), name.to_owned());
        self.state().classes.insert(key, object);
    }

    /// Forgets the past, so that a watch from there is 410 Gone.
    pub(crate) fn compact(&self) {
        let mut state = self.state();
        state.compacted = *self.shared.version.borrow();
        state.events.clear();
    }

    /// Ends all watches, as a server that restarts does.
    pub(crate) fn disconnect(&self) {
        self.state().epoch += 1;
        self.shared.version.send_modify(|_| {});
    }

    /// How many of the next requests of a kind (`list`, `watch`, `get`, `namespace`, `class`) fail.
    pub(crate) fn fail(&self, kind: &'static str, which: Range<usize>, status: u16) {
        let status = StatusCode::from_u16(status).unwrap();
        self.state().faults.insert(kind, (which, status));
    }

    /// Gets are not answered from now on, or again.
    pub(crate) fn hold(&self, held: bool) {
        self.shared.open.send_replace(!held);
    }

    pub(crate) fn count(&self, kind: &str) -> usize {
        self.state().counts.get(kind).copied().unwrap_or_default()
    }

    /// How many accounts each page of a list has had.
    pub(crate) fn pages(&self) -> Vec<usize> {
        self.state().pages.clone()
    }

    /// The most gets that were waited for at once.
    pub(crate) fn most_gets(&self) -> usize {
        self.state().most_gets
    }

    fn state(&self) -> MutexGuard<'_, Cluster> {
        self.shared.state.lock().unwrap()
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Shared {
    /// Counts a request; the answer if it is to fail.
    fn enter(&self, kind: &'static str, headers: &HeaderMap) -> Option<Response> {
        let accept = headers["accept"].to_str().unwrap();
        let is_metadata = accept.contains("as=PartialObjectMetadata");
        assert_eq!(is_metadata, kind != "class", "{kind}: {accept}");
        let mut state = self.state.lock().unwrap();
        *state.counts.entry(kind).or_default() += 1;
        let (which, status) = state.faults.get_mut(kind)?;
        let (fails, status) = (which.contains(&0), *status);
        *which = which.start.saturating_sub(1)..which.end.saturating_sub(1);
        fails.then(|| failure(status, "InternalError", "a fault of the test"))
    }
}

async fn all(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let pairs = query.as_deref().unwrap_or_default().split('&');
    let query: HashMap<_, _> =
        pairs.filter_map(|pair| pair.split_once('=')).map(|(k, v)| (k.into(), v.into())).collect();
    if query.contains_key("watch") {
        return watched(shared, &query, &headers);
    }
    if let Some(failure) = shared.enter("list", &headers) {
        return failure;
    }
    let limit: usize = query["limit"].parse().unwrap();
    let skip: usize = query.get("continue").map_or(0, |token| token.parse().unwrap());
    let mut state = shared.state.lock().unwrap();
    let items: Vec<_> = state.accounts.values().skip(skip).take(limit).cloned().collect();
    let next = skip + items.len();
    let more = if next < state.accounts.len() { next.to_string() } else { String::new() };
    state.pages.push(items.len());
    let version = shared.version.borrow().to_string();
    answer(&json!({
        "apiVersion": "meta.k8s.io/v1",
        "kind": "PartialObjectMetadataList",
        "metadata": {"resourceVersion": version, "continue": more},
        "items": items,
    }))
}

fn watched(shared: Arc<Shared>, query: &HashMap<String, String>, headers: &HeaderMap) -> Response {
    if let Some(failure) = shared.enter("watch", headers) {
        return failure;
    }
    assert!(query.contains_key("allowWatchBookmarks") && query.contains_key("timeoutSeconds"));
    let mut from: u64 = query["resourceVersion"].parse().unwrap();
    let (lines, body) = mpsc::channel(16);
    tokio::spawn(async move {
        let mut versions = shared.version.subscribe();
        let epoch = shared.state.lock().unwrap().epoch;
        loop {
            versions.borrow_and_update();
            let news = {
                let state = shared.state.lock().unwrap();
                if state.epoch != epoch {
                    return;
                }
                if from < state.compacted {
                    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure",
                        "message": "too old resource version", "reason": "Expired", "code": 410});
                    vec![(u64::MAX, json!({"type": "ERROR", "object": status}))]
                } else {
                    state.events.iter().filter(|(at, _)| *at > from).cloned().collect()
                }
            };
            for (version, event) in news {
                if lines.send(Bytes::from(format!("{event}\n"))).await.is_err() {
                    return;
                }
                from = version;
            }
            if from == u64::MAX || versions.changed().await.is_err() {
                return;
            }
        }
    });
    ([("content-type", "application/json")], Body::new(Lines(body))).into_response()
}

async fn one(
    State(shared): State<Arc<Shared>>,
    Path(key): Path<Key>,
    headers: HeaderMap,
) -> Response {
    if let Some(failure) = shared.enter("get", &headers) {
        return failure;
    }
    // Looked up before the wait: what comes meanwhile is not in this answer.
    let found = {
        let mut state = shared.state.lock().unwrap();
        state.gets += 1;
        state.most_gets = state.most_gets.max(state.gets);
        state.accounts.get(&key).cloned()
    };
    let _ = shared.open.subscribe().wait_for(|open| *open).await;
    shared.state.lock().unwrap().gets -= 1;
    match found {
        Some(object) => answer(&object),
        None => failure(StatusCode::NOT_FOUND, "NotFound", "serviceaccounts not found"),
    }
}

async fn namespace(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    if let Some(failure) = shared.enter("namespace", &headers) {
        return failure;
    }
    let _ = shared.open.subscribe().wait_for(|open| *open).await;
    match shared.state.lock().unwrap().namespaces.get(&name) {
        Some(label) => answer(&json!({"kind": "PartialObjectMetadata", "metadata": {"name": name,
            "labels": {"kms.alibabacloud/injection": label}}})),
        None => failure(StatusCode::NOT_FOUND, "NotFound", "namespaces not found"),
    }
}

async fn class(
    State(shared): State<Arc<Shared>>,
    Path(key): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Response {
    if let Some(failure) = shared.enter("class", &headers) {
        return failure;
    }
    let _ = shared.open.subscribe().wait_for(|open| *open).await;
    match shared.state.lock().unwrap().classes.get(&key) {
        Some(object) => answer(object),
        // As an API server has it that does not serve the version.
        None => (StatusCode::NOT_FOUND, "404 page not found\n").into_response(),
    }
}

fn answer(body: &Value) -> Response {
    ([("content-type", "application/json")], body.to_string()).into_response()
}

fn failure(status: StatusCode, reason: &str, message: &str) -> Response {
    let body = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure",
        "message": message, "reason": reason, "code": status.as_u16()});
    (status, answer(&body)).into_response()
}

struct Lines(mpsc::Receiver<Bytes>);

impl hyper::body::Body for Lines {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|line| line.map(|line| Ok(Frame::data(line))))
    }
}
