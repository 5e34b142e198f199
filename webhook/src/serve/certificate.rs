//! What the keeper or the observer of the certificate says, put to use.

use std::sync::Arc;
use std::time::SystemTime;

use certs::Serving;
use rustls::crypto::CryptoProvider;

use super::readiness::Readiness;
use crate::metrics::Metrics;
use crate::serve::tls::Identity;

/// Serves what is to be served, counts, and logs when readiness changes. Ends with the task that
/// it follows.
pub(crate) async fn follow(
    mut readiness: Readiness,
    provider: Arc<CryptoProvider>,
    metrics: Arc<Metrics>,
    clock: fn() -> SystemTime,
) {
    let mut current: Option<Arc<Serving>> = None;
    let mut logged = None;
    loop {
        let state = readiness.states.borrow_and_update().clone();
        metrics.cluster.certificate(&state);
        if let Some(serving) = state.serving
            && !current.as_ref().is_some_and(|current| Arc::ptr_eq(current, &serving))
        {
            exchange(&serving, &readiness, &provider, &metrics);
            current = Some(serving);
        }
        let reasons = readiness.reasons(clock());
        if logged.as_ref() != Some(&reasons) {
            if reasons.is_empty() {
                tracing::info!("ready for API servers");
            } else {
                tracing::warn!(reasons = reasons.join("; "), "not ready for API servers");
            }
            logged = Some(reasons);
        }
        if readiness.states.changed().await.is_err() {
            return;
        }
    }
}

fn exchange(
    serving: &Serving,
    readiness: &Readiness,
    provider: &CryptoProvider,
    metrics: &Metrics,
) {
    let secret = readiness.secret.as_deref().unwrap_or_default();
    let (cert, key) =
        (format!("tls.crt of Secret {secret}"), format!("tls.key of Secret {secret}"));
    let identity = Identity::from_pem(
        (serving.cert_pem.as_bytes(), &cert),
        (serving.key.pem().as_bytes(), &key),
        provider,
    );
    match identity {
        Ok(identity) => {
            metrics.certificate_ends(identity.not_after());
            readiness.served.exchange(identity);
            tracing::info!("another certificate is served");
        }
        Err(error) => tracing::error!(%error, "a certificate cannot be served"),
    }
}
