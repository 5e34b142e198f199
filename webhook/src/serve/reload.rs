//! Files that change while the server runs: settings, certificate, the CA of clients.
//!
//! Polled, because a mounted ConfigMap or Secret changes by a rename somewhere above the file
//! that no watch of the file itself sees. A change that cannot be used is reported once, and
//! what was in use stays in use.

use std::fmt::Display;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::crypto::CryptoProvider;
use tokio::time::{MissedTickBehavior, interval};

use crate::ask::rules;
use crate::metrics::{Metrics, Reloads};
use crate::serve::tls::{ClientCa, Clients, Files, ServedCertificate};
use crate::settings::{Inputs, Settings};

/// Keeps `settings` what the file says. Ends at once if there is no file.
pub async fn settings(
    inputs: Inputs,
    settings: Arc<ArcSwap<Settings>>,
    metrics: Arc<Metrics>,
    every: Duration,
) {
    if inputs.file().is_none() {
        return;
    }
    poll(
        every,
        "settings",
        &metrics.settings,
        || inputs.read(),
        |content| {
            settings.store(Arc::new(rules::resolve(&inputs, content.as_deref())?));
            Ok(())
        },
    )
    .await;
}

/// Keeps `served` what the files hold.
pub async fn certificate(
    files: Files,
    served: Arc<ServedCertificate>,
    provider: Arc<CryptoProvider>,
    metrics: Arc<Metrics>,
    every: Duration,
) {
    poll(
        every,
        "certificate",
        &metrics.certificate,
        || files.read(),
        |pair| {
            let identity = files.identity(pair, &provider)?;
            metrics.certificate_ends(identity.not_after());
            served.exchange(identity);
            Ok(())
        },
    )
    .await;
}

/// Keeps `clients` what the file says.
pub async fn client_ca(
    ca: ClientCa,
    clients: Arc<Clients>,
    provider: Arc<CryptoProvider>,
    metrics: Arc<Metrics>,
    every: Duration,
) {
    poll(
        every,
        "client CA",
        &metrics.client_ca,
        || ca.read(),
        |pem| {
            clients.exchange(ca.verifier(pem, &provider)?);
            Ok(())
        },
    )
    .await;
}

async fn poll<T: Hash, E: Display>(
    every: Duration,
    what: &'static str,
    reloads: &Reloads,
    read: impl Fn() -> Result<T, E>,
    take: impl Fn(&T) -> Result<(), E>,
) {
    let mut seen = None;
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let content = read();
        // A file that cannot be read has its error as its content, so that another error is seen.
        let print = match &content {
            Ok(content) => fingerprint(content),
            Err(error) => fingerprint(&error.to_string()),
        };
        if seen == Some(print) {
            continue;
        }
        let first = seen.replace(print).is_none();
        match content.and_then(|content| take(&content)) {
            // The first look finds what the server started with, or what came just after.
            Ok(()) if first => {}
            Ok(()) => {
                reloads.succeeded();
                tracing::info!(what, "reloaded");
            }
            Err(error) => {
                reloads.failed();
                tracing::error!(what, %error, "not reloaded, the old one stays in use");
            }
        }
    }
}

fn fingerprint(content: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    hasher.finish()
}
