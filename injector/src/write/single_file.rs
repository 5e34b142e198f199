//! A file of ours that lies by itself, or beside the generations.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use rustix::fs::{AtFlags, Gid, Mode, OFlags};
use rustix::io::Errno;

use super::directory::{open_mount, set_owner};
use super::error::WriteError;

/// Which users may read a file.
#[derive(Clone, Copy)]
pub(crate) struct Access {
    pub(crate) mode: u16,
    pub(crate) group: Option<u32>,
}

impl Access {
    /// The access to files that hold no secret.
    pub(crate) const ALL: Self = Self { mode: 0o444, group: None };
}

/// The name of a file while it is written.
fn temporary_of(name: &str) -> String {
    format!("{name}_tmp")
}

/// Removes it, and what a process that ended in the middle left of it.
pub(crate) fn remove(mount: &Path, name: &str) {
    let Ok(mount) = open_mount(mount) else { return };
    for name in [name, &temporary_of(name)] {
        let _ = rustix::fs::unlinkat(&mount, name, AtFlags::empty());
    }
}

/// Replaces a file of ours that lies by itself, or beside the generations. Nobody gets a lease on it
/// while what is returned is open.
pub(crate) fn put(
    mount: &Path,
    name: &str,
    content: &[u8],
    access: Access,
) -> Result<File, WriteError> {
    let mount = open_mount(mount)?;
    let temporary = temporary_of(name);
    // A process that ended in the middle may have left it.
    let _ = rustix::fs::unlinkat(&mount, &temporary, AtFlags::empty());
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    // Nobody else reads the file before it is complete.
    let opened = rustix::fs::openat(&mount, &temporary, flags, Mode::RUSR | Mode::WUSR)
        .map_err(|errno| WriteError::new("create", &temporary, errno))?;
    let mut file = File::from(opened);
    let written = file.write_all(content).map_err(|error| {
        let errno = Errno::from_io_error(&error).unwrap_or(Errno::IO);
        WriteError::new("write", &temporary, errno)
    });
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let held = written.and_then(|()| {
        rustix::fs::openat(&mount, &temporary, flags, Mode::empty())
            .map_err(|errno| WriteError::new("open", &temporary, errno))
    });
    let held = held.and_then(|held| {
        let (group, mode) =
            (access.group.map(Gid::from_raw), Mode::from_raw_mode(access.mode.into()));
        set_owner(&file, &temporary, group, mode)?;
        Ok(held)
    });
    // Nobody can start a program that somebody has open for writing.
    drop(file);
    let replaced = held.and_then(|held| {
        rustix::fs::renameat(&mount, &temporary, &mount, name)
            .map_err(|errno| WriteError::new("replace", name, errno))?;
        Ok(File::from(held))
    });
    if replaced.is_err() {
        // Half a file would take room that there is not.
        let _ = rustix::fs::unlinkat(&mount, &temporary, AtFlags::empty());
    }
    replaced
}
