//! What keeps other processes out of our memory.

use rustix::io::Errno;
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// The first act of every command. Not dumpable: no core, and in a shared PID namespace no
/// `/proc/PID/mem` or `environ` for another process, even of the same user.
pub(crate) fn conceal() -> Result<(), Errno> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
}

/// The limit stays when something later turns dumping on again. It stays in a program that this
/// one becomes too, and so is not for `exec`.
pub(crate) fn forbid_cores() -> Result<(), Errno> {
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })
}
