//! The real fetcher, run against an emulated cloud, in a directory that stands for a container.

mod patience;
mod running;
mod traced;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use plan::contract::ENVIRONMENT_PROGRAM;
use plan::{
    AlibabaLookup, Assume, ExternalId, FileMode, FileName, FileOptions, Host, Lookup, MountPath,
    OnMissing, Plan, PlanBuilder, ProviderArn, Reference, Region, RoleArn, Rrsa, SessionName,
};
use tempfile::TempDir;
use tokio::process::Command;

use self::patience::{PATIENCE, eventually};
pub use self::running::Running;
pub use self::traced::{Strike, SystemCall};
use crate::binary::beside;
use crate::cloud::Cloud;
use crate::cost::Cost;

/// The account, role, provider and ServiceAccount of `examples/cloud.json`.
pub const ACCOUNT: &str = "1234567890123456";
pub const ROLE: &str = "acs:ram::1234567890123456:role/demo-app";
pub const PROVIDER: &str = "acs:ram::1234567890123456:oidc-provider/ack-rrsa-demo";
pub const REGION: &str = "cn-hangzhou";
pub const NAMESPACE: &str = "shop";
pub const SERVICE_ACCOUNT: &str = "checkout";

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

/// One wanted file; the methods say what is not as usual.
#[derive(Clone)]
pub struct Want {
    name: String,
    source: String,
    region: String,
    endpoint: Option<String>,
    assume: Option<(String, Option<String>)>,
    mode: &'static str,
    on_missing: OnMissing,
}

impl Want {
    pub fn new(name: &str, source: &str) -> Self {
        Self {
            name: name.to_owned(),
            source: source.to_owned(),
            region: REGION.to_owned(),
            endpoint: None,
            assume: None,
            mode: "0400",
            on_missing: OnMissing::Fail,
        }
    }

    #[must_use]
    pub fn at(mut self, endpoint: &str) -> Self {
        self.endpoint = Some(endpoint.to_owned());
        self
    }

    #[must_use]
    pub fn assuming(mut self, role: &str, external_id: Option<&str>) -> Self {
        self.assume = Some((role.to_owned(), external_id.map(str::to_owned)));
        self
    }

    #[must_use]
    pub fn mode(mut self, mode: &'static str) -> Self {
        self.mode = mode;
        self
    }

    #[must_use]
    pub fn skipped_if_missing(mut self) -> Self {
        self.on_missing = OnMissing::Skip;
        self
    }

    /// Where its value is asked for.
    pub fn lookup(&self) -> Result<Lookup> {
        let source = Reference::parse(&self.source)?.source.into_alibaba();
        let assume = match &self.assume {
            None => None,
            Some((role, external_id)) => Some(Assume {
                role: RoleArn::parse(role)?,
                external_id: external_id.as_deref().map(ExternalId::parse).transpose()?,
            }),
        };
        let lookup = AlibabaLookup {
            source: source.context("the source is not of Alibaba Cloud")?,
            region: Region::parse(&self.region)?,
            endpoint: self.endpoint.as_deref().map(Host::parse).transpose()?,
            assume,
        };
        Ok(lookup.into())
    }

    fn add_to(&self, builder: &mut PlanBuilder) -> Result<()> {
        let lookup = self.lookup()?;
        let reference = Reference::parse(&self.source)?;
        let (name, mode) = (FileName::parse(&self.name)?, FileMode::parse(self.mode)?);
        builder.file(name, lookup, reference.selector, FileOptions::new(mode, self.on_missing));
        Ok(())
    }
}

/// A plan of the demo's identity, before files are added.
pub fn builder() -> Result<PlanBuilder> {
    let rrsa = Rrsa {
        role: RoleArn::parse(ROLE)?,
        provider: ProviderArn::parse(PROVIDER)?,
        session: SessionName::parse("shop.checkout")?,
        duration: 3600,
        region: Region::parse(REGION)?,
        endpoint: None,
    };
    let mut builder = PlanBuilder::new(rrsa, MountPath::default());
    builder.timeout_seconds(30);
    Ok(builder)
}

/// `builder` with these files in it.
pub fn plan(mut builder: PlanBuilder, wants: &[Want]) -> Result<Plan> {
    for want in wants {
        want.add_to(&mut builder)?;
    }
    Ok(builder.build()?)
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
        let container = Self { root, connect_to: format!("*={}", cloud.https()) };
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
