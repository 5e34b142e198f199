//! What keeps other processes out of our memory.

use rustix::io::Errno;
use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit,
};

/// The first act of every command. A process that is not dumpable leaves no core, and in a shared
/// PID namespace no other process, even of the same user, reads its `/proc/PID/mem` or `environ`.
pub(crate) fn conceal() -> Result<(), Errno> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
}

/// The limit stays when something later turns dumping on again. It stays in a program that this
/// one becomes too, and so is not for `exec`.
pub(crate) fn forbid_cores() -> Result<(), Errno> {
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })
}

/// Keeps our memory off the disk of a node that swaps, where the limit of the container leaves room
/// for whatever we may ever map: over the limit it would be allocations that fail. Pages count as
/// locked when they are touched, so that nothing is read that would not have been.
pub(crate) fn stay_in_memory() -> Result<(), Errno> {
    if leaves_room(getrlimit(Resource::Memlock).current) {
        mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT)?;
    }
    Ok(())
}

/// `None` is no limit.
fn leaves_room(limit: Option<u64>) -> bool {
    limit.is_none_or(|limit| limit >= ROOM)
}

/// More than the address space that the fetcher uses, stacks of all its threads included.
const ROOM: u64 = 1 << 30;

#[cfg(test)]
mod tests {
    use super::leaves_room;

    #[test]
    fn memory_is_locked_only_where_no_allocation_can_fail_for_it() {
        assert!(leaves_room(None) && leaves_room(Some(u64::MAX)) && leaves_room(Some(1 << 30)));
        // As containers have it by default.
        for limit in [0, 64 << 10, 8 << 20, 64 << 20] {
            assert!(!leaves_room(Some(limit)), "{limit}");
        }
    }
}
