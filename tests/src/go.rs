//! Programs in Go with the official libraries of others, by the exact versions of their `go.sum`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;

use crate::python::run;

/// Downloads included, on a slow line.
const BUILD: Duration = Duration::from_secs(900);

/// The program of a folder, in the directory `into`, which is its caller's; or why it cannot be built.
/// What was compiled lies in Go's build cache.
pub async fn program(source: &Path, into: &Path) -> Result<PathBuf, String> {
    let program = into.join(source.file_name().unwrap_or_default());
    let mut go = Command::new("go");
    go.args(["build", "-trimpath", "-buildvcs=false", "-o"]).arg(&program);
    go.arg(".").current_dir(source).envs([("CGO_ENABLED", "0"), ("GOTOOLCHAIN", "local")]);
    let output = run(&mut go, BUILD).await.map_err(|error| format!("go build: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(program) } else { Err(format!("go build failed: {said}")) }
}
