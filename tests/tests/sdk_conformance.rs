//! Runs the official Python SDKs against the emulator: `sdk/conformance.py` and `sdk/batches.py` have the cases.

#![allow(clippy::unwrap_used, reason = "test code outside of test functions")]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use lab::cloud::{Cloud, CloudConfig, Seed};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::process::Command;
use tokio::time::timeout;

const REQUIREMENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/sdk/requirements.txt");
const SCRIPTS: [&str; 2] = ["conformance.py", "batches.py"];
const SEED: &[u8] = include_bytes!("../sdk/seed.json");

/// Downloads included, on a slow line.
const INSTALL: Duration = Duration::from_secs(900);
const CASES: Duration = Duration::from_secs(300);

#[tokio::test(flavor = "multi_thread")]
async fn the_official_sdks_and_the_emulator_agree() {
    let python = match interpreter().await {
        Ok(python) => python,
        Err(why) => {
            let ci = std::env::var("CI").is_ok_and(|value| value == "true");
            assert!(!ci, "the official SDKs must be run: {why}");
            eprintln!("skipped: the official SDKs cannot be run: {why}");
            return;
        }
    };
    let mut config = CloudConfig::new(Seed::from_json(SEED).unwrap());
    config.rules.kms_over_http = true;
    let cloud = Cloud::start(config).await.unwrap();
    let files = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = files.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let lab = json!({
        "httpsPort": cloud.https().port(),
        "httpPort": cloud.http().port(),
        "admin": cloud.admin(),
        "ca": write("ca.pem", cloud.ca_pem()),
        "privateCa": write("private-ca.pem", cloud.private_ca_pem()),
    });
    let lab = write("lab.json", &lab.to_string());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk");
    for script in SCRIPTS {
        let mut cases = Command::new(&python);
        // Nothing of the surroundings: no proxy, no profile, no other trust.
        cases.env_clear().env("LAB_CONFIG", &lab);
        cases.env("HOME", files.path()).env("PYTHONDONTWRITEBYTECODE", "1");
        let output = run(cases.arg(folder.join(script)), CASES).await.unwrap();
        let report = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{report}");
        assert!(report.contains("OK"), "{report}");
    }
}

/// The Python of an environment with exactly the pinned packages, made when it is not there; or why
/// there is none.
async fn interpreter() -> Result<PathBuf, String> {
    let pinned = fs::read(REQUIREMENTS).unwrap();
    let hash: String =
        Sha256::digest(&pinned).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let environment = target.join("sdk-venv").join(hash);
    let (python, complete) = (environment.join("bin/python"), environment.join("complete"));
    if complete.exists() {
        return Ok(python);
    }
    let mut venv = Command::new("python3");
    install("python3 -m venv", venv.args(["-m", "venv", "--clear"]).arg(&environment)).await?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r"]);
    install("pip install", pip.arg(REQUIREMENTS)).await?;
    fs::write(complete, "").unwrap();
    Ok(python)
}

async fn install(what: &str, command: &mut Command) -> Result<(), String> {
    let output = run(command, INSTALL).await.map_err(|error| format!("{what}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(format!("{what} failed: {said}")) }
}

async fn run(command: &mut Command, patience: Duration) -> io::Result<Output> {
    let command = command.stdin(Stdio::null()).kill_on_drop(true);
    timeout(patience, command.output()).await.map_err(|_| io::ErrorKind::TimedOut)?
}
