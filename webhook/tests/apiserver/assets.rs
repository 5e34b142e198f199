//! etcd and kube-apiserver as processes of one test.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// Starting takes seconds, on a busy machine many.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Ends with the test.
pub(crate) struct ApiServer {
    directory: TempDir,
    binaries: PathBuf,
    port: u16,
    etcd_port: u16,
    api: Child,
    _etcd: Child,
}

impl ApiServer {
    /// `None` where the binaries are not to be had.
    pub(crate) async fn start() -> Option<Self> {
        let Some(binaries) = std::env::var_os("KUBEBUILDER_ASSETS").map(PathBuf::from) else {
            assert!(
                std::env::var("CI").as_deref() != Ok("true"),
                "KUBEBUILDER_ASSETS must name the directory of etcd and kube-apiserver"
            );
            println!("skipped: KUBEBUILDER_ASSETS does not name etcd and kube-apiserver");
            return None;
        };
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            std::fs::write(directory.path().join(name), text).unwrap();
        };
        let day = Duration::from_secs(24 * 60 * 60);
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let serving = certs::issue(&names, SystemTime::now(), day).unwrap();
        // A certificate is a public key to the API server.
        let tokens = certs::issue(&names, SystemTime::now(), day).unwrap();
        write("ca.crt", &serving.ca_pem);
        write("api.crt", &serving.cert_pem);
        write("api.key", serving.key.pem());
        write("tokens.crt", &tokens.cert_pem);
        write("tokens.key", tokens.key.pem());
        write("users", "admin-token,admin,admin,system:masters\n");
        let [etcd_port, peer_port, port] = free_ports();
        let at = |port: u16| format!("http://127.0.0.1:{port}");
        let etcd = Command::new(binaries.join("etcd"))
            .arg("--data-dir=etcd")
            .arg("--unsafe-no-fsync")
            .arg(format!("--listen-client-urls={}", at(etcd_port)))
            .arg(format!("--advertise-client-urls={}", at(etcd_port)))
            .arg(format!("--listen-peer-urls={}", at(peer_port)))
            .arg(format!("--initial-advertise-peer-urls={}", at(peer_port)))
            .arg(format!("--initial-cluster=default={}", at(peer_port)))
            .current_dir(directory.path())
            .stdin(Stdio::null())
            .stderr(std::fs::File::create(directory.path().join("etcd.log")).unwrap())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let api = run(&binaries, &directory, port, etcd_port);
        let server = Self { directory, binaries, port, etcd_port, api, _etcd: etcd };
        server.until_ready().await;
        Some(server)
    }

    /// As the administrator.
    pub(crate) async fn client(&self) -> Client {
        let kubeconfig: Kubeconfig =
            serde_json::from_value(self.kubeconfig("admin-token", "default")).unwrap();
        let options = KubeConfigOptions::default();
        let config = Config::from_custom_kubeconfig(kubeconfig, &options).await.unwrap();
        Client::try_from(config).unwrap()
    }

    pub(crate) fn kubeconfig(&self, token: &str, namespace: &str) -> serde_json::Value {
        let ca = self.directory.path().join("ca.crt");
        serde_json::json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {
                "server": format!("https://127.0.0.1:{}", self.port), "certificate-authority": ca,
            }}],
            "users": [{"name": "test", "user": {"token": token}}],
            "contexts": [{"name": "test", "context": {
                "cluster": "test", "user": "test", "namespace": namespace,
            }}],
        })
    }

    /// Ends the API server at once; etcd keeps what it has.
    pub(crate) async fn stop(&mut self) {
        self.api.kill().await.unwrap();
    }

    pub(crate) async fn start_again(&mut self) {
        self.api = run(&self.binaries, &self.directory, self.port, self.etcd_port);
        self.until_ready().await;
    }

    async fn until_ready(&self) {
        let client = self.client().await;
        let ready = async || {
            let request = hyper::Request::get("/readyz").body(Vec::new()).unwrap();
            client.request_text(request).await.is_ok_and(|text| text == "ok")
        };
        until("the API server to be ready", ready).await;
    }
}

fn run(binaries: &Path, directory: &TempDir, port: u16, etcd_port: u16) -> Child {
    Command::new(binaries.join("kube-apiserver"))
        .arg(format!("--etcd-servers=http://127.0.0.1:{etcd_port}"))
        .arg("--bind-address=127.0.0.1")
        .arg(format!("--secure-port={port}"))
        .args(["--cert-dir=made", "--tls-cert-file=api.crt", "--tls-private-key-file=api.key"])
        .arg("--service-account-key-file=tokens.crt")
        .arg("--service-account-signing-key-file=tokens.key")
        .arg("--service-account-issuer=https://kubernetes.default.svc")
        .args(["--authorization-mode=RBAC", "--token-auth-file=users"])
        .arg("--service-cluster-ip-range=10.0.0.0/24")
        .current_dir(directory.path())
        .stdin(Stdio::null())
        .stderr(std::fs::File::create(directory.path().join("api.log")).unwrap())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// Free a moment ago.
fn free_ports() -> [u16; 3] {
    let sockets = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    sockets.map(|socket| socket.local_addr().unwrap().port())
}

pub(crate) async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let wait = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("waited for {what}"));
}
