//! What a kubelet does with an injected Pod until its applications start, done in a directory: it
//! makes the volumes, puts the token there, expands the environment and runs our container.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::cloud::{Cloud, TokenRequest};
use crate::fetcher::{self, Ended, Seen};
use crate::manifest;

/// The signer of the tokens of `examples/cloud.json`'s cluster.
const ISSUER: &str = "https://oidc-ack-cn-hangzhou.oss-cn-hangzhou.aliyuncs.com/demo";

const OURS: &str = "kms-secrets-init";
const SECRETS: &str = "kms-secrets";

/// A Pod on its node.
pub struct Sandbox {
    root: TempDir,
    pod: Value,
    connect_to: String,
}

impl Sandbox {
    /// Makes what our container mounts, and nothing else.
    pub fn new(cloud: &Cloud, pod: &Value, namespace: &str) -> Result<Self> {
        let sandbox = Self {
            root: tempfile::tempdir().context("making a directory for a Pod")?,
            pod: pod.clone(),
            connect_to: format!("*={}", cloud.https()),
        };
        fs::create_dir_all(sandbox.path("/dev"))?;
        fs::write(sandbox.path("/lab-ca.pem"), cloud.ca_pem())?;
        for mount in list(sandbox.container()?, "volumeMounts") {
            let directory = sandbox.path(text(mount, "mountPath")?);
            fs::create_dir_all(&directory)?;
            let name = text(mount, "name")?;
            sandbox
                .fill(cloud, namespace, name, &directory)
                .with_context(|| format!("volume {name}"))?;
        }
        Ok(sandbox)
    }

    fn fill(&self, cloud: &Cloud, namespace: &str, name: &str, directory: &Path) -> Result<()> {
        let volumes = self.pod.pointer("/spec/volumes").and_then(Value::as_array);
        let volume = volumes.into_iter().flatten().find(|volume| text(volume, "name") == Ok(name));
        let volume = volume.context("no such volume")?;
        if let Some(empty) = volume.get("emptyDir") {
            ensure!(text(empty, "medium")? == "Memory", "it would be on the node's disk");
            return Ok(());
        }
        if let Some(projected) = volume.get("projected") {
            for source in list(projected, "sources") {
                let token = source.get("serviceAccountToken").context("no token")?;
                let account = self.pod.pointer("/spec/serviceAccountName").and_then(Value::as_str);
                let request = TokenRequest {
                    audiences: vec![text(token, "audience")?.to_owned()],
                    lifetime_seconds: token
                        .get("expirationSeconds")
                        .and_then(Value::as_i64)
                        .context("no expirationSeconds")?,
                    ..TokenRequest::new(ISSUER, namespace, account.unwrap_or("default"))
                };
                let path = directory.join(text(token, "path")?);
                fs::write(path, cloud.issuer().mint(&request)?)?;
            }
            return Ok(());
        }
        if volume.get("configMap").is_some() {
            return Ok(fs::write(directory.join("ca.crt"), cloud.private_ca_pem())?);
        }
        bail!("a kind that our container has no use for")
    }

    /// Runs our container once, with the image's `/secrets-injector`. Three options are added, which
    /// only local runs have: where `/` is, whom to trust, and where the cloud listens.
    pub async fn run(&self) -> Result<Ended> {
        let words = self.words()?;
        let (program, words) = words.split_first().context("no command")?;
        ensure!(program == "/secrets-injector", "the image has no {program}");
        self.exec(words).await
    }

    /// Other words for the same program in the same container.
    pub async fn exec<W: AsRef<OsStr>>(&self, words: &[W]) -> Result<Ended> {
        let mut command = Command::new(fetcher::binary()?);
        command.env_clear().envs(self.variables()?).args(words);
        command.arg("--root").arg(self.root.path()).arg("--ca").arg(self.path("/lab-ca.pem"));
        command.arg("--connect-to").arg(&self.connect_to);
        fetcher::end(command, &self.path("/dev/termination-log")).await
    }

    /// Command and arguments as the process gets them.
    pub fn words(&self) -> Result<Vec<String>> {
        let (container, variables) = (self.container()?, self.variables()?);
        let words = list(container, "command").iter().chain(list(container, "args"));
        words
            .map(|word| Ok(expand(word.as_str().context("a word that is no text")?, &variables)))
            .collect()
    }

    /// The environment as the process gets it.
    pub fn variables(&self) -> Result<BTreeMap<String, String>> {
        let mut variables = BTreeMap::new();
        for variable in list(self.container()?, "env") {
            let value = expand(text(variable, "value")?, &variables);
            variables.insert(text(variable, "name")?.to_owned(), value);
        }
        Ok(variables)
    }

    /// What a container of the application finds where it mounts the secrets.
    pub fn files(&self, consumer: &str) -> Result<BTreeMap<String, Seen>> {
        fetcher::files_in(&self.mount(consumer)?)
    }

    /// Where that is. Only a mount that cannot write counts.
    pub fn mount(&self, consumer: &str) -> Result<PathBuf> {
        let container =
            manifest::container(&self.pod, consumer).context("no such container in the Pod")?;
        let mounts = list(container, "volumeMounts");
        let mount = mounts.iter().find(|mount| text(mount, "name") == Ok(SECRETS));
        let mount = mount.with_context(|| format!("{consumer} does not mount the secrets"))?;
        ensure!(mount.get("readOnly") == Some(&Value::Bool(true)), "{consumer} could write");
        Ok(self.path(text(mount, "mountPath")?))
    }

    /// A path of the container on this machine.
    pub fn path(&self, inside: &str) -> PathBuf {
        self.root.path().join(inside.trim_start_matches('/'))
    }

    fn container(&self) -> Result<&Value> {
        manifest::container(&self.pod, OURS).context("the Pod has no container of ours")
    }
}

/// `$(NAME)` becomes the variable's value, or stays when there is none; `$$` becomes `$`.
pub fn expand(text: &str, variables: &BTreeMap<String, String>) -> String {
    let (mut done, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once('$') {
        done.push_str(before);
        rest = after;
        if let Some(after) = rest.strip_prefix('$') {
            done.push('$');
            rest = after;
        } else if let Some((name, after)) =
            rest.strip_prefix('(').and_then(|inside| inside.split_once(')'))
        {
            match variables.get(name) {
                Some(value) => done.push_str(value),
                None => done.push_str(&format!("$({name})")),
            }
            rest = after;
        } else {
            done.push('$');
        }
    }
    done + rest
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn text<'v>(value: &'v Value, name: &str) -> Result<&'v str, Missing> {
    value.get(name).and_then(Value::as_str).ok_or_else(|| Missing(name.to_owned()))
}

/// A field that every kubelet needs.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("no text in {0}")]
struct Missing(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_expanded_as_a_kubelet_was_seen_to_do_it() {
        let variables = BTreeMap::from([("A".to_owned(), "hello".to_owned())]);
        let expanded = expand("a$$b $(A) $(NOPE) $$(A)", &variables);
        assert_eq!(expanded, "a$b hello $(NOPE) $(A)");
        for same in ["$", "$(A", "$x", "a$", "$)", ""] {
            assert_eq!(expand(same, &variables), same);
        }
        assert_eq!(expand("$$$(A)$$$", &variables), "$hello$$");
    }
}
