//! Where others make the certificate: only looks whether API servers accept what is served.

use std::convert::Infallible;
use std::time::SystemTime;

use kube::Client;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::sync::watch;

use crate::anchor::Anchor;
use crate::api::NamedObject;
use crate::backoff::Jitter;
use crate::follow::{LastRead, follow};
use crate::place::Target;
use crate::published::Published;
use crate::report::Report;
use crate::state::State;
use crate::trust;

/// Follows the configuration and changes nothing.
pub struct Observer {
    client: Client,
    target: Target,
    served: watch::Receiver<Vec<u8>>,
    clock: fn() -> SystemTime,
    seed: u64,
    report: Report,
}

impl Observer {
    /// `served` is the chain in PEM, the webhook's own certificate first.
    pub fn new(
        client: Client,
        target: Target,
        served: watch::Receiver<Vec<u8>>,
        clock: fn() -> SystemTime,
        seed: u64,
    ) -> (Self, watch::Receiver<State>) {
        let (report, states) = Report::new();
        (Self { client, target, served, clock, seed, report }, states)
    }

    /// Until it is dropped.
    pub async fn run(self) -> Infallible {
        let configuration = NamedObject::configuration(self.client, &self.target.configuration);
        let (configurations, found) = watch::channel(None);
        let following = follow(
            &configuration,
            |object| Published::read(object, &self.target),
            &configurations,
            |error| self.report.failed(error),
            Jitter::new(self.seed),
        );
        let looking = look(found, self.served, &self.target, self.clock, &self.report);
        tokio::select! {
            never = following => never,
            never = looking => never,
        }
    }
}

async fn look(
    mut found: watch::Receiver<LastRead<Published>>,
    mut served: watch::Receiver<Vec<u8>>,
    target: &Target,
    clock: fn() -> SystemTime,
    report: &Report,
) -> Infallible {
    loop {
        let chain = read(&served.borrow_and_update());
        if let Some(published) = found.borrow_and_update().clone() {
            let anchors = published.iter().flat_map(|published| &published.anchors);
            let covered = trust::accepts(anchors.map(Anchor::der), &chain, &target.names, clock());
            let conditions = published.is_some_and(|published| published.conditions);
            report.is(None, covered, conditions, None);
        }
        tokio::select! {
            Ok(()) = found.changed() => {}
            Ok(()) = served.changed() => {}
            // Neither sender is left: nothing will change.
            else => std::future::pending().await,
        }
    }
}

fn read(chain: &[u8]) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(chain).filter_map(Result::ok).collect()
}
