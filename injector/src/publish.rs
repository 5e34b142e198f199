//! The files of a plan, put under its mount with the plan's modes and group.

use std::time::SystemTime;

use cloud::Sensitive;
use plan::{FileName, Plan};

use crate::args::Args;
use crate::bounded::{self, Unreadable};
use crate::exit::Exit;
use crate::report::Problem;
use crate::write::{self, NewFile, WriteError, Written};

/// As much as an answer of the cloud may have.
const LIMIT: usize = 1024 * 1024;

/// From now on exactly these files are there, or those of before and a problem.
pub(crate) fn publish(args: &Args, plan: &Plan, files: &[NewFile<'_>]) -> Result<Written, Problem> {
    let mount = args.mount(plan.mount());
    let mode = write::directory_mode(plan.files().iter().map(|file| file.mode));
    let group = plan.group().filter(|group| !args.is_local() || is_our_group(*group));
    write::publish(&mount, files, mode, group, SystemTime::now()).map_err(|error| {
        let problem = Problem::new(Exit::Local, error.to_string());
        problem.advise(match error {
            WriteError::NoMount(_) => "locally, make the directory first; in a Pod, the volume",
            WriteError::Full { .. } => "the volume's size limit (annotation size-limit)",
            WriteError::Group(_) => "that the Pod's fsGroup is the group of the plan",
            _ => "the volume at the mount path and what else writes to it",
        })
    })
}

/// What applications see of one file now; `None` where there is none.
pub(crate) fn held(
    args: &Args,
    plan: &Plan,
    name: &FileName,
) -> Result<Option<Sensitive>, Problem> {
    let path = write::in_current(&args.mount(plan.mount()), name.as_str());
    match bounded::read(&path, LIMIT) {
        Ok(content) => Ok(Some(content)),
        Err(Unreadable::Missing) => Ok(None),
        Err(problem) => {
            let text = format!("the file {} {problem}", path.display());
            Err(Problem::new(Exit::Local, text).advise("what else writes to the volume"))
        }
    }
}

/// In a Pod the kubelet made us a member. On somebody's machine the group means nothing.
fn is_our_group(group: u32) -> bool {
    let is = |gid: rustix::process::Gid| gid.as_raw() == group;
    rustix::process::geteuid().is_root()
        || is(rustix::process::getegid())
        || rustix::process::getgroups().is_ok_and(|groups| groups.into_iter().any(is))
}
