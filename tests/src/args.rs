//! The command line of `secrets-lab`.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// The lab of the secrets injector.
#[derive(Parser)]
#[command(version)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: LabCommand,
}

#[derive(Subcommand)]
pub(crate) enum LabCommand {
    /// Run an Alibaba Cloud emulator (STS, KMS, OOS) until SIGTERM or SIGINT.
    Cloud(CloudArgs),
    /// Start, end or enter a real Kubernetes cluster on this machine.
    Cluster(ClusterArgs),
    /// Measure what the README promises; the programs are those beside this one.
    Bench(BenchArgs),
    /// Show the whole way from an annotation to a file, on this machine alone.
    Demo,
    /// Run a command and print what it cost, as JSON.
    #[command(hide = true)]
    Cost(CostArgs),
    /// Decide admissions from files and print what each cost, as JSON.
    #[command(hide = true)]
    Decide(DecideArgs),
    /// Search for the dearest admission that the webhook's limits allow.
    Worst(WorstArgs),
    /// Sign a ServiceAccount token as the emulated cluster would, and print it.
    Token(TokenArgs),
}

#[derive(clap::Args)]
pub(crate) struct ClusterArgs {
    #[command(subcommand)]
    pub(crate) command: ClusterCommand,
    /// Clusters of different names run side by side.
    #[arg(long, global = true, default_value = "default")]
    pub(crate) name: String,
}

#[derive(Subcommand)]
pub(crate) enum ClusterCommand {
    /// Start a cluster and return when Pods can run.
    Up {
        /// Where the programs are: what `hack/components` prints.
        #[arg(long, value_name = "DIR")]
        components: PathBuf,
        /// What the emulated cloud contains.
        #[arg(long, value_name = "FILE", default_value = "tests/cluster/cloud.json")]
        seed: PathBuf,
        /// An image archive to import; may be repeated.
        #[arg(long = "image", value_name = "FILE")]
        images: Vec<PathBuf>,
        /// The archive of the fetcher's image, to be imported with the emulated cloud's CA in it.
        #[arg(long, value_name = "FILE")]
        fetcher: Option<PathBuf>,
    },
    /// End a cluster; nothing of it stays.
    Down,
    /// Run a program inside the cluster's network, with its kubectl and helm.
    Exec {
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
}

#[derive(clap::Args)]
pub(crate) struct BenchArgs {
    /// Where to write the figures as JSON.
    #[arg(long, value_name = "FILE", default_value = "target/bench/summary.json")]
    pub(crate) summary: PathBuf,
    /// What `hack/components` prints: measures on a real cluster too.
    #[arg(long, value_name = "DIR")]
    pub(crate) components: Option<PathBuf>,
    /// Where the archives of the images are.
    #[arg(long, value_name = "DIR", default_value = "dist/images")]
    pub(crate) images: PathBuf,
}

#[derive(clap::Args)]
pub(crate) struct WorstArgs {
    /// How long to search, beside each single thing alone.
    #[arg(long, default_value_t = 1)]
    pub(crate) minutes: u64,
    /// The same seed tries the same changes.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

#[derive(clap::Args)]
pub(crate) struct DecideArgs {
    /// The mixture whose settings hold, and the body of a review; without one the mixture makes it.
    #[arg(long = "case", value_name = "MIXTURE[=FILE]")]
    pub(crate) cases: Vec<lab::worst::measure::Case>,
    #[arg(long, default_value_t = 1)]
    pub(crate) times: u32,
}

#[derive(clap::Args)]
pub(crate) struct CostArgs {
    #[arg(last = true, required = true)]
    pub(crate) command: Vec<OsString>,
}

#[derive(clap::Args)]
pub(crate) struct CloudArgs {
    /// Accounts, roles, secrets and parameters, as in `examples/cloud.json`, which is the default.
    #[arg(long, value_name = "FILE")]
    pub(crate) seed: Option<PathBuf>,
    /// Where to write `ca.pem`, `private-ca.pem`, `issuer.pem` (the token key) and, once all
    /// listeners are open, `ready.json`.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Sign tokens with this key (PKCS#8 PEM, EC P-256 or RSA) and not with a new one.
    #[arg(long, value_name = "FILE")]
    pub(crate) issuer_key: Option<PathBuf>,
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) https: SocketAddr,
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) http: SocketAddr,
    /// The admin API has no authentication.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) admin: SocketAddr,
    /// The metadata service of the node, whose role the seed names under `instance`.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) metadata: SocketAddr,
    /// Answer KMS on plain HTTP too; the real one refuses.
    #[arg(long)]
    pub(crate) kms_over_http: bool,
    /// End when standard input closes, so that the emulator never outlives its parent.
    #[arg(long)]
    pub(crate) stop_with_stdin: bool,
}

#[derive(clap::Args)]
pub(crate) struct TokenArgs {
    /// The key that `secrets-lab cloud` wrote, `issuer.pem`.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// The issuer URL of the OIDC provider in the seed.
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: String,
    #[arg(long)]
    pub(crate) namespace: String,
    #[arg(long)]
    pub(crate) service_account: String,
    #[arg(long, default_value = "sts.aliyuncs.com")]
    pub(crate) audience: Vec<String>,
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    pub(crate) lifetime: i64,
    /// Write the token here, readable for the owner only, and not to standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}
