//! An admission plugin of the API server has every container pull its image, and refuses a Pod with
//! one that does not. Ours are no exception, whatever the operator's settings say.

use lab::cluster::{Program, until};
use serde_json::Value;

use crate::pods::{annotated, app};
use crate::release::{admits, at_work};
use crate::stage::{Namespace, PATIENCE, cluster, kubectl};

/// The API server with the plugin; it is as before once this is gone.
struct Plugin;

fn restart(more: &[&str]) {
    let cluster = cluster();
    let server = cluster.component(Program::ApiServer);
    server.stop().unwrap();
    server.start_with(more).unwrap();
    until("the API server", PATIENCE, || Ok(kubectl(&["get", "--raw", "/readyz"]).run().into()))
        .unwrap();
    // It has left its own Service and comes back into it; what leads Pods there hears of both by a
    // watch that pauses longer after each start.
    until("the API server in its Service", PATIENCE, || {
        let address = "jsonpath={.items[*].endpoints[*].addresses}";
        let slices = ["get", "endpointslices", "--namespace=default", "--output", address];
        let found = kubectl(&slices).run()?;
        Ok((!found.trim().is_empty()).then_some(()).into())
    })
    .unwrap();
    cluster.component(Program::Proxy).restart().unwrap();
}

impl Plugin {
    fn enable() -> Self {
        let plugin = Self;
        // Beside those that are enabled already.
        restart(&["--enable-admission-plugins=AlwaysPullImages"]);
        plugin
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        restart(&[]);
    }
}

#[test]
fn annotated_pods_are_admitted() {
    let place = Namespace::opted_in("every-image");
    let plugin = Plugin::enable();
    admits(&place);
    let refresh = ("mode", "refresh");
    for annotations in [&[][..], &[refresh], &[refresh, ("native-sidecar", "false")]] {
        // Nothing runs: the images of this cluster are in no registry.
        let (pod, said) = place.admitted(&annotated(app("web", "true"), annotations));
        let policies: Vec<_> = ["initContainers", "containers"]
            .iter()
            .flat_map(|list| pod["spec"][list].as_array().unwrap())
            .map(|container: &Value| &container["imagePullPolicy"])
            .collect();
        assert!(policies.len() >= 2, "{annotations:?}: {pod}");
        assert!(policies.iter().all(|policy| *policy == "Always"), "{annotations:?}: {pod} {said}");
    }
    drop(plugin);
    at_work(&place);
}
