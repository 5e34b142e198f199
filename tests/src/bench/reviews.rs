//! Admission reviews of ordinary shapes and known sizes.

use serde_json::{Value, json};

/// Two containers with probes and environment, a projected token and managed fields: about 8 KB.
pub(super) fn typical() -> Vec<u8> {
    review(2, 14, SECRETS)
}

/// A Pod as large as generators make them: about 120 KB.
pub(super) fn large() -> Vec<u8> {
    review(24, 46, SECRETS)
}

/// The typical Pod without annotations of ours.
pub(super) fn not_injected() -> Vec<u8> {
    review(2, 14, "")
}

fn review(containers: usize, variables: usize, secrets: &str) -> Vec<u8> {
    let containers: Vec<Value> = (0..containers).map(|n| container(n, variables)).collect();
    let mut annotations = json!({
        "prometheus.io/scrape": "true",
        "prometheus.io/port": "9090",
        "kubectl.kubernetes.io/restartedAt": "2026-11-22T10:00:00Z",
    });
    if let (false, Some(annotations)) = (secrets.is_empty(), annotations.as_object_mut()) {
        annotations.insert("kms.alibabacloud/secrets".to_owned(), json!(secrets));
        let role = "acs:ram::1234567890123456:role/checkout";
        annotations.insert("kms.alibabacloud/role-arn".to_owned(), json!(role));
    }
    let review = json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
            "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "resource": {"group": "", "version": "v1", "resource": "pods"},
            "requestKind": {"group": "", "version": "v1", "kind": "Pod"},
            "requestResource": {"group": "", "version": "v1", "resource": "pods"},
            "namespace": "shop",
            "operation": "CREATE",
            "userInfo": {
                "username": "system:serviceaccount:kube-system:replicaset-controller",
                "uid": "d38f3c0a-7f4f-4d0a-9d5b-6a7f7a0c9d11",
                "groups": ["system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"],
            },
            "object": {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {
                    "generateName": "checkout-6d5f7b9c8-",
                    "namespace": "shop",
                    "creationTimestamp": null,
                    "labels": {"app": "checkout", "pod-template-hash": "6d5f7b9c8", "team": "payments"},
                    "annotations": annotations,
                    "ownerReferences": [{
                        "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "checkout-6d5f7b9c8",
                        "uid": "4a1ff3d8-90a5-4a0e-9f0c-5a8d5b3ed001", "controller": true, "blockOwnerDeletion": true,
                    }],
                    "managedFields": [{
                        "manager": "kube-controller-manager", "operation": "Update", "apiVersion": "v1",
                        "time": "2026-11-22T10:00:00Z", "fieldsType": "FieldsV1",
                        "fieldsV1": {"f:metadata": {"f:generateName": {}, "f:labels": {".": {}, "f:app": {}},
                            "f:ownerReferences": {".": {}}}, "f:spec": {"f:containers": {".": {}},
                            "f:dnsPolicy": {}, "f:restartPolicy": {}, "f:schedulerName": {}}},
                    }],
                },
                "spec": {
                    "volumes": [
                        {"name": "config", "configMap": {"name": "checkout", "defaultMode": 420}},
                        {"name": "kube-api-access-x7k2p", "projected": {"defaultMode": 420, "sources": [
                            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
                        ]}},
                    ],
                    "containers": containers,
                    "restartPolicy": "Always",
                    "terminationGracePeriodSeconds": 30,
                    "dnsPolicy": "ClusterFirst",
                    "serviceAccountName": "checkout",
                    "serviceAccount": "checkout",
                    "securityContext": {"runAsUser": 1000, "fsGroup": 2000},
                    "schedulerName": "default-scheduler",
                    "tolerations": [
                        {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
                        {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
                    ],
                    "priority": 0,
                    "enableServiceLinks": true,
                    "preemptionPolicy": "PreemptLowerPriority",
                },
                "status": {},
            },
            "oldObject": null,
            "dryRun": false,
            "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"},
        },
    });
    review.to_string().into_bytes()
}

fn container(number: usize, variables: usize) -> Value {
    let env: Vec<Value> = (0..variables)
        .map(|n| json!({"name": format!("CHECKOUT_SETTING_{n}"), "value": format!("https://service-{n}.shop.svc.cluster.local:8080/v1")}))
        .collect();
    let probe = json!({
        "httpGet": {"path": "/healthz", "port": 8080, "scheme": "HTTP"},
        "initialDelaySeconds": 5, "timeoutSeconds": 1, "periodSeconds": 10,
        "successThreshold": 1, "failureThreshold": 3,
    });
    json!({
        "name": format!("checkout-{number}"),
        "image": "registry.example/shop/checkout:1.42.0",
        "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
        "env": env,
        "resources": {"limits": {"cpu": "1", "memory": "512Mi"}, "requests": {"cpu": "250m", "memory": "256Mi"}},
        "volumeMounts": [
            {"name": "config", "mountPath": "/etc/checkout", "readOnly": true},
            {"name": "kube-api-access-x7k2p", "readOnly": true, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"},
        ],
        "livenessProbe": probe,
        "readinessProbe": probe,
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "imagePullPolicy": "IfNotPresent",
        "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": true},
    })
}

const SECRETS: &str = "\
db-user: kms://shop/db#username
db-password: kms://shop/db#password
api-token: {source: oos://shop-api-token, fileMode: \"0440\"}
";
