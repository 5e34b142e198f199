//! Leases on files (`fcntl(2)`, `F_SETLEASE`), by which a process holds up all who open them.

use std::path::Path;
use std::process::Command;

use anyhow::bail;

/// Whether the kernel gives a process of the file's user a lease on it, which it gives up at once.
pub fn can_be_leased(path: &Path) -> anyhow::Result<bool> {
    const TAKE: &str = "import fcntl, os, sys
descriptor = os.open(sys.argv[1], os.O_RDONLY | os.O_NONBLOCK)
try:
    fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_WRLCK)
    print('taken')
except BlockingIOError:
    print('refused')";
    let output = Command::new("python3").args(["-c", TAKE]).arg(path).output()?;
    match String::from_utf8(output.stdout)?.trim() {
        "taken" => Ok(true),
        "refused" => Ok(false),
        _ => bail!("{}: {}", path.display(), String::from_utf8_lossy(&output.stderr)),
    }
}
