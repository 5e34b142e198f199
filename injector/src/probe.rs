//! `probe`: whether all that the plan writes is in the generations that applications see.

use std::path::Path;

use plan::{ENVIRONMENT_PROGRAM, OnMissing, Plan};
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, FileType};

use crate::args::Args;
use crate::entry::{Entry, Form, Volume, entries};
use crate::status;
use crate::write::{self, WriteError};

#[derive(Debug, thiserror::Error)]
pub(crate) enum NotReady {
    #[error("{0}")]
    Mount(#[from] WriteError),
    #[error("no files were written yet")]
    Nothing,
    #[error("{0} is not there{others}", others = more(*.1))]
    Missing(String, usize),
    #[error("the program that starts containers with variables is not there")]
    Program,
}

/// How many entries were looked for.
pub(crate) fn run(args: &Args, plan: &Plan) -> Result<usize, NotReady> {
    let entries = entries(plan);
    // Taken away on purpose, as the Pod wants it.
    let known = status::read(args, plan).unwrap_or_default();
    let is_removed = |lookup: usize| known.get(lookup).is_some_and(|known| known.removed);
    for volume in Volume::of(plan) {
        let wanted = entries.iter().filter(|entry| {
            entry.volume == volume
                && entry.on_missing == OnMissing::Fail
                && !entry.sources().any(is_removed)
        });
        look(&volume.path(args, plan), wanted)?;
    }
    let executes = entries.iter().any(|entry| matches!(entry.form, Form::Exec(_)));
    if executes && !args.environment().join(ENVIRONMENT_PROGRAM).is_file() {
        return Err(NotReady::Program);
    }
    Ok(entries.len())
}

fn look<'e>(mount: &Path, wanted: impl Iterator<Item = &'e Entry<'e>>) -> Result<(), NotReady> {
    let mount = write::open_mount(mount)?;
    let generation = write::current(&mount)?.ok_or(NotReady::Nothing)?;
    let directory = write::open_directory(&mount, Path::new(&generation));
    let directory = directory.map_err(|_| NotReady::Nothing)?;
    // In the generation, and by the name that applications open.
    let mut missing = wanted.filter(|entry| {
        let held = is_file(&directory, &entry.name, AtFlags::SYMLINK_NOFOLLOW);
        !(held && is_file(&mount, &entry.name, AtFlags::empty()))
    });
    match missing.next() {
        None => Ok(()),
        Some(first) => Err(NotReady::Missing(first.shown(), missing.count())),
    }
}

fn is_file(at: &OwnedFd, name: &str, flags: AtFlags) -> bool {
    rustix::fs::statat(at, name, flags)
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile)
}

fn more(others: usize) -> String {
    if others == 0 { String::new() } else { format!(", nor are {others} more") }
}
