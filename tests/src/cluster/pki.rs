//! The cluster's certificates and keys: one CA, a certificate for everybody who talks to the API
//! server, and the key that signs ServiceAccount tokens.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

use super::layout::{FIRST_SERVICE, Layout, NODE, NODE_ADDRESS};

/// Everybody with a certificate: file name, name, groups, names it serves under.
const SUBJECTS: [(&str, &str, &str, &[&str]); 8] = [
    (
        "apiserver",
        "kube-apiserver",
        "",
        &[
            "kubernetes",
            "kubernetes.default",
            "kubernetes.default.svc",
            "kubernetes.default.svc.cluster.local",
            "localhost",
            "127.0.0.1",
            NODE_ADDRESS,
            FIRST_SERVICE,
        ],
    ),
    ("admin", "admin", "system:masters", &[]),
    ("kubelet-client", "kube-apiserver-kubelet-client", "system:masters", &[]),
    ("front-proxy", "front-proxy", "", &[]),
    ("controller-manager", "system:kube-controller-manager", "", &[]),
    ("scheduler", "system:kube-scheduler", "", &[]),
    ("proxy", "system:kube-proxy", "", &[]),
    ("node", "system:node:node", "system:nodes", &[NODE, NODE_ADDRESS]),
];

pub(crate) fn write(layout: &Layout) -> Result<()> {
    let directory = layout.root().join("pki");
    fs::create_dir_all(&directory).with_context(|| format!("making {}", directory.display()))?;
    let ca_key = KeyPair::generate()?;
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, "cluster CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    let ca = params.self_signed(&ca_key)?;
    write_pair(layout, "ca", &ca.pem(), &ca_key)?;
    let issuer = Issuer::new(params, ca_key);
    for (file, name, group, served) in SUBJECTS {
        let served: Vec<String> = served.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(served)?;
        params.distinguished_name.push(DnType::CommonName, name);
        if !group.is_empty() {
            params.distinguished_name.push(DnType::OrganizationName, group);
        }
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &issuer)?;
        write_pair(layout, file, &certificate.pem(), &key)?;
    }
    let tokens = KeyPair::generate()?;
    write_private(&layout.key("service-accounts"), &tokens.serialize_pem())?;
    // The API server verifies with the public half.
    write_file(&layout.certificate("service-accounts"), &tokens.public_key_pem())
}

fn write_pair(layout: &Layout, name: &str, certificate: &str, key: &KeyPair) -> Result<()> {
    write_file(&layout.certificate(name), certificate)?;
    write_private(&layout.key(name), &key.serialize_pem())
}

fn write_file(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}

fn write_private(path: &Path, text: &str) -> Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = fs::OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("writing {}", path.display()))
}
