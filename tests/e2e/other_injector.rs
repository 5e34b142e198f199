//! An injector of somebody else: a webhook that this process serves inside the cluster's network,
//! and that changes the Pods of one namespace.

use std::fs::File;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use lab::cluster::{Look, NODE_ADDRESS, until};
use nix::sched::{CloneFlags, setns};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::pods::plain;
use crate::stage::{Namespace, PATIENCE, cluster, kubectl};

/// When it is asked: the API server goes by the names of the configurations.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Turn {
    BeforeUs,
    AfterUs,
}

/// Whether it is asked again about a Pod that others changed after it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Again {
    Never,
    IfNeeded,
}

/// At work until it is dropped.
pub(crate) struct OtherInjector {
    configuration: String,
    server: Option<Runtime>,
}

type Edit = dyn Fn(&mut Value) + Send + Sync;

impl OtherInjector {
    /// Returns when the API server asks it about every new Pod of the namespace.
    pub(crate) fn start(
        place: &Namespace,
        turn: Turn,
        again: Again,
        edit: impl Fn(&mut Value) + Send + Sync + 'static,
    ) -> Self {
        let listener = listen();
        let address = listener.local_addr().unwrap();
        let (ca, acceptor) = certificate();
        let asked = Arc::new(AtomicUsize::new(0));
        let server = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        server.spawn(serve(listener, acceptor, Arc::new(edit), asked.clone()));

        let first = match turn {
            Turn::BeforeUs => "a",
            Turn::AfterUs => "z",
        };
        let configuration = format!("{first}-{}", place.name);
        let webhook = json!({
            "name": "pods.other.example",
            "admissionReviewVersions": ["v1"],
            "clientConfig": { "url": format!("https://{address}/"), "caBundle": STANDARD.encode(ca) },
            "rules": [{
                "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"],
                "resources": ["pods"],
            }],
            "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": place.name } },
            "reinvocationPolicy": format!("{again:?}"),
            "sideEffects": "None",
            "timeoutSeconds": 30,
        });
        place.create(&json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "MutatingWebhookConfiguration",
            "metadata": { "name": configuration },
            "webhooks": [webhook],
        }));
        until("the other injector to be asked", PATIENCE, || {
            let tried = place.kubectl(&["create", "--dry-run=server", "-f", "-"]);
            let tried = tried.input(plain("probe", "true").to_string()).output()?;
            let asked = asked.load(Ordering::Relaxed) > 0;
            Ok(if asked { Look::Found(()) } else { Look::Missing(tried.stderr) })
        })
        .unwrap();
        Self { configuration, server: Some(server) }
    }
}

impl Drop for OtherInjector {
    fn drop(&mut self) {
        let configuration = ["delete", "mutatingwebhookconfiguration", &self.configuration];
        let _ = kubectl(&configuration).output();
        if let Some(server) = self.server.take() {
            server.shutdown_background();
        }
    }
}

/// A socket belongs to the network of the thread that made it.
fn listen() -> TcpListener {
    let made = thread::spawn(|| {
        let network = File::open(cluster().layout().network_namespace()).unwrap();
        setns(network, CloneFlags::CLONE_NEWNET).unwrap();
        let listener = TcpListener::bind((NODE_ADDRESS, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        listener
    });
    made.join().unwrap()
}

/// A CA of its own, as PEM, and a certificate for the node's address.
fn certificate() -> (String, TlsAcceptor) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let ca = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![NODE_ADDRESS.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    (ca, TlsAcceptor::from(Arc::new(config)))
}

async fn serve(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    edit: Arc<Edit>,
    asked: Arc<AtomicUsize>,
) {
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (acceptor, edit, asked) = (acceptor.clone(), edit.clone(), asked.clone());
        connections.spawn(async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let service = service_fn(|request| {
                asked.fetch_add(1, Ordering::Relaxed);
                answer(request, &*edit)
            });
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    edit: &Edit,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let body = request.into_body().collect().await?.to_bytes();
    let review: Value = serde_json::from_slice(&body).unwrap();
    let mut response = json!({ "uid": review["request"]["uid"], "allowed": true });
    let pod = &review["request"]["object"];
    let mut edited = pod.clone();
    edit(&mut edited);
    if edited != *pod {
        let patch = json!([{ "op": "replace", "path": "/spec", "value": edited["spec"] }]);
        response["patchType"] = json!("JSONPatch");
        response["patch"] = json!(STANDARD.encode(patch.to_string()));
    }
    let review = json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response,
    });
    Ok(Response::new(Full::new(Bytes::from(review.to_string()))))
}
