//! Where the fetcher serves its metrics, and whether the Pod leaves it the port.

use crate::ask::annotations::SecretsRequest;
use crate::pod::Pod;
use crate::problem::{Problem, Problems};
use crate::text::display_name;

const KEY: &str = "metrics-port";

pub(crate) fn check(pod: &Pod<'_>, request: &SecretsRequest<'_>, problems: &mut Problems) {
    let Some(port) = request.options.metrics_port else { return };
    let mut problem = |what: String, remedy: &str| {
        problems.push(Problem::annotation(KEY, what, remedy));
    };
    if request.is_stray(KEY) {
        problem(
            "the mode is init, in which the fetcher ends before the application starts".to_owned(),
            "set kms.alibabacloud/mode to refresh, or remove it",
        );
    }
    if pod.spec.host_network {
        problem(
            "with hostNetwork the port would be the node's, open to its whole network".to_owned(),
            "remove hostNetwork, or the annotation",
        );
    }
    let mut taken = pod
        .foreign_containers()
        .filter(|(_, _, container)| container.tcp_ports().any(|taken| taken == port));
    if let Some((_, _, container)) = taken.next() {
        problem(
            format!("container {:?} declares the port {port}", display_name(&container.name)),
            "use another port",
        );
    }
}
