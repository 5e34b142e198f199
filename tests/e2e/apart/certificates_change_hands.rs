//! The maker of the certificates can be changed: to the operator, and back to the webhook.

use std::time::{Duration, SystemTime};

use serde_json::json;

use crate::install::helm;
use crate::pods::{app, checks_files};
use crate::release::{CERTIFICATE, at_work, ca_bundle, ours};
use crate::stage::{Namespace, RELEASE, RELEASE_NAMESPACE, cluster, kubectl};

const OWN: &str = "webhook-certificate";

#[test]
fn to_the_operators_own_and_back() {
    let place = Namespace::opted_in("own-certificate");
    let host = format!("{RELEASE}.{RELEASE_NAMESPACE}.svc");
    let year = Duration::from_secs(365 * 24 * 60 * 60);
    let issued = certs::issue(&[host], SystemTime::now(), year).unwrap();
    let secret = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": { "name": OWN },
        "type": "kubernetes.io/tls",
        "stringData": { "tls.crt": issued.cert_pem, "tls.key": issued.key.pem() },
    });
    ours(&["create", "-f", "-"]).input(secret.to_string()).run().unwrap();
    let values = json!({ "certificates": {
        "mode": "own", "own": { "secretName": OWN, "caBundle": issued.ca_pem },
    }});
    let file = cluster().layout().root().join("own-certificate.json");
    std::fs::write(&file, values.to_string()).unwrap();
    let file = file.display().to_string();
    let account = format!("--as=system:serviceaccount:{RELEASE_NAMESPACE}:{RELEASE}");
    let configuration = format!("mutatingwebhookconfigurations/{RELEASE}");
    let may = |wanted: &str| {
        for right in [["get", CERTIFICATE], ["patch", &configuration]] {
            let said = ours(&["auth", "can-i", &account]).args(right).output().unwrap();
            assert_eq!(said.stdout.trim(), wanted, "{right:?}");
        }
    };
    may("yes");
    // As the chart's README says: the webhook has written caBundle until now.
    helm("upgrade", &["--values", &file, "--wait", "--force-conflicts"]).run().unwrap();
    at_work(&place);
    assert_eq!(ca_bundle(), issued.ca_pem);
    // With the certificate it has lost the rights to make one.
    may("no");
    place.create(&app("own", &checks_files()));
    place.succeeded("own");

    helm("upgrade", &["--wait", "--force-conflicts"]).run().unwrap();
    at_work(&place);
    assert_ne!(ca_bundle(), issued.ca_pem);
    may("yes");
    place.create(&app("back", &checks_files()));
    place.succeeded("back");
    kubectl(&["delete", "secret", OWN, "--namespace", RELEASE_NAMESPACE]).run().unwrap();
}
