//! `probe`: whether every file of the plan is in the generation that applications see.

use std::path::Path;

use plan::{OnMissing, Plan};
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, FileType};

use crate::args::Args;
use crate::status;
use crate::write::{self, WriteError};

#[derive(Debug, thiserror::Error)]
pub(crate) enum NotReady {
    #[error("{0}")]
    Mount(#[from] WriteError),
    #[error("no files were written yet")]
    Nothing,
    #[error("file {0:?} is not there{others}", others = more(*.1))]
    Missing(String, usize),
}

/// How many files were looked for.
pub(crate) fn run(args: &Args, plan: &Plan) -> Result<usize, NotReady> {
    let mount = write::open_mount(&args.mount(plan.mount()))?;
    let generation = write::current(&mount)?.ok_or(NotReady::Nothing)?;
    let directory = write::open_directory(&mount, Path::new(&generation));
    let directory = directory.map_err(|_| NotReady::Nothing)?;
    // Taken away on purpose, as the Pod wants it.
    let known = status::read(args, plan).unwrap_or_default();
    let is_removed = |lookup: usize| known.get(lookup).is_some_and(|known| known.removed);
    let mut missing = plan
        .files()
        .iter()
        .filter(|file| file.on_missing == OnMissing::Fail && !is_removed(file.from))
        .map(|file| file.name.as_str())
        // In the generation, and by the name that applications open.
        .filter(|name| {
            let held = is_file(&directory, name, AtFlags::SYMLINK_NOFOLLOW);
            !(held && is_file(&mount, name, AtFlags::empty()))
        });
    match missing.next() {
        None => Ok(plan.files().len()),
        Some(first) => Err(NotReady::Missing(first.to_owned(), missing.count())),
    }
}

fn is_file(at: &OwnedFd, name: &str, flags: AtFlags) -> bool {
    rustix::fs::statat(at, name, flags)
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile)
}

fn more(others: usize) -> String {
    if others == 0 { String::new() } else { format!(", nor are {others} more") }
}
