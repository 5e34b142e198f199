//! `secrets-lab cloud`.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result};
use lab::cloud::{Cloud, CloudConfig, Issuer, Seed};
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::signal::unix::{SignalKind, signal};

use crate::args::CloudArgs;

pub(crate) fn run(args: CloudArgs) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("starting the runtime")?;
    let outcome = runtime.block_on(serve(args));
    // A read of standard input cannot be cancelled: do not wait for its thread.
    runtime.shutdown_background();
    outcome
}

async fn serve(args: CloudArgs) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
    let cloud = Cloud::start(config(&args)?).await?;
    announce(&cloud, &args.out)?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = stdin_closes(), if args.stop_with_stdin => {}
    }
    Ok(())
}

fn config(args: &CloudArgs) -> Result<CloudConfig> {
    let seed = match &args.seed {
        Some(path) => {
            let bytes = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
            Seed::from_json(&bytes).with_context(|| format!("in {}", path.display()))?
        }
        None => Seed::demo()?,
    };
    let issuer = match &args.issuer_key {
        Some(path) => {
            let pem =
                fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
            Some(Issuer::from_pem(&pem)?)
        }
        None => None,
    };
    let mut config = CloudConfig {
        https: args.https,
        http: args.http,
        admin: args.admin,
        metadata: args.metadata,
        issuer,
        ..CloudConfig::new(seed)
    };
    config.rules.kms_over_http = args.kms_over_http;
    Ok(config)
}

/// `ready.json` comes last and whole: who sees it can use all that it names.
fn announce(cloud: &Cloud, out: &Path) -> Result<()> {
    fs::create_dir_all(out).with_context(|| format!("making {}", out.display()))?;
    let (ca, private_ca, issuer) =
        (out.join("ca.pem"), out.join("private-ca.pem"), out.join("issuer.pem"));
    write(&ca, cloud.ca_pem())?;
    write(&private_ca, cloud.private_ca_pem())?;
    write_private(&issuer, cloud.issuer().key_pem())?;
    let ready = json!({
        "https": cloud.https(),
        "http": cloud.http(),
        "admin": cloud.admin(),
        "metadata": cloud.metadata(),
        "ca": ca,
        "privateCa": private_ca,
        "issuerKey": issuer,
        "keys": cloud.issuer().key_set(),
    });
    let (draft, path) = (out.join(".ready.json"), out.join("ready.json"));
    write(&draft, &ready.to_string())?;
    fs::rename(&draft, &path).with_context(|| format!("writing {}", path.display()))?;
    writeln!(
        std::io::stdout(),
        "ready: https {} http {} admin {} files {}",
        cloud.https(),
        cloud.http(),
        cloud.admin(),
        out.display()
    )
    .context("telling that the cloud is ready")
}

async fn stdin_closes() {
    let (mut stdin, mut scrap) = (tokio::io::stdin(), [0; 256]);
    while matches!(stdin.read(&mut scrap).await, Ok(count) if count > 0) {}
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}

/// Readable for the owner only, also when the file was there before.
pub(crate) fn write_private(path: &Path, text: &str) -> Result<()> {
    let written = (|| {
        if path.try_exists()? {
            fs::remove_file(path)?;
        }
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?
            .write_all(text.as_bytes())
    })();
    written.with_context(|| format!("writing {}", path.display()))
}
