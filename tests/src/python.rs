//! Python with the official libraries of others, by the exact versions of `sdk/requirements.txt`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::process::Command;
use tokio::time::timeout;

const REQUIREMENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/sdk/requirements.txt");

/// Downloads included, on a slow line.
const INSTALL: Duration = Duration::from_secs(900);

/// The Python of an environment with exactly the pinned packages, made in the target folder when it is
/// not there; or why there is none.
pub async fn interpreter(target: &Path) -> Result<PathBuf, String> {
    let words = |error: io::Error| error.to_string();
    let pinned = fs::read(REQUIREMENTS).map_err(words)?;
    let hash: String =
        Sha256::digest(&pinned).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let home = target.join("sdk-venv");
    fs::create_dir_all(&home).map_err(words)?;
    // Several tests ask for it, and some at once: the first installs, the others wait for it.
    let turn = fs::File::create(home.join("lock")).map_err(words)?;
    turn.lock().map_err(words)?;
    let environment = home.join(hash);
    let (python, complete) = (environment.join("bin/python"), environment.join("complete"));
    if complete.exists() {
        return Ok(python);
    }
    let mut venv = Command::new("python3");
    install("python3 -m venv", venv.args(["-m", "venv", "--clear"]).arg(&environment)).await?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r"]);
    install("pip install", pip.arg(REQUIREMENTS)).await?;
    fs::write(complete, "").map_err(words)?;
    Ok(python)
}

async fn install(what: &str, command: &mut Command) -> Result<(), String> {
    let output = run(command, INSTALL).await.map_err(|error| format!("{what}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(format!("{what} failed: {said}")) }
}

/// The command's end, which comes in time.
pub async fn run(command: &mut Command, patience: Duration) -> io::Result<Output> {
    let command = command.stdin(Stdio::null()).kill_on_drop(true);
    timeout(patience, command.output()).await.map_err(|_| io::ErrorKind::TimedOut)?
}
