//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use tracing_subscriber::filter::LevelFilter;

/// Secrets of Alibaba Cloud KMS and OOS, injected into annotated Pods.
#[derive(Debug, Parser)]
#[command(name = "secrets-webhook", version)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Answer admission reviews over HTTPS
    Serve(Box<ServeArgs>),
    /// Print manifests as the webhook would change them
    Inject(ManifestArgs),
    /// Report what the webhook would refuse or warn about in manifests
    Check(ManifestArgs),
    /// Ask the API server, as a dry run, whether a Pod with secrets is injected
    Probe(ProbeArgs),
}

#[derive(Clone, Debug, Args)]
pub struct ProbeArgs {
    /// Namespace of the test Pod; it is opted in
    #[arg(short, long)]
    pub namespace: String,
    /// How to reach the API server; without, as a Pod's ServiceAccount
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// How long to ask again
    #[arg(long, value_name = "SECONDS", default_value_t = 30,
          value_parser = clap::value_parser!(u64).range(0..=600))]
    pub timeout: u64,
}

/// Where settings come from; flags win over SECRETS_WEBHOOK_SETTING_… variables, those over
/// the file.
#[derive(Clone, Debug, Args)]
pub struct SettingsArgs {
    /// Settings file (YAML)
    #[arg(long = "settings", value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// One setting, for example region=cn-hangzhou; may be repeated
    #[arg(long = "setting", value_name = "NAME=VALUE")]
    pub settings: Vec<String>,
}

#[derive(Clone, Debug, Args)]
pub struct ManifestArgs {
    /// Manifests, YAML or JSON, `-` for standard input; may be repeated
    #[arg(short, long = "filename", value_name = "FILE", num_args = 1..,
          required_unless_present = "more")]
    pub files: Vec<PathBuf>,
    /// The same without -f
    #[arg(value_name = "FILE")]
    pub more: Vec<PathBuf>,
    /// Namespace of objects that name none
    #[arg(short, long, default_value = "default")]
    pub namespace: String,
    #[command(flatten)]
    pub settings: SettingsArgs,
}

#[derive(Clone, Debug, Args)]
pub struct ServeArgs {
    /// Run without a Kubernetes API
    #[arg(long, conflicts_with_all = [
        "kubeconfig", "webhook_configuration", "webhook_name", "match_condition",
        "certificate_secret", "service",
    ])]
    pub standalone: bool,
    /// How to reach the API server, where this is no Pod with a ServiceAccount
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// The MutatingWebhookConfiguration that calls this server
    #[arg(long, value_name = "NAME")]
    pub webhook_configuration: Option<String>,
    /// The webhook in it that this server is
    #[arg(long, value_name = "NAME", default_value = "pods.kms.alibabacloud")]
    pub webhook_name: String,
    /// The match condition that the webhook must have
    #[arg(long, value_name = "NAME", default_value = "triggers")]
    pub match_condition: String,
    /// Secret of this namespace in which replicas keep the certificate that they make
    #[arg(long, value_name = "NAME")]
    pub certificate_secret: Option<String>,
    /// Service of this namespace that API servers call; the certificate is for its name
    #[arg(long, value_name = "NAME")]
    pub service: Option<String>,
    /// Address of the webhook (HTTPS)
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8443")]
    pub listen: SocketAddr,
    /// Address of /healthz, /readyz and /metrics (HTTP)
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8080")]
    pub admin: SocketAddr,
    /// Certificate chain (PEM), read again when it changes; with --standalone one is made for
    /// this run if there is none
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// Private key (PEM), read again when it changes
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Name or address that the made certificate is for; may be repeated; those of this machine
    /// without
    #[arg(long, value_name = "NAME", conflicts_with = "tls_cert")]
    pub tls_name: Vec<String>,
    /// Where to write the CA of the made certificate (PEM)
    #[arg(long, value_name = "FILE", conflicts_with = "tls_cert")]
    pub write_ca: Option<PathBuf>,
    /// CA certificates (PEM): only clients with a certificate by one of them may connect to the
    /// webhook; read again when they change
    #[arg(long, value_name = "FILE")]
    pub client_ca: Option<PathBuf>,
    /// Common name that the certificate of a client must have; may be repeated; any without
    #[arg(long, value_name = "NAME", requires = "client_ca")]
    pub client_name: Vec<String>,
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    pub log_level: LevelFilter,
    /// Open connections; beyond that idle ones make room
    #[arg(long, value_name = "NUMBER", default_value_t = 128,
          value_parser = clap::value_parser!(u32).range(8..=65_536))]
    pub max_connections: u32,
    /// How long to keep accepting after SIGTERM at least, until endpoints no longer name this Pod;
    /// while calls come, three times as long
    #[arg(long, value_name = "SECONDS", default_value_t = 5,
          value_parser = clap::value_parser!(u64).range(0..=600))]
    pub drain_seconds: u64,
    /// How long requests under way may take after that
    #[arg(long, value_name = "SECONDS", default_value_t = 10,
          value_parser = clap::value_parser!(u64).range(1..=600))]
    pub shutdown_timeout: u64,
    /// Write the bound addresses here, as JSON, when ready
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,
}
