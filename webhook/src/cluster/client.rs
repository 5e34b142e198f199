//! The way to the API server.

use std::path::Path;
use std::time::Duration;

use kube::client::ClientBuilder;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use super::bounded::Bounds;

/// A client and the namespace that it is at home in.
pub(crate) struct Connection {
    pub(crate) client: Client,
    pub(crate) namespace: String,
}

/// From the file, else from the ServiceAccount of the Pod that this is. Nothing is asked yet. An
/// error is a sentence for the operator.
pub(crate) async fn connect(kubeconfig: Option<&Path>) -> Result<Connection, String> {
    let mut config = match kubeconfig {
        Some(path) => {
            let bad = |error| format!("--kubeconfig {}: {error}", path.display());
            let kubeconfig = Kubeconfig::read_from(path).map_err(bad)?;
            let options = KubeConfigOptions::default();
            Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(bad)?
        }
        None => Config::incluster().map_err(|error| {
            format!(
                "this is no Pod with a ServiceAccount ({error}): \
                 give --kubeconfig FILE, or --standalone to run without a Kubernetes API"
            )
        })?,
    };
    config.connect_timeout = Some(CONNECT);
    config.read_timeout = Some(READ);
    config.write_timeout = Some(CONNECT);
    // Every caller has its own deadline and backoff; these would be hidden in them.
    config.default_retry = false;
    let namespace = config.default_namespace.trim().to_owned();
    let client = bounded(config)
        .map_err(|error| format!("the way to the Kubernetes API cannot be set up: {error}"))?;
    Ok(Connection { client, namespace })
}

/// A client that takes no answer which is larger than any should be.
pub fn bounded(config: Config) -> kube::Result<Client> {
    Ok(ClientBuilder::try_from(config)?.with_layer(&Bounds).build())
}

const CONNECT: Duration = Duration::from_secs(5);
/// Longer than a watch may be silent, and by half a minute longer than connections wait unused: the
/// time counts then too.
const READ: Duration = Duration::from_secs(120);
