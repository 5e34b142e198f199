//! Publishes a set of files under the mount at one instant, the way the kubelet does: a new
//! directory, then one rename of the `..data` link. What did not change is not touched.

mod generation;
mod hold;
mod links;

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, FileType, Gid, Mode, OFlags};
use rustix::io::Errno;

pub(crate) use self::generation::Name;
use self::generation::Wanted;
pub(crate) use self::hold::Hold;

/// One file as applications will see it.
#[derive(Clone, Copy)]
pub(crate) struct NewFile<'a> {
    pub(crate) name: &'a str,
    pub(crate) mode: u16,
    pub(crate) content: &'a [u8],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Written {
    Unchanged,
    Changed,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    #[error("the mount {0} does not exist")]
    NoMount(String),
    #[error("the mount {0} is not a directory")]
    NotADirectory(String),
    #[error(
        "{0:?} is in the mount already and was not written by us; remove it or rename the file"
    )]
    Foreign(String),
    #[error("the files cannot be given to group {0}: the fetcher is not a member of it")]
    Group(u32),
    #[error("could not {action} {name:?}: the mount is read-only")]
    ReadOnly { action: &'static str, name: String },
    #[error("could not {action} {name:?}: the mount is full")]
    Full { action: &'static str, name: String },
    #[error("could not {action} {name:?}: {errno}")]
    Other { action: &'static str, name: String, errno: Errno },
}

/// The link that decides which generation applications see.
const CURRENT: &str = "..data";
/// Becomes [`CURRENT`] by a rename.
const NEXT: &str = "..data_tmp";
/// A file of this name holds the name of the generation that it is in, whatever its content says:
/// an application that watches it hears of every change at the instant of the change.
pub(crate) const SENTINEL: &str = ".kms-generation";

/// All or nothing: after an error the mount shows what it showed before.
///
/// `directory_mode` is for the directory that holds the files, `group` gets both. `name` sorts
/// behind that of the generation that is shown; where nothing changes it is not used. From now on
/// `hold` is on what is shown.
pub(crate) fn publish(
    mount: &Path,
    files: &[NewFile<'_>],
    directory_mode: u16,
    group: Option<u32>,
    name: &Name,
    hold: &mut Hold,
) -> Result<Written, WriteError> {
    let mount = open_mount(mount)?;
    let wanted = Wanted::new(files, directory_mode, group);
    links::refuse_foreign(&mount, &wanted)?;
    let current = current(&mount)?;
    generation::remove_unfinished(&mount, current.as_deref());
    if let Some(shown) = current.as_deref().filter(|name| wanted.is_held_by(&mount, name, hold)) {
        let added = links::add(&mount, &wanted)?;
        let before = generation::latest_before(&mount, shown);
        let removed = tidy(&mount, &wanted, shown, before.as_deref());
        let touched = removed || !added.is_empty();
        return Ok(if touched { Written::Changed } else { Written::Unchanged });
    }
    let new = name.as_str();
    let held = generation::create(&mount, &wanted, new)?;
    if let Err(error) = show(&mount, &wanted, new) {
        generation::remove(&mount, new);
        return Err(error);
    }
    // What is let go goes: files that are removed take room for as long as they are open.
    *hold = held;
    tidy(&mount, &wanted, new, current.as_deref());
    Ok(Written::Changed)
}

/// Where `name` is in the generation that applications see.
pub(crate) fn in_current(mount: &Path, name: &str) -> PathBuf {
    mount.join(CURRENT).join(name)
}

/// The names in a generation.
pub(crate) fn names(mount: &OwnedFd, generation: &str) -> Result<Vec<String>, Errno> {
    generation::entries(&open_directory(mount, Path::new(generation))?)
}

/// Who may read a file that is put.
#[derive(Clone, Copy)]
pub(crate) struct Access {
    pub(crate) mode: u16,
    pub(crate) group: Option<u32>,
}

impl Access {
    /// What holds no secret.
    pub(crate) const ALL: Self = Self { mode: 0o444, group: None };
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
    let temporary = format!("{name}_tmp");
    // From a process that ended in the middle.
    let _ = rustix::fs::unlinkat(&mount, &temporary, AtFlags::empty());
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    // Nobody else reads it before it is as it is to be.
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
        generation::set_owner(&file, &temporary, group, mode)?;
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

/// The mode of the directory that lets those in who may read a file of it.
pub(crate) fn directory_mode(modes: impl IntoIterator<Item = plan::FileMode>) -> u16 {
    modes.into_iter().fold(0o700, |mode, file| {
        let group = if file.group_reads() { 0o050 } else { 0 };
        // Others come in with the group: there is no reader whom that would keep out.
        let others = if file.others_read() { 0o055 } else { 0 };
        mode | group | others
    })
}

pub(crate) fn open_mount(path: &Path) -> Result<OwnedFd, WriteError> {
    let shown = || path.display().to_string();
    open_directory(CWD, path).map_err(|errno| match errno {
        Errno::NOENT => WriteError::NoMount(shown()),
        Errno::NOTDIR | Errno::LOOP => WriteError::NotADirectory(shown()),
        errno => WriteError::new("open the mount", &shown(), errno),
    })
}

/// The name of the generation that applications see.
pub(crate) fn current(mount: &OwnedFd) -> Result<Option<String>, WriteError> {
    let target = match rustix::fs::readlinkat(mount, CURRENT, Vec::new()) {
        Ok(target) => target,
        Err(Errno::NOENT) => return Ok(None),
        Err(Errno::INVAL) => return Err(WriteError::Foreign(CURRENT.to_owned())),
        Err(errno) => return Err(WriteError::new("read the link", CURRENT, errno)),
    };
    // A link to anywhere else is not ours, and replaced like none.
    Ok(target.into_string().ok().filter(|name| generation::is_name(name)))
}

pub(crate) fn open_directory(at: impl AsFd, path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(at, path, flags, Mode::empty())
}

/// What `name` is, without following it; `None` if there is nothing.
fn kind(mount: &OwnedFd, name: &str) -> Result<Option<FileType>, WriteError> {
    match rustix::fs::statat(mount, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(FileType::from_raw_mode(stat.st_mode))),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(WriteError::new("look at", name, errno)),
    }
}

/// Links come first: they lead nowhere until everything can be opened at one instant.
fn show(mount: &OwnedFd, wanted: &Wanted<'_>, new: &str) -> Result<(), WriteError> {
    let added = links::add(mount, wanted)?;
    switch(mount, new).inspect_err(|_| links::remove(mount, &added))
}

/// What is shown no more goes; what cannot be removed is in nobody's way. Says whether a link went.
fn tidy(mount: &OwnedFd, wanted: &Wanted<'_>, shown: &str, before: Option<&str>) -> bool {
    // The generation before stays for readers who are in the middle of it, unless it holds
    // something that is to be there no more.
    let before = before.filter(|name| !wanted.lacks_some_of(mount, name));
    let kept = [Some(shown), before];
    generation::remove_all_but(mount, |name| kept.contains(&Some(name)));
    links::remove_stale(mount, wanted)
}

/// The instant at which everything changes.
fn switch(mount: &OwnedFd, new: &str) -> Result<(), WriteError> {
    rustix::fs::symlinkat(new, mount, NEXT)
        .map_err(|errno| WriteError::new("create", NEXT, errno))?;
    rustix::fs::renameat(mount, NEXT, mount, CURRENT).map_err(|errno| {
        // It would be in the way of the next run; the error counts, not this.
        let _ = rustix::fs::unlinkat(mount, NEXT, AtFlags::empty());
        WriteError::new("replace", CURRENT, errno)
    })
}

impl WriteError {
    fn new(action: &'static str, name: &str, errno: Errno) -> Self {
        let name = name.to_owned();
        match errno {
            Errno::ROFS => Self::ReadOnly { action, name },
            Errno::NOSPC | Errno::DQUOT => Self::Full { action, name },
            errno => Self::Other { action, name, errno },
        }
    }
}

#[cfg(test)]
mod tests;
