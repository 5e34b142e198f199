//! Programs in Go with the official libraries of others, by the exact versions of their `go.sum`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;

use crate::python::run;

/// Downloads included, on a slow line.
const BUILD: Duration = Duration::from_secs(900);

/// The program of a folder, in the target folder; or why it cannot be built. What was compiled lies in
/// Go's build cache.
pub async fn program(source: &Path, target: &Path) -> Result<PathBuf, String> {
    let name = source.file_name().unwrap_or_default();
    let home = target.join("go-programs");
    fs::create_dir_all(&home).map_err(|error| error.to_string())?;
    // Each process of tests has its own: another one's may be running.
    let program = home.join(format!("{}-{}", name.display(), std::process::id()));
    let mut go = Command::new("go");
    go.args(["build", "-trimpath", "-buildvcs=false", "-o"]).arg(&program);
    go.arg(".").current_dir(source).envs([("CGO_ENABLED", "0"), ("GOTOOLCHAIN", "local")]);
    let output = run(&mut go, BUILD).await.map_err(|error| format!("go build: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(program) } else { Err(format!("go build failed: {said}")) }
}
