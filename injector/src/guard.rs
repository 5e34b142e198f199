//! What keeps other processes out of our memory.

use rustix::io::Errno;
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// The first act of every command. Not dumpable: no core, and in a shared PID namespace no
/// `/proc/PID/mem` or `environ` for another process, even of the same user. The limit stays when
/// something later turns dumping on again.
pub(crate) fn harden() -> Result<(), Errno> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })
}
