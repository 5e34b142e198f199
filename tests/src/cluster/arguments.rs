//! What each program of a cluster is started with.

use super::layout::{
    ADMIN, CLOUD, ETCD, ETCD_PEER, ISSUER, Layout, METADATA, NODE, NODE_ADDRESS, PODS, SERVICES,
};
use super::program::Program;

pub(crate) fn arguments(program: Program, layout: &Layout) -> Vec<String> {
    match program {
        Program::Etcd => etcd(layout),
        Program::ApiServer => api_server(layout),
        Program::ControllerManager => controller_manager(layout),
        Program::Scheduler => vec![
            format!("--kubeconfig={}", layout.kubeconfig_of("scheduler").display()),
            "--leader-elect=false".to_owned(),
        ],
        Program::Containerd => {
            vec![format!("--config={}", layout.configuration("containerd.toml").display())]
        }
        Program::Kubelet => vec![
            format!("--config={}", layout.configuration("kubelet.json").display()),
            format!("--kubeconfig={}", layout.kubeconfig_of("node").display()),
            format!("--root-dir={}", layout.kubelet().display()),
            format!("--hostname-override={NODE}"),
            format!("--node-ip={NODE_ADDRESS}"),
        ],
        Program::Proxy => vec![
            format!("--config={}", layout.configuration("kube-proxy.json").display()),
            format!("--hostname-override={NODE}"),
        ],
        Program::Dns => vec![format!("-conf={}", layout.configuration("Corefile").display())],
        Program::Cloud => cloud(layout),
    }
}

fn etcd(layout: &Layout) -> Vec<String> {
    vec![
        format!("--data-dir={}", layout.etcd().display()),
        format!("--listen-client-urls={ETCD}"),
        format!("--advertise-client-urls={ETCD}"),
        format!("--listen-peer-urls={ETCD_PEER}"),
        format!("--initial-advertise-peer-urls={ETCD_PEER}"),
        format!("--initial-cluster=default={ETCD_PEER}"),
        // Nothing here outlives the machine.
        "--unsafe-no-fsync".to_owned(),
    ]
}

fn api_server(layout: &Layout) -> Vec<String> {
    let crt = |name: &str| layout.certificate(name).display().to_string();
    let key = |name: &str| layout.key(name).display().to_string();
    vec![
        format!("--etcd-servers={ETCD}"),
        format!("--bind-address={NODE_ADDRESS}"),
        format!("--advertise-address={NODE_ADDRESS}"),
        "--secure-port=6443".to_owned(),
        // Else it would wait a minute for watches to end when it is told to.
        "--shutdown-watch-termination-grace-period=1s".to_owned(),
        format!("--service-cluster-ip-range={SERVICES}"),
        "--authorization-mode=Node,RBAC".to_owned(),
        "--enable-admission-plugins=NodeRestriction".to_owned(),
        "--allow-privileged=true".to_owned(),
        format!("--client-ca-file={}", crt("ca")),
        format!("--tls-cert-file={}", crt("apiserver")),
        format!("--tls-private-key-file={}", key("apiserver")),
        format!("--kubelet-certificate-authority={}", crt("ca")),
        format!("--kubelet-client-certificate={}", crt("kubelet-client")),
        format!("--kubelet-client-key={}", key("kubelet-client")),
        "--kubelet-preferred-address-types=InternalIP".to_owned(),
        format!("--service-account-issuer={ISSUER}"),
        format!("--service-account-jwks-uri={ISSUER}/jwks"),
        format!("--service-account-signing-key-file={}", key("service-accounts")),
        format!("--service-account-key-file={}", crt("service-accounts")),
        // Then a webhook's Service is resolved to its Pods by the API server itself.
        "--enable-aggregator-routing=true".to_owned(),
        format!("--requestheader-client-ca-file={}", crt("ca")),
        "--requestheader-allowed-names=front-proxy".to_owned(),
        "--requestheader-username-headers=X-Remote-User".to_owned(),
        "--requestheader-group-headers=X-Remote-Group".to_owned(),
        "--requestheader-extra-headers-prefix=X-Remote-Extra-".to_owned(),
        format!("--proxy-client-cert-file={}", crt("front-proxy")),
        format!("--proxy-client-key-file={}", key("front-proxy")),
    ]
}

fn controller_manager(layout: &Layout) -> Vec<String> {
    let crt = |name: &str| layout.certificate(name).display().to_string();
    let key = |name: &str| layout.key(name).display().to_string();
    vec![
        format!("--kubeconfig={}", layout.kubeconfig_of("controller-manager").display()),
        format!("--service-account-private-key-file={}", key("service-accounts")),
        format!("--root-ca-file={}", crt("ca")),
        format!("--cluster-signing-cert-file={}", crt("ca")),
        format!("--cluster-signing-key-file={}", key("ca")),
        format!("--cluster-cidr={PODS}"),
        format!("--service-cluster-ip-range={SERVICES}"),
        "--use-service-account-credentials=true".to_owned(),
        "--leader-elect=false".to_owned(),
    ]
}

fn cloud(layout: &Layout) -> Vec<String> {
    let directory = layout.cloud();
    vec![
        "cloud".to_owned(),
        format!("--out={}", directory.display()),
        format!("--seed={}", directory.join("seed.json").display()),
        format!("--https={CLOUD}:443"),
        format!("--http={CLOUD}:80"),
        format!("--metadata={METADATA}:80"),
        format!("--admin={ADMIN}"),
    ]
}
