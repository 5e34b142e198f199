//! What a server in a cluster has beside one alone.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::SystemTime;

use certs::{Keeper, Lifetimes, Observer, Place, Target};
use kube::Client;
use rustls::crypto::CryptoProvider;

use super::options::{Certificate, Cluster};
use crate::cluster::accounts::{self, Writer};
use crate::cluster::client::Connection;
use crate::cluster::directory::Directory;
use crate::cluster::watch;
use crate::metrics::Metrics;
use crate::serve::certificate;
use crate::serve::mutate::Judge;
use crate::serve::readiness::Readiness;
use crate::serve::tasks::Tasks;
use crate::serve::tls::ServedCertificate;

/// Made from flags and a client; nothing has been asked yet.
pub(super) struct InCluster {
    client: Client,
    writer: Writer,
    /// Keeps the certificate, or looks whether clients accept it.
    certificate: Task,
    readiness: Readiness,
}

type Task = Pin<Box<dyn Future<Output = Infallible> + Send>>;

impl InCluster {
    pub(super) fn new(
        connection: Connection,
        flags: Cluster,
        served: Arc<ServedCertificate>,
        seed: u64,
        metrics: &Arc<Metrics>,
    ) -> (Self, Judge) {
        let Connection { client, namespace } = connection;
        let (accounts, writer) = accounts::accounts();
        let patience = crate::cluster::reader::Patience::default();
        let directory = Directory::new(accounts, client.clone(), patience, Arc::clone(metrics));
        let Cluster { configuration, webhook, condition, service, certificate, .. } = flags;
        // As API servers call a Service.
        let names = vec![format!("{service}.{namespace}.svc")];
        let target = Target { configuration, webhook, condition, names };
        let (task, states, secret): (Task, _, _) = match certificate {
            Certificate::Kept(secret) => {
                let place = Place { namespace, secret: secret.clone(), target: target.clone() };
                let lifetimes = Lifetimes::default();
                let (keeper, states) =
                    Keeper::new(client.clone(), place, lifetimes, SystemTime::now, seed);
                (Box::pin(keeper.run()), states, Some(secret))
            }
            Certificate::Files(_) => {
                let chain = served.chain_pem();
                let (observer, states) =
                    Observer::new(client.clone(), target.clone(), chain, SystemTime::now, seed);
                (Box::pin(observer.run()), states, None)
            }
        };
        let readiness = Readiness { states, served, target, secret };
        (
            Self { client, writer, certificate: task, readiness },
            Judge::InCluster(Box::new(directory)),
        )
    }

    pub(super) fn readiness(&self) -> Readiness {
        self.readiness.clone()
    }

    pub(super) fn start(
        self,
        provider: Arc<CryptoProvider>,
        metrics: &Arc<Metrics>,
        tasks: &mut Tasks,
    ) {
        let Self { client, writer, certificate, readiness } = self;
        tasks.spawn("watches ServiceAccounts", watch::keep(client, writer, Arc::clone(metrics)));
        tasks.spawn("keeps the certificate", async { match certificate.await {} });
        tasks.spawn(
            "serves the certificate",
            certificate::follow(readiness, provider, Arc::clone(metrics), SystemTime::now),
        );
    }
}
