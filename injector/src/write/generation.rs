//! A generation: one directory with one consistent set of files, named after its time.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Stat};
use rustix::io::Errno;
use zeroize::Zeroizing;

use super::directory::{NEW_LINK, NEXT, SENTINEL, entries, open_directory, set_owner, tree};
use super::error::WriteError;
use super::generation_name::is_name;
use super::hold::Hold;
use super::new_file::NewFile;

/// What a generation has to hold.
pub(super) struct Contents<'a> {
    pub(super) files: &'a [NewFile<'a>],
    directory_mode: Mode,
    group: Option<Gid>,
}

impl<'a> Contents<'a> {
    pub(super) fn new(files: &'a [NewFile<'a>], directory_mode: u16, group: Option<u32>) -> Self {
        Self {
            files,
            directory_mode: Mode::from_raw_mode(directory_mode.into()),
            group: group.map(Gid::from_raw),
        }
    }

    fn has(&self, path: &str) -> bool {
        self.files.iter().any(|file| file.name == path)
    }

    /// What stands directly in the mount: files, and directories that have some.
    pub(super) fn tops(&self) -> BTreeSet<&'a str> {
        let top = |file: &NewFile<'a>| file.name.split('/').next().unwrap_or_default();
        self.files.iter().map(top).collect()
    }

    /// Directories of files, each behind the one that it is in.
    fn directories(&self) -> BTreeSet<&'a str> {
        self.files.iter().flat_map(|file| plan::directories_of(file.name)).collect()
    }

    /// Whether `name` holds a file that is not wanted any more. What cannot be read may.
    pub(super) fn lacks_some_of(&self, mount: &OwnedFd, name: &str) -> bool {
        let held = open_directory(mount, Path::new(name)).and_then(|held| tree(&held));
        held.map_or(true, |held| !held.files.iter().all(|path| self.has(path)))
    }

    /// Whether `name` holds exactly this already. What cannot be read does not.
    pub(super) fn is_held_by(&self, mount: &OwnedFd, name: &str, hold: &mut Hold) -> bool {
        self.compare(mount, name, hold).unwrap_or(false)
    }

    fn compare(&self, mount: &OwnedFd, name: &str, hold: &mut Hold) -> Result<bool, Errno> {
        let directory = open_directory(mount, Path::new(name))?;
        if !self.fits(&rustix::fs::fstat(&directory)?, self.directory_mode) {
            return Ok(false);
        }
        let (held, wanted) = (tree(&directory)?, self.directories());
        let are_wanted = held.directories.iter().all(|path| wanted.contains(path.as_str()));
        if !are_wanted || !held.files.iter().all(|path| self.has(path)) {
            return Ok(false);
        }
        for path in wanted {
            let inner = open_directory(&directory, Path::new(path))?;
            if !self.fits(&rustix::fs::fstat(&inner)?, self.directory_mode) {
                return Ok(false);
            }
        }
        for file in self.files {
            let opened = hold.open(&directory, name, file.name)?;
            if !self.is_same(&opened, file, &content(file, name))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn is_same(&self, opened: &File, file: &NewFile<'_>, content: &[u8]) -> Result<bool, Errno> {
        let stat = rustix::fs::fstat(opened)?;
        let regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        let size = usize::try_from(stat.st_size).ok();
        if !regular || size != Some(content.len()) || !self.fits(&stat, mode(file)) {
            return Ok(false);
        }
        // The file is read from its beginning, however often it was read before.
        let mut found = Zeroizing::new(vec![0; content.len()]);
        match opened.read_exact_at(&mut found, 0) {
            Ok(()) => Ok(found.as_slice() == content),
            // The file was shortened meanwhile.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(Errno::from_io_error(&error).unwrap_or(Errno::IO)),
        }
    }

    fn fits(&self, stat: &Stat, mode: Mode) -> bool {
        Mode::from_raw_mode(stat.st_mode) & Mode::from_raw_mode(0o777) == mode
            && self.group.is_none_or(|group| stat.st_gid == group.as_raw())
    }

    fn own(&self, opened: &OwnedFd, mode: Mode, name: &str) -> Result<(), WriteError> {
        set_owner(opened, name, self.group, mode)
    }
}

/// Makes a directory that holds what is wanted, or leaves none behind.
pub(super) fn create(
    mount: &OwnedFd,
    wanted: &Contents<'_>,
    name: &str,
) -> Result<Hold, WriteError> {
    rustix::fs::mkdirat(mount, name, Mode::RWXU)
        .map_err(|errno| WriteError::new("create", name, errno))?;
    let filled = open_directory(mount, Path::new(name))
        .map_err(|errno| WriteError::new("open", name, errno))
        .and_then(|directory| fill(&directory, wanted, name));
    filled.inspect_err(|_| remove(mount, name))
}

fn fill(directory: &OwnedFd, wanted: &Contents<'_>, name: &str) -> Result<Hold, WriteError> {
    let mut hold = Hold::on(name);
    for path in wanted.directories() {
        rustix::fs::mkdirat(directory, path, Mode::RWXU)
            .map_err(|errno| WriteError::new("create", path, errno))?;
    }
    for file in wanted.files {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = rustix::fs::openat(directory, file.name, flags, Mode::RUSR | Mode::WUSR)
            .map_err(|errno| WriteError::new("create", file.name, errno))?;
        let mut opened = File::from(opened);
        opened.write_all(&content(file, name)).map_err(|error| {
            WriteError::new("write", file.name, Errno::from_io_error(&error).unwrap_or(Errno::IO))
        })?;
        // The file is held while it is open for us to write: from its first instant on nobody gets
        // a lease on it. A file that cannot be held is written all the same.
        let _ = hold.open(directory, name, file.name);
        wanted.own(&opened.into(), mode(file), file.name)?;
    }
    for path in wanted.directories() {
        let inner = open_directory(directory, Path::new(path))
            .map_err(|errno| WriteError::new("open", path, errno))?;
        wanted.own(&inner, wanted.directory_mode, path)?;
    }
    wanted.own(directory, wanted.directory_mode, name)?;
    Ok(hold)
}

/// Removes what a run left behind that ended in the middle: generations later than the current one.
pub(super) fn remove_unfinished(mount: &OwnedFd, current: Option<&str>) {
    for link in [NEXT, NEW_LINK] {
        // Most often there is none. One that stays fails again, with words, when it is created.
        let _ = rustix::fs::unlinkat(mount, link, AtFlags::empty());
    }
    remove_all_but(mount, |name| current.is_some_and(|current| name <= current));
}

/// There is more than one where a run ended before it had tidied up.
pub(super) fn latest_before(mount: &OwnedFd, shown: &str) -> Option<String> {
    let all = entries(mount).unwrap_or_default().into_iter();
    all.filter(|name| is_name(name) && name.as_str() < shown).max()
}

/// Removes the generations before the one that is shown. Says whether there was one.
pub(super) fn remove_before(mount: &OwnedFd, shown: Option<&str>) -> bool {
    let there_are = shown.is_some_and(|shown| latest_before(mount, shown).is_some());
    if there_are {
        remove_all_but(mount, |name| Some(name) == shown);
    }
    there_are
}

/// Removes files of a generation.
pub(super) fn withdraw(mount: &OwnedFd, name: &str, files: &[String]) -> Result<(), WriteError> {
    let directory = open_directory(mount, Path::new(name))
        .map_err(|errno| WriteError::new("open", name, errno))?;
    for file in files {
        match rustix::fs::unlinkat(&directory, file.as_str(), AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(WriteError::new("remove", file, errno)),
        }
    }
    Ok(())
}

/// Removes generations; one that cannot be removed is in nobody's way.
pub(super) fn remove_all_but(mount: &OwnedFd, keep: impl Fn(&str) -> bool) {
    for name in entries(mount).unwrap_or_default() {
        if is_name(&name) && !keep(&name) {
            remove(mount, &name);
        }
    }
}

pub(super) fn remove(mount: &OwnedFd, name: &str) {
    if let Ok(directory) = open_directory(mount, Path::new(name)) {
        let held = tree(&directory).unwrap_or_default();
        for path in held.files {
            let _ = rustix::fs::unlinkat(&directory, path.as_str(), AtFlags::empty());
        }
        // The innermost go first.
        for path in held.directories.iter().rev() {
            let _ = rustix::fs::unlinkat(&directory, path.as_str(), AtFlags::REMOVEDIR);
        }
    }
    let _ = rustix::fs::unlinkat(mount, name, AtFlags::REMOVEDIR);
}

/// What a file holds in the generation of this name.
fn content<'a>(file: &NewFile<'a>, generation: &str) -> Cow<'a, [u8]> {
    match file.name {
        SENTINEL => Cow::Owned(format!("{generation}\n").into_bytes()),
        _ => Cow::Borrowed(file.content),
    }
}

fn mode(file: &NewFile<'_>) -> Mode {
    Mode::from_raw_mode(file.mode.into())
}
