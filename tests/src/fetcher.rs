//! The real fetcher, run against an emulated cloud, in a directory that stands for a container.

mod demo;
mod patience;
mod running;
mod traced;
mod wanted;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use plan::Plan;
use plan::contract::ENVIRONMENT_PROGRAM;
use tempfile::TempDir;
use tokio::process::Command;

pub use self::demo::{ACCOUNT, NAMESPACE, PROVIDER, REGION, ROLE, SERVICE_ACCOUNT};
use self::patience::PATIENCE;
pub use self::patience::eventually;
pub use self::running::Running;
pub use self::traced::{Strike, SystemCall};
pub use self::wanted::{Want, builder, builder_of, plan, role_session};
use crate::binary::beside;
use crate::cloud::Cloud;
use crate::cost::Cost;

/// What other programs would listen to. Each of these would break a run that did.
const AMBIENT: [(&str, &str); 9] = [
    ("HTTPS_PROXY", "http://127.0.0.1:1"),
    ("https_proxy", "http://127.0.0.1:1"),
    ("ALL_PROXY", "http://127.0.0.1:1"),
    ("SSL_CERT_FILE", "/dev/null"),
    ("ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAIwrong"),
    ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "wrong"),
    ("ALIBABA_CLOUD_ROLE_ARN", "acs:ram::1:role/wrong"),
    ("ALIBABA_CLOUD_OIDC_TOKEN_FILE", "/dev/null"),
    ("RUST_LOG", "trace"),
];

/// What a container of a Pod has: a mount, a token, and trust in the cloud's CA.
pub struct Container {
    root: TempDir,
    connect_to: String,
    metadata: String,
}

/// How a run ended, and what it left behind.
#[derive(Debug)]
pub struct Ended {
    pub status: ExitStatus,
    pub stdout: String,
    pub log: String,
    pub message: Option<String>,
    pub elapsed: Duration,
}

/// A file as an application sees it.
#[derive(Debug, PartialEq, Eq)]
pub struct Seen {
    pub mode: u32,
    pub content: Vec<u8>,
}

impl Container {
    pub fn new(cloud: &Cloud) -> Result<Self> {
        Self::below(&std::env::temp_dir(), cloud)
    }

    /// In memory, as the volumes of a Pod are.
    pub fn in_memory(cloud: &Cloud) -> Result<Self> {
        Self::below(Path::new("/dev/shm"), cloud)
    }

    fn below(directory: &Path, cloud: &Cloud) -> Result<Self> {
        let root = tempfile::tempdir_in(directory)?;
        let container = Self {
            root,
            connect_to: format!("*={}", cloud.https()),
            metadata: format!("100.100.100.200={}", cloud.metadata()),
        };
        let (dev, ca) = (container.path("dev"), container.path("etc/kms-ca"));
        for directory in [container.mount(), container.environment(), dev, ca] {
            fs::create_dir_all(directory)?;
        }
        fs::write(container.path("ca.pem"), cloud.ca_pem())?;
        fs::write(container.path("etc/kms-ca/ca.crt"), cloud.private_ca_pem())?;
        container.put_token(&cloud.mint(NAMESPACE, SERVICE_ACCOUNT)?)?;
        Ok(container)
    }

    pub fn put_token(&self, token: &str) -> Result<()> {
        let path = self.path("var/run/secrets/kubernetes.io/serviceaccount/token");
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
        Ok(fs::write(path, token)?)
    }

    /// Writes the keys of a Secret as the kubelet does: all at once, by a link that is swapped.
    pub fn put_keys(&self, keys: &[(&str, &str)]) -> Result<()> {
        let directory = self.path("etc/kms-credentials");
        fs::create_dir_all(&directory)?;
        let edition = format!("..{}", fs::read_dir(&directory)?.count());
        fs::create_dir(directory.join(&edition))?;
        for (name, value) in keys {
            fs::write(directory.join(&edition).join(name), value)?;
            let link = directory.join(name);
            if fs::symlink_metadata(&link).is_err() {
                symlink(format!("..data/{name}"), link)?;
            }
        }
        symlink(&edition, directory.join("..data_tmp"))?;
        Ok(fs::rename(directory.join("..data_tmp"), directory.join("..data"))?)
    }

    pub fn path(&self, inside: &str) -> PathBuf {
        self.root.path().join(inside)
    }

    pub fn mount(&self) -> PathBuf {
        self.path("mnt/secrets-store")
    }

    /// Where variables lie.
    pub fn environment(&self) -> PathBuf {
        self.path("kms-env")
    }

    /// A container of the application, started through the program that lies beside its variables.
    pub fn exec(&self, container: &str, words: &[&str]) -> std::process::Command {
        self.exec_requiring(container, "", words)
    }

    /// The same for one that is not to start without some variables.
    pub fn exec_requiring(
        &self,
        container: &str,
        required: &str,
        words: &[&str],
    ) -> std::process::Command {
        let line = plan::ExecLine { container, required, command: words }.to_args();
        let mut command = std::process::Command::new(self.environment().join(ENVIRONMENT_PROGRAM));
        command.arg("--root").arg(self.root.path()).args(line.iter().skip(1));
        command
    }

    /// Everything dials this address from now on.
    pub fn dial(&mut self, address: &str) {
        self.connect_to = format!("*={address}");
    }

    pub async fn init(&self, plan: &Plan) -> Result<Ended> {
        self.run(plan, &["init"]).await
    }

    pub async fn run(&self, plan: &Plan, words: &[&str]) -> Result<Ended> {
        let mut command = Command::new(binary()?);
        command.args(self.options()).args(words);
        self.end(command, plan).await
    }

    /// Starts a process that stays.
    pub fn start(&self, plan: &Plan, words: &[&str]) -> Result<Running> {
        self.start_under(&[], plan, words)
    }

