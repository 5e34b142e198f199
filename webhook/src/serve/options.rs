//! The flags of `serve` as what they mean together.

use std::path::PathBuf;

use crate::args::ServeArgs;
use crate::serve::tls::Files;

/// How the server runs. One that exists makes sense.
pub(super) enum Mode {
    Standalone(Own),
    Cluster(Cluster),
}

/// Where a certificate is from without a cluster.
pub(super) enum Own {
    Files(Files),
    Made { names: Vec<String>, write_ca: Option<PathBuf> },
}

pub(super) struct Cluster {
    pub(super) kubeconfig: Option<PathBuf>,
    /// The MutatingWebhookConfiguration that calls us, our webhook in it, and the match condition
    /// that it must have.
    pub(super) configuration: String,
    pub(super) webhook: String,
    pub(super) condition: String,
    /// The Service that API servers call: the certificate must be for its name.
    pub(super) service: String,
    pub(super) certificate: Certificate,
}

/// Where a certificate is from in a cluster.
pub(super) enum Certificate {
    /// Made by the replicas, kept in this Secret.
    Kept(String),
    Files(Files),
}

impl Mode {
    /// An error is a sentence for the operator.
    pub(super) fn of(args: &ServeArgs) -> Result<Self, String> {
        if args.standalone { standalone(args) } else { cluster(args).map(Self::Cluster) }
    }
}

fn standalone(args: &ServeArgs) -> Result<Mode, String> {
    if let Some(files) = files(args) {
        return Ok(Mode::Standalone(Own::Files(files)));
    }
    let mut names = args.tls_name.clone();
    if names.is_empty() {
        names = LOCAL.map(str::to_owned).to_vec();
    }
    Ok(Mode::Standalone(Own::Made { names, write_ca: args.write_ca.clone() }))
}

fn cluster(args: &ServeArgs) -> Result<Cluster, String> {
    if !args.tls_name.is_empty() || args.write_ca.is_some() {
        return Err("--tls-name and --write-ca belong to --standalone: in a cluster the certificate is made for --service, and its CA is in the Secret".to_owned());
    }
    let Some(configuration) = &args.webhook_configuration else {
        return Err("serve needs --webhook-configuration NAME, the MutatingWebhookConfiguration that calls it; without a Kubernetes API it needs --standalone".to_owned());
    };
    let certificate = match (&args.certificate_secret, files(args)) {
        (Some(secret), None) => Certificate::Kept(name("--certificate-secret", secret)?),
        (None, Some(files)) => Certificate::Files(files),
        (Some(_), Some(_)) => {
            return Err("--certificate-secret and --tls-cert exclude each other: the certificate is kept by the webhook, or by you".to_owned());
        }
        (None, None) => {
            return Err("serve needs a certificate: --certificate-secret NAME, or --tls-cert FILE with --tls-key FILE".to_owned());
        }
    };
    let Some(service) = &args.service else {
        return Err("serve needs --service NAME: the Service that API servers call, for whose name the certificate is".to_owned());
    };
    Ok(Cluster {
        kubeconfig: args.kubeconfig.clone(),
        configuration: name("--webhook-configuration", configuration)?,
        webhook: name("--webhook-name", &args.webhook_name)?,
        condition: args.match_condition.clone(),
        service: name("--service", service)?,
        certificate,
    })
}

fn files(args: &ServeArgs) -> Option<Files> {
    let (Some(cert), Some(key)) = (&args.tls_cert, &args.tls_key) else { return None };
    Some(Files { cert: cert.clone(), key: key.clone() })
}

/// Names of objects go into paths of the API.
fn name(flag: &str, text: &str) -> Result<String, String> {
    if crate::cluster::is_name(text, 253) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "{flag} {text:?}: the name of an object has lower case letters, digits, hyphens and dots, \
         and begins and ends with a letter or digit"
    ))
}

/// What a certificate for one machine is made for.
const LOCAL: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
