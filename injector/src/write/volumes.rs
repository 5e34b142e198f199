//! Entries of a plan, put into their volumes with the plan's modes and group.

use std::time::SystemTime;

use plan::Plan;
use secret::Sensitive;

use crate::input::args::Args;
use crate::input::entry::{Entry, MemoryVolume};
use crate::process::bounded::{self, UnreadableFile};
use crate::report::exit::Exit;
use crate::report::problem::Problem;
use crate::write::atomic_writer::{self, Written};
use crate::write::directory;
use crate::write::error::WriteError;
use crate::write::generation_name::Name;
use crate::write::holds::Holds;
use crate::write::new_file::{self, NewFile};

/// An answer of the cloud may have as much.
const LIMIT: usize = 1024 * 1024;

/// Publishes exactly these files in the volume. After a problem the volume has those of before.
/// `entries` are all that the plan has. What changes together has one name in all volumes.
pub(crate) fn publish(
    name: &Name,
    args: &Args,
    plan: &Plan,
    volume: MemoryVolume,
    entries: &[Entry<'_>],
    files: &[NewFile<'_>],
    holds: &mut Holds,
) -> Result<Written, Problem> {
    let of_volume = entries.iter().filter(|entry| entry.volume == volume);
    let mode = new_file::directory_mode(of_volume.map(|entry| entry.options.mode));
    let group = our_group(args, plan);
    // Where files change, applications may want to hear of it.
    let sentinel = NewFile { name: directory::SENTINEL, mode: 0o444, content: b"" };
    let has_sentinel = volume == MemoryVolume::Files && plan.mode().refresh().is_some();
    let files: Vec<_> = files.iter().copied().chain(has_sentinel.then_some(sentinel)).collect();
    atomic_writer::publish(&volume.path(args, plan), &files, mode, group, name, holds.of(volume))
        .map_err(|error| problem(volume, &error))
}

/// Takes files out of what the volume shows, and lets go of them.
pub(crate) fn withdraw(
    args: &Args,
    plan: &Plan,
    volume: MemoryVolume,
    names: &[String],
    holds: &mut Holds,
) -> Result<(), Problem> {
    atomic_writer::withdraw(&volume.path(args, plan), names, holds.of(volume))
        .map_err(|error| problem(volume, &error))
}

/// The plan's group, where files can be given to it.
pub(crate) fn our_group(args: &Args, plan: &Plan) -> Option<u32> {
    plan.group().filter(|group| !args.is_local() || is_our_group(*group))
}

/// A name that sorts behind those of all generations that are shown.
pub(crate) fn next(args: &Args, plan: &Plan) -> Name {
    Name::next(SystemTime::now(), generation(args, plan).as_deref())
}

/// The name of the last generation that was published: of the files, or of the variables where
/// they changed without the files.
pub(crate) fn generation(args: &Args, plan: &Plan) -> Option<String> {
    let current = |volume: MemoryVolume| {
        let mount = directory::open_mount(&volume.path(args, plan)).ok()?;
        directory::current(&mount).ok().flatten()
    };
    MemoryVolume::of(plan).filter_map(current).max()
}

/// What is in an entry's place now; `None` where there is nothing.
pub(crate) fn current_content(
    args: &Args,
    plan: &Plan,
    entry: &Entry<'_>,
    holds: &Holds,
) -> Result<Option<Sensitive>, Problem> {
    current_file(args, plan, entry.volume, &entry.name, holds)
}

/// What is in a file of this name.
pub(crate) fn current_file(
    args: &Args,
    plan: &Plan,
    volume: MemoryVolume,
    name: &str,
    holds: &Holds,
) -> Result<Option<Sensitive>, Problem> {
    let path = directory::in_current(&volume.path(args, plan), name);
    let content = match holds.on(volume).file(&path, name) {
        Some(held) => bounded::content(&held, LIMIT),
        None => bounded::read(&path, LIMIT),
    };
    match content {
        Ok(content) => Ok(Some(content)),
        Err(UnreadableFile::Missing) => Ok(None),
        Err(problem) => {
            let text = format!("the file {} {problem}", path.display());
            Err(Problem::new(Exit::Local, text).advise("what else writes to the volume"))
        }
    }
}

pub(crate) fn problem(volume: MemoryVolume, error: &WriteError) -> Problem {
    let problem = Problem::new(Exit::Local, error.to_string());
    problem.advise(match error {
        WriteError::NoMount(_) => "locally, make the directory first; in a Pod, the volume",
        WriteError::Full { .. } if volume == MemoryVolume::Environment => {
            "what else is in the volume kms-env: it has room for this program and its variables"
        }
        WriteError::Full { .. } => "the volume's size limit (annotation size-limit)",
        WriteError::Group(_) => "that the Pod's fsGroup is the group of the plan",
        _ => "the volume at the mount path and what else writes to it",
    })
}

/// In a Pod the kubelet made us a member of the group. On somebody's machine the group means
/// nothing.
fn is_our_group(group: u32) -> bool {
    let is = |gid: rustix::process::Gid| gid.as_raw() == group;
    rustix::process::geteuid().is_root()
        || is(rustix::process::getegid())
        || rustix::process::getgroups().is_ok_and(|groups| groups.into_iter().any(is))
}