    /// The same, started by another program with these arguments.
    pub fn start_under(&self, under: &[&str], plan: &Plan, words: &[&str]) -> Result<Running> {
        let binary = binary()?;
        let mut program = under.iter().map(OsStr::new).chain([binary.as_os_str()]);
        let mut command = Command::new(program.next().context("no program")?);
        command.args(program).args(self.options()).args(words);
        command.envs(AMBIENT).env("SECRETS_INJECTOR_PLAN", plan.encode()?);
        Running::start(command)
    }

    /// Waits until an application sees this content.
    pub async fn shows(&self, name: &str, content: Option<&[u8]>) -> Result<()> {
        let path = self.mount().join(name);
        let what = || async { Ok(fs::read(&path).ok().as_deref() == content) };
        eventually(what).await.with_context(|| format!("{name} did not become as expected"))
    }

    /// `init` in namespaces of its own, where the shell command `mount` has prepared `$MOUNT`. What
    /// the command `then`, begun in the mount, prints about it is the run's standard output.
    pub async fn init_on_a_volume(&self, plan: &Plan, mount: &str, then: &str) -> Result<Ended> {
        let mut command = Command::new("unshare");
        let script = format!(
            "{mount} && {{ \"$@\"; code=$?; }} && cd \"$MOUNT\" && {{ {then}; }} && exit $code"
        );
        command.args(["--user", "--map-root-user", "--mount", "sh", "-ec", &script, "sh"]);
        command.arg(binary()?).args(self.options()).arg("init");
        command.env("MOUNT", self.mount()).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        self.end(command, plan).await
    }

    /// `init` as another user, which the options of `setpriv` name.
    pub async fn init_as(&self, plan: &Plan, user: &[&str]) -> Result<Ended> {
        // The way to the build directory may be closed to others; the way to here is not.
        let copy = self.path("secrets-injector");
        if !copy.exists() {
            // By another process: what this one, or a child, holds open for writing cannot be started.
            let programs = [binary()?, beside(ENVIRONMENT_PROGRAM)?];
            let copied = Command::new("cp").args(programs).arg(self.path("")).status().await?;
            ensure!(copied.success(), "cp: {copied}");
        }
        fs::set_permissions(self.root.path(), fs::Permissions::from_mode(0o755))?;
        let mut command = Command::new("setpriv");
        command.args(user).arg(copy).args(self.options()).arg("init");
        self.end(command, plan).await
    }

    /// `init` below a small process that measures it; see [`crate::cost`].
    pub async fn init_measured(&self, plan: &Plan) -> Result<(Ended, Cost)> {
        let mut command = Command::new(beside("secrets-lab")?);
        command.args(["cost", "--"]).arg(binary()?).args(self.options()).arg("init");
        let ended = self.end(command, plan).await?;
        let cost = serde_json::from_str(&ended.stdout).context("no cost was measured")?;
        Ok((ended, cost))
    }

    fn options(&self) -> Vec<OsString> {
        let ca = self.path("ca.pem");
        [
            OsStr::new("--root"),
            self.root.path().as_os_str(),
            OsStr::new("--ca"),
            ca.as_os_str(),
            OsStr::new("--connect-to"),
            OsStr::new(&self.metadata),
            OsStr::new("--connect-to"),
            OsStr::new(&self.connect_to),
        ]
        .into_iter()
        .map(OsStr::to_owned)
        .collect()
    }

    async fn end(&self, mut command: Command, plan: &Plan) -> Result<Ended> {
        command.envs(AMBIENT).env("SECRETS_INJECTOR_PLAN", plan.encode()?);
        end(command, &self.path("dev/termination-log")).await
    }

    /// The files by the names that applications open.
    pub fn files(&self) -> Result<BTreeMap<String, Seen>> {
        files_in(&self.mount())
    }

    /// Everything in the mount, ours and what applications see, in order.
    pub fn entries(&self) -> Result<Vec<String>> {
        entries_of(&self.mount())
    }
}

impl Ended {
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Everything that a person could see of the run.
    pub fn said(&self) -> String {
        format!("{}{}{}", self.stdout, self.log, self.message.as_deref().unwrap_or_default())
    }

    /// The first line of the termination message.
    pub fn headline(&self) -> &str {
        self.message.as_deref().and_then(|message| message.lines().next()).unwrap_or_default()
    }
}

pub fn binary() -> Result<PathBuf> {
    beside("secrets-injector")
}

/// Runs the process of `command` to its end; it leaves its termination message in `log`.
pub(crate) async fn end(mut command: Command, log: &Path) -> Result<Ended> {
    if log.exists() {
        fs::remove_file(log)?;
    }
    command.stdin(Stdio::null()).kill_on_drop(true);
    let began = Instant::now();
    let output: Output = tokio::time::timeout(PATIENCE, command.output())
        .await
        .context("the fetcher did not end")?
        .context("starting the fetcher")?;
    Ok(Ended {
        elapsed: began.elapsed(),
        status: output.status,
        stdout: String::from_utf8(output.stdout)?,
        log: String::from_utf8(output.stderr)?,
        message: fs::read_to_string(log).ok(),
    })
}

/// The files of a mount by the names that applications open.
pub(crate) fn files_in(mount: &Path) -> Result<BTreeMap<String, Seen>> {
    let mut files = BTreeMap::new();
    for name in entries_of(mount)?.into_iter().filter(|name| !name.starts_with("..")) {
        let path = mount.join(&name);
        let mode = fs::metadata(&path)?.permissions().mode() & 0o7777;
        files.insert(name, Seen { mode, content: fs::read(&path)? });
    }
    Ok(files)
}

fn entries_of(mount: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(mount)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}
