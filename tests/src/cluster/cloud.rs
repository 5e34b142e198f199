//! The emulated cloud beside the cluster: under the real host names, and with the API server's own
//! keys for the tokens that it is shown.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::handle::Cluster;
use super::layout::{ADMIN, ISSUER, Layout};
use super::program::Program;
use super::tools::Tool;
use super::wait::until;

pub(crate) fn start(cluster: &Cluster, seed: &Path) -> Result<()> {
    let layout = cluster.layout();
    fs::create_dir_all(layout.cloud())?;
    fs::copy(seed, layout.cloud().join("seed.json"))
        .with_context(|| format!("reading {}", seed.display()))?;
    cluster.component(Program::Cloud).start()?;
    until("the emulated cloud", Duration::from_secs(30), || {
        cluster.component(Program::Cloud).check()?;
        Ok(layout.cloud().join("ready.json").exists().then_some(()).into())
    })
}

/// Gives every OIDC provider of the seed that names the cluster's issuer the cluster's keys.
pub(crate) fn trust(cluster: &Cluster) -> Result<()> {
    let keys = cluster.kubectl().args(["get", "--raw", "/openid/v1/jwks"]).json()?;
    let seed: Value =
        serde_json::from_slice(&fs::read(cluster.layout().cloud().join("seed.json"))?)?;
    let list = |value: &Value, name: &str| {
        value.get(name).and_then(Value::as_array).cloned().unwrap_or_default()
    };
    let mut known = 0;
    for account in list(&seed, "accounts") {
        for provider in list(&account, "providers") {
            if provider.get("issuer").and_then(Value::as_str) != Some(ISSUER) {
                continue;
            }
            known += 1;
            let body = json!({
                "account": account.get("id"), "provider": provider.get("name"), "keys": keys,
            });
            post(cluster, "/providers/keys", &body)?;
        }
    }
    ensure!(known > 0, "no OIDC provider of the seed has the issuer {ISSUER}");
    Ok(())
}

/// Posts to the admin API.
pub(crate) fn post(cluster: &Cluster, path: &str, body: &Value) -> Result<String> {
    let json = ["-X", "POST", "--data-binary", "@-", "-H", "Content-Type: application/json"];
    curl(cluster, path).args(json).input(body.to_string()).run()
}

/// Asks the admin API.
pub(crate) fn get(cluster: &Cluster, path: &str) -> Result<Value> {
    curl(cluster, path).json()
}

/// An own program, because the answer has to come from inside the network.
fn curl(cluster: &Cluster, path: &str) -> Tool {
    let url = format!("http://{ADMIN}{path}");
    let curl = cluster.inside(Path::new("curl"));
    curl.args(["-sS", "--fail-with-body", "--max-time", "10", &url])
}

pub(crate) fn ca(layout: &Layout) -> Result<String> {
    fs::read_to_string(layout.cloud().join("ca.pem")).context("reading the cloud's CA")
}
