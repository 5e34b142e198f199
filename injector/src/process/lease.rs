//! For tests: a process that takes a lease on a file, as one of the files' user may.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Ends with the value.
pub(crate) struct Lease(Child);

/// Says how it went, and waits; `yields` is whether it gives the lease up when it is asked to.
const HOLDER: &str = r#"
import fcntl, os, signal, sys, time
descriptor = os.open(sys.argv[1], os.O_RDONLY | os.O_NONBLOCK)
give_up = lambda *_: fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
signal.signal(signal.SIGIO, give_up if sys.argv[2] == "yields" else signal.SIG_IGN)
try:
    fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_WRLCK)
    print("taken", flush=True)
except OSError:
    print("refused", flush=True)
while True:
    time.sleep(60)
"#;

impl Lease {
    /// `None` where the kernel refuses it.
    pub(crate) fn take(path: &Path) -> Option<Self> {
        Self::start(path, "stays")
    }

    /// One that is given up as soon as somebody opens the file.
    pub(crate) fn that_yields(path: &Path) -> Option<Self> {
        Self::start(path, "yields")
    }

    fn start(path: &Path, manner: &str) -> Option<Self> {
        let mut holder = Command::new("python3");
        holder.args(["-c", HOLDER]).arg(path).arg(manner).stdout(Stdio::piped());
        let mut holder = Self(holder.spawn().expect("python3 takes the lease"));
        let mut line = String::new();
        BufReader::new(holder.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        match line.trim() {
            "taken" => Some(holder),
            "refused" => None,
            other => panic!("the holder of the lease said {other:?}"),
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
