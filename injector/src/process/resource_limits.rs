//! The limits that this process has from its start. Another process of its user can lower them, and
//! then it could open no file and no connection any more, and would stand still for good. Where it
//! ends, it is started again with the limits of its container.

use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::report::exit::Exit;
use crate::report::problem::Problem;

/// Without these nothing is asked or written. A process that runs out of others ends.
const LIMITS: [Resource; 2] = [Resource::Nofile, Resource::Nproc];

pub(crate) struct ResourceLimits([Rlimit; LIMITS.len()]);

/// As many open files as the container may have: files that are shown and connections of an agent's
/// clients together are more than many runtimes give without being asked.
pub(crate) fn raise() -> Result<(), Errno> {
    let files = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: files.maximum, ..files })
}

/// As many descriptors as each may hold: connections of clients, and the files of either volume that are
/// kept open.
pub(crate) fn a_third_of_descriptors() -> usize {
    let all = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(all / 3).unwrap_or(usize::MAX)
}

impl ResourceLimits {
    pub(crate) fn now() -> Self {
        Self(LIMITS.map(getrlimit))
    }

    pub(crate) fn check(&self) -> Result<(), Problem> {
        if self.0.iter().zip(Self::now().0).all(|(before, now)| !is_lower(&now, before)) {
            return Ok(());
        }
        let text =
            "the limits of this process (RLIMIT_NOFILE, RLIMIT_NPROC) were lowered by another one";
        Err(Problem::new(Exit::Local, text.to_owned())
            .advise("which process of the same user calls prlimit in the Pod"))
    }
}

fn is_lower(now: &Rlimit, before: &Rlimit) -> bool {
    // `None` is no limit.
    let most = |limit: Option<u64>| limit.unwrap_or(u64::MAX);
    most(now.current) < most(before.current)
}
