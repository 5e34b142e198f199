//! A Pod names a SecretProviderClass that is there from the CSI driver, and gets its files without the
//! driver: there is none in this cluster, only the kind of object.

use serde_json::{Value, json};

use crate::pods::{annotated, checks_files, plain};
use crate::stage::{Namespace, kubectl};

const KIND: &str = "secretproviderclasses.secrets-store.csi.x-k8s.io";

/// The files of `pods::SECRETS`, as the provider has them.
const OBJECTS: &str = "\
- objectName: app/db
  objectAlias: db.json
  jmesPath:
    - path: password
      objectAlias: password
- objectName: app/binary
  objectAlias: binary
- objectName: app-token
  objectAlias: token
  objectType: oos
";

/// The kind of object as the driver installs it, as far as it is read here.
fn kind() -> Value {
    let any = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
    let schema = json!({ "openAPIV3Schema": { "type": "object", "properties": { "spec": {
        "type": "object",
        "properties": {
            "provider": { "type": "string" },
            "parameters": { "type": "object", "additionalProperties": { "type": "string" } },
            "secretObjects": { "type": "array", "items": any },
        },
    } } } });
    let version = |name: &str, storage: bool| json!({ "name": name, "served": true, "storage": storage, "schema": schema });
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": KIND },
        "spec": {
            "group": "secrets-store.csi.x-k8s.io",
            "scope": "Namespaced",
            "names": {
                "kind": "SecretProviderClass",
                "listKind": "SecretProviderClassList",
                "plural": "secretproviderclasses",
                "singular": "secretproviderclass",
            },
            "versions": [version("v1", true), version("v1alpha1", false)],
        },
    })
}

fn class(version: &str, name: &str, objects: &str) -> Value {
    json!({
        "apiVersion": format!("secrets-store.csi.x-k8s.io/{version}"),
        "kind": "SecretProviderClass",
        "metadata": { "name": name },
        "spec": { "provider": "alibabacloud", "parameters": { "objects": objects } },
    })
}

fn pod(name: &str, class: &str) -> Value {
    annotated(plain(name, &checks_files()), &[("secret-provider-class", class)])
}

#[test]
fn which_the_csi_driver_would_read() {
    let place = Namespace::opted_in("class");
    let missing = place.refused(&pod("early", "db"));
    assert!(missing.contains("there is no SecretProviderClass db in namespace"), "{missing}");

    let made = kubectl(&["apply", "-f", "-"]).input(kind().to_string()).output().unwrap();
    assert!(made.success, "{}", made.stderr);
    let wait = ["wait", "--for=condition=Established", "--timeout=60s"];
    kubectl(&wait).args(["crd", KIND]).run().unwrap();

    place.create(&class("v1", "db", OBJECTS));
    place.create(&class("v1alpha1", "older", OBJECTS));
    for name in ["db", "older"] {
        place.create(&pod(name, name));
    }
    for name in ["db", "older"] {
        place.succeeded(name);
    }

    let mut foreign = class("v1", "foreign", OBJECTS);
    foreign["spec"]["provider"] = json!("vault");
    place.create(&foreign);
    let refused = place.refused(&pod("foreign", "foreign"));
    assert!(refused.contains("SecretProviderClass foreign, provider: it is not"), "{refused}");
    place.create(&class("v1", "bad", "- objectName: app/db\n  objectAlias: ../db\n"));
    let refused = place.refused(&pod("bad", "bad"));
    let told = "SecretProviderClass bad, parameters.objects, line 2, item 1, objectAlias";
    assert!(refused.contains(told), "{refused}");

    let mut synced = class("v1", "synced", OBJECTS);
    synced["spec"]["secretObjects"] = json!([{ "secretName": "x", "type": "Opaque" }]);
    place.create(&synced);
    let (_, warnings) = place.admitted(&pod("synced", "synced"));
    assert!(warnings.contains("no Kubernetes Secret is made of it"), "{warnings}");

    kubectl(&["delete", "crd", KIND]).run().unwrap();
}
