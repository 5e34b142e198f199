//! etcd and a kube-apiserver from the directory in KUBEBUILDER_ASSETS, on free ports, for as long
//! as a test needs them.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant, SystemTime};

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::api::rbac::v1::ClusterRole;
use kube::config::{AuthInfo, Config};
use kube::{Api, Client};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

pub(crate) struct Server {
    folder: tempfile::TempDir,
    assets: PathBuf,
    ports: [u16; 3],
    ca: String,
    _etcd: Running,
    api: Mutex<Running>,
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // A process that has ended by itself is no worse.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Server {
    /// The one that tests which run at the same time share; it ends with the last of them.
    /// `None`, said aloud, where there are no programs for it.
    pub(crate) fn shared() -> Option<Arc<Self>> {
        static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap();
        if let Some(server) = shared.upgrade() {
            return Some(server);
        }
        let server = Arc::new(Self::start()?);
        *shared = Arc::downgrade(&server);
        Some(server)
    }

    pub(crate) fn start() -> Option<Self> {
        let Some(assets) = std::env::var_os("KUBEBUILDER_ASSETS") else {
            let ci = std::env::var("CI").is_ok_and(|value| value == "true");
            assert!(!ci, "KUBEBUILDER_ASSETS names no directory with etcd and kube-apiserver");
            eprintln!(
                "skipped: KUBEBUILDER_ASSETS names no directory with etcd and kube-apiserver"
            );
            return None;
        };
        let assets = PathBuf::from(assets);
        let folder = tempfile::tempdir().unwrap();
        let year = Duration::from_secs(365 * 24 * 3600);
        let issued = certs::issue(&["127.0.0.1".to_owned()], SystemTime::now(), year).unwrap();
        write(folder.path(), "tls.crt", &issued.cert_pem);
        write(folder.path(), "tls.key", issued.key.pem());
        // Any key will do for tokens; that of another certificate is one.
        let tokens = certs::issue(&["tokens".to_owned()], SystemTime::now(), year).unwrap();
        write(folder.path(), "tokens.crt", &tokens.cert_pem);
        write(folder.path(), "tokens.key", tokens.key.pem());
        write(folder.path(), "users.csv", "admin,admin,admin,system:masters\n");
        // All three at once, or the kernel could give one twice.
        let free = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let ports = free.map(|port| port.local_addr().unwrap().port());
        let etcd = etcd(&assets, folder.path(), ports);
        let api = Mutex::new(api(&assets, folder.path(), ports));
        let server = Self { folder, assets, ports, ca: issued.ca_pem, _etcd: etcd, api };
        Some(server)
    }

    /// Ends the API server, and starts it again with what etcd has.
    pub(crate) fn restart(&self) {
        let mut running = self.api.lock().unwrap();
        drop(running.0.kill());
        running.0.wait().unwrap();
        *running = api(&self.assets, self.folder.path(), self.ports);
    }

    pub(crate) fn client(&self, token: &str) -> Client {
        let url = format!("https://127.0.0.1:{}", self.ports[2]);
        let mut config = Config::new(url.parse().unwrap());
        let ca = CertificateDer::from_pem_slice(self.ca.as_bytes()).unwrap();
        config.root_cert = Some(vec![ca.to_vec()]);
        config.auth_info = AuthInfo { token: Some(token.to_owned().into()), ..AuthInfo::default() };
        Client::try_from(config).unwrap()
    }

    /// One who may do everything, once the API server answers.
    pub(crate) async fn admin(&self) -> Client {
        let client = self.client("admin");
        let begin = Instant::now();
        loop {
            if is_ready(&client).await {
                return client;
            }
            assert!(begin.elapsed() < PATIENCE, "{}", self.log());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    fn log(&self) -> String {
        let path = self.folder.path().join("kube-apiserver.log");
        let log = std::fs::read_to_string(path).unwrap_or_default();
        log.lines().rev().take(20).collect::<Vec<_>>().join("\n")
    }
}

/// What Kubernetes itself brings is there last.
async fn is_ready(client: &Client) -> bool {
    let roles = Api::<ClusterRole>::all(client.clone());
    let namespaces = Api::<Namespace>::all(client.clone());
    roles.get("system:discovery").await.is_ok() && namespaces.get("default").await.is_ok()
}

fn etcd(assets: &Path, folder: &Path, [client, peer, _]: [u16; 3]) -> Running {
    let [client, peer] = [client, peer].map(|port| format!("http://127.0.0.1:{port}"));
    run(
        assets,
        folder,
        "etcd",
        &[
            format!("--data-dir={}", folder.join("etcd").display()),
            format!("--listen-client-urls={client}"),
            format!("--advertise-client-urls={client}"),
            format!("--listen-peer-urls={peer}"),
            format!("--initial-advertise-peer-urls={peer}"),
            format!("--initial-cluster=default={peer}"),
            "--unsafe-no-fsync".to_owned(),
        ],
    )
}

fn api(assets: &Path, folder: &Path, [etcd, _, port]: [u16; 3]) -> Running {
    let file = |name: &str| folder.join(name).display().to_string();
    run(
        assets,
        folder,
        "kube-apiserver",
        &[
            format!("--etcd-servers=http://127.0.0.1:{etcd}"),
            "--bind-address=127.0.0.1".to_owned(),
            format!("--secure-port={port}"),
            format!("--tls-cert-file={}", file("tls.crt")),
            format!("--tls-private-key-file={}", file("tls.key")),
            format!("--token-auth-file={}", file("users.csv")),
            "--authorization-mode=RBAC".to_owned(),
            "--service-account-issuer=https://issuer.example".to_owned(),
            format!("--service-account-key-file={}", file("tokens.crt")),
            format!("--service-account-signing-key-file={}", file("tokens.key")),
            "--service-cluster-ip-range=10.96.0.0/16".to_owned(),
        ],
    )
}

fn run(assets: &Path, folder: &Path, program: &str, arguments: &[String]) -> Running {
    let log = folder.join(format!("{program}.log"));
    let log = std::fs::File::options().create(true).append(true).open(log).unwrap();
    let path = assets.join(program);
    let child = Command::new(&path)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn();
    Running(child.unwrap_or_else(|error| panic!("running {}: {error}", path.display())))
}

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).unwrap();
}

/// It starts in seconds on a machine that does nothing else.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);
