//! Runs the official Python SDKs against the emulator: `sdk/conformance.py` and `sdk/batches.py` have the cases.

#![allow(clippy::unwrap_used, reason = "test code outside of test functions")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use lab::cloud::{Cloud, CloudConfig, Seed};
use lab::python::{interpreter, run};
use serde_json::json;
use tokio::process::Command;

const SCRIPTS: [&str; 2] = ["conformance.py", "batches.py"];
const SEED: &[u8] = include_bytes!("../sdk/seed.json");

const CASES: Duration = Duration::from_secs(300);

#[tokio::test(flavor = "multi_thread")]
async fn the_official_sdks_and_the_emulator_agree() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let python = match interpreter(target).await {
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
        "metadataPort": cloud.metadata().port(),
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
