//! Which certificate authorities are trusted for which hosts.

use std::path::Path;
use std::sync::Arc;

use cloud::{PUBLISHED_CA, Transport, TransportConfig};
use plan::{GatewayCa, Plan};
use secret::Sensitive;

use crate::input::args::Args;
use crate::process::bounded;
use crate::report::exit::Exit;
use crate::report::problem::Problem;

/// A bundle of every public CA has a quarter of this.
const CA_LIMIT: usize = 1024 * 1024;

pub(super) fn transport(args: &Args, plan: &Plan) -> Result<Arc<Transport>, Problem> {
    let private_ca = match plan.gateway_ca() {
        None => None,
        Some(GatewayCa::Mounted) => Some(ca(&args.private_ca())?),
        Some(GatewayCa::Given(bundle)) => Some(bundle.as_str().as_bytes().to_vec()),
        Some(GatewayCa::Published) => Some(PUBLISHED_CA.as_bytes().to_vec()),
    };
    let extra_ca = args.ca.as_deref().map(ca).transpose()?;
    let connect_to = args.connect_to.clone();
    let proxy = plan.https_proxy().map(|proxy| proxy.as_str().to_owned());
    let config =
        TransportConfig { proxy, private_ca, extra_ca, connect_to, ..TransportConfig::default() };
    let transport = Transport::new(config).map_err(|error| {
        Problem::new(Exit::Local, error.to_string())
            .advise("the CA file, or gatewayCa in the operator's settings")
    })?;
    Ok(Arc::new(transport))
}

fn ca(path: &Path) -> Result<Vec<u8>, Problem> {
    match bounded::read(path, CA_LIMIT) {
        Ok(bytes) => Ok(Sensitive::expose(&bytes).to_vec()),
        Err(problem) => {
            let text = format!("the CA file {} {problem}", path.display());
            Err(Problem::new(Exit::Local, text).advise("the ConfigMap or file that holds the CA"))
        }
    }
}
