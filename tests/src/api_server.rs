//! etcd and kube-apiserver alone, without nodes, for what needs nothing else of a cluster.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, bail};
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::api::rbac::v1::ClusterRole;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Starting takes seconds, on a busy machine many.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// Both processes end with it.
pub struct ApiServer {
    directory: TempDir,
    programs: PathBuf,
    ports: Ports,
    api: Running,
    _etcd: Running,
}

struct Ports {
    api: u16,
    etcd: u16,
    etcd_peers: u16,
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended by itself is no worse.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl ApiServer {
    /// Starts the programs in the directory that `KUBEBUILDER_ASSETS` names. Where it names none this
    /// is `None`, said aloud; under `CI=true` that is an error.
    pub fn start() -> Result<Option<Self>> {
        let Some(programs) = std::env::var_os("KUBEBUILDER_ASSETS") else {
            let missing = "KUBEBUILDER_ASSETS names no directory with etcd and kube-apiserver";
            if std::env::var("CI").is_ok_and(|value| value == "true") {
                bail!("{missing}: `hack/components` prints one");
            }
            writeln!(std::io::stderr(), "skipped: {missing}")?;
            return Ok(None);
        };
        let programs = PathBuf::from(programs);
        let directory = TempDir::new()?;
        write_keys(directory.path())?;
        let ports = Ports::free()?;
        let _etcd = start_etcd(&programs, directory.path(), &ports)?;
        let api = start_api(&programs, directory.path(), &ports)?;
        Ok(Some(Self { directory, programs, ports, api, _etcd }))
    }

    /// Ends the API server at once; etcd keeps what it has.
    pub fn stop(&mut self) -> Result<()> {
        self.api.0.kill()?;
        self.api.0.wait()?;
        Ok(())
    }

    pub fn start_again(&mut self) -> Result<()> {
        self.api = start_api(&self.programs, self.directory.path(), &self.ports)?;
        Ok(())
    }

    /// The client of a user who may do everything, once the API server answers.
    pub async fn admin(&self) -> Result<Client> {
        let client = self.client("admin-token").await?;
        let ready = tokio::time::timeout(PATIENCE, async {
            while !is_ready(&client).await {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        ready.await.with_context(|| format!("the API server is not ready; {}", self.log()))?;
        Ok(client)
    }

    pub async fn client(&self, token: &str) -> Result<Client> {
        let kubeconfig: Kubeconfig = serde_json::from_value(self.kubeconfig(token, "default"))?;
        let options = KubeConfigOptions::default();
        let config = Config::from_custom_kubeconfig(kubeconfig, &options).await?;
        Ok(Client::try_from(config)?)
    }

    pub fn kubeconfig(&self, token: &str, namespace: &str) -> Value {
        let ca = self.directory.path().join("ca.crt");
        json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "lab",
            "clusters": [{"name": "lab", "cluster": {
                "server": format!("https://127.0.0.1:{}", self.ports.api),
                "certificate-authority": ca,
            }}],
            "users": [{"name": "lab", "user": {"token": token}}],
            "contexts": [{"name": "lab", "context": {
                "cluster": "lab", "user": "lab", "namespace": namespace,
            }}],
        })
    }

    /// The last lines of its log.
    fn log(&self) -> String {
        let log = fs::read_to_string(self.directory.path().join("kube-apiserver.log"));
        let log = log.unwrap_or_default();
        let mut lines: Vec<_> = log.lines().rev().take(20).collect();
        lines.reverse();
        lines.join("\n")
    }
}

impl Ports {
    /// Free a moment ago.
    fn free() -> Result<Self> {
        let bind = || TcpListener::bind("127.0.0.1:0");
        // All at once, or the kernel could give one twice.
        let (api, etcd, peers) = (bind()?, bind()?, bind()?);
        let port = |listener: &TcpListener| listener.local_addr().map(|address| address.port());
        Ok(Self { api: port(&api)?, etcd: port(&etcd)?, etcd_peers: port(&peers)? })
    }
}

/// What Kubernetes itself brings is there last.
async fn is_ready(client: &Client) -> bool {
    let roles = Api::<ClusterRole>::all(client.clone());
    let namespaces = Api::<Namespace>::all(client.clone());
    roles.get("system:discovery").await.is_ok() && namespaces.get("default").await.is_ok()
}

fn write_keys(directory: &Path) -> Result<()> {
    let day = Duration::from_secs(24 * 60 * 60);
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let serving = certs::issue(&names, SystemTime::now(), day)?;
    // The API server takes a certificate for a public key.
    let tokens = certs::issue(&names, SystemTime::now(), day)?;
    for (name, text) in [
        ("ca.crt", serving.ca_pem.as_str()),
        ("api.crt", &serving.cert_pem),
        ("api.key", serving.key.pem()),
        ("tokens.crt", &tokens.cert_pem),
        ("tokens.key", tokens.key.pem()),
        ("users", "admin-token,admin,admin,system:masters\n"),
    ] {
        fs::write(directory.join(name), text)?;
    }
    Ok(())
}

fn start_etcd(programs: &Path, directory: &Path, ports: &Ports) -> Result<Running> {
    let [clients, peers] =
        [ports.etcd, ports.etcd_peers].map(|port| format!("http://127.0.0.1:{port}"));
    run(
        programs,
        directory,
        "etcd",
        &[
            "--data-dir=etcd".to_owned(),
            "--unsafe-no-fsync".to_owned(),
            format!("--listen-client-urls={clients}"),
            format!("--advertise-client-urls={clients}"),
            format!("--listen-peer-urls={peers}"),
            format!("--initial-advertise-peer-urls={peers}"),
            format!("--initial-cluster=default={peers}"),
        ],
    )
}

fn start_api(programs: &Path, directory: &Path, ports: &Ports) -> Result<Running> {
    run(
        programs,
        directory,
        "kube-apiserver",
        &[
            format!("--etcd-servers=http://127.0.0.1:{}", ports.etcd),
            "--bind-address=127.0.0.1".to_owned(),
            format!("--secure-port={}", ports.api),
            "--cert-dir=made".to_owned(),
            "--tls-cert-file=api.crt".to_owned(),
            "--tls-private-key-file=api.key".to_owned(),
            "--service-account-key-file=tokens.crt".to_owned(),
            "--service-account-signing-key-file=tokens.key".to_owned(),
            "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
            "--authorization-mode=RBAC".to_owned(),
            "--token-auth-file=users".to_owned(),
            "--service-cluster-ip-range=10.0.0.0/24".to_owned(),
        ],
    )
}

fn run(programs: &Path, directory: &Path, name: &str, arguments: &[String]) -> Result<Running> {
    let log = directory.join(format!("{name}.log"));
    let log = File::options().create(true).append(true).open(log)?;
    let program = programs.join(name);
    let child = Command::new(&program)
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn();
    Ok(Running(child.with_context(|| format!("running {}", program.display()))?))
}
