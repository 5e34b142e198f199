//! The mount as it is: its directories, its links, and which generation applications see.

use std::path::{Path, PathBuf};

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, Dir, FileType, Gid, Mode, OFlags};
use rustix::io::Errno;

use super::error::WriteError;
use super::generation_name::is_name;

/// The link that decides which generation applications see.
pub(super) const CURRENT: &str = "..data";
/// This link becomes [`CURRENT`] by a rename.
pub(super) const NEXT: &str = "..data_tmp";
/// A file of this name holds the name of the generation that it is in, whatever its content says:
/// an application that watches it hears of every change at the instant of the change.
pub(crate) const SENTINEL: &str = ".kms-generation";
/// This file says how current the secrets are.
pub(crate) const STATUS: &str = ".kms-status.json";

/// What a start got that did not come to its end.
pub(crate) const UNFINISHED: &str = "..unfinished";

/// Names of keys whose files were removed.
pub(super) const REMOVED_KEYS: &str = "..removed-keys";

/// This link becomes the visible link by a rename, where another link is in its place.
pub(super) const NEW_LINK: &str = "..link_tmp";

/// Where `name` is in the generation that applications see.
pub(crate) fn in_current(mount: &Path, name: &str) -> PathBuf {
    mount.join(CURRENT).join(name)
}

/// The names in a generation.
pub(crate) fn names(mount: &OwnedFd, generation: &str) -> Result<Vec<String>, Errno> {
    entries(&open_directory(mount, Path::new(generation))?)
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
    Ok(target.into_string().ok().filter(|name| is_name(name)))
}

pub(crate) fn open_directory(at: impl AsFd, path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(at, path, flags, Mode::empty())
}

/// What `name` is, without following it; `None` if there is nothing.
pub(super) fn kind(mount: &OwnedFd, name: &str) -> Result<Option<FileType>, WriteError> {
    match rustix::fs::statat(mount, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(FileType::from_raw_mode(stat.st_mode))),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(WriteError::new("look at", name, errno)),
    }
}

/// Names in a directory; those that are not UTF-8 are not ours and left out.
pub(super) fn entries(directory: &OwnedFd) -> Result<Vec<String>, Errno> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        match entry?.file_name().to_str() {
            Ok("." | "..") | Err(_) => {}
            Ok(name) => names.push(name.to_owned()),
        }
    }
    Ok(names)
}

/// What is in a directory, and in those in it.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// Paths of all that is no directory.
    pub(super) files: Vec<String>,
    /// Paths of directories, each behind the one that it is in.
    pub(super) directories: Vec<String>,
}

/// No name of a file has more directories.
const DEEPEST: usize = 8;

/// It walks with a list of its own. What nests deeper than we write is not looked into.
pub(super) fn tree(directory: &OwnedFd) -> Result<Tree, Errno> {
    let mut tree = Tree::default();
    let mut rest = vec![(String::new(), 0)];
    while let Some((inside, depth)) = rest.pop() {
        let opened;
        let here = match inside.as_str() {
            "" => directory,
            path => {
                opened = open_directory(directory, Path::new(path))?;
                &opened
            }
        };
        for name in entries(here)? {
            let path = if inside.is_empty() { name } else { format!("{inside}/{name}") };
            let stat = rustix::fs::statat(directory, path.as_str(), AtFlags::SYMLINK_NOFOLLOW)?;
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory if depth < DEEPEST => {
                    tree.directories.push(path.clone());
                    rest.push((path, depth + 1));
                }
                _ => tree.files.push(path),
            }
        }
    }
    Ok(tree)
}

/// Sets the group first: changing it may clear bits of the mode. The group is set explicitly,
/// because a directory that was chmodded has lost the setgid bit that would have passed the group
/// on.
pub(super) fn set_owner(
    opened: impl AsFd,
    name: &str,
    group: Option<Gid>,
    mode: Mode,
) -> Result<(), WriteError> {
    if let Some(group) = group {
        rustix::fs::fchown(&opened, None, Some(group)).map_err(|errno| match errno {
            Errno::PERM => WriteError::Group(group.as_raw()),
            errno => WriteError::new("set the group of", name, errno),
        })?;
    }
    // The mode is not set at creation, where the umask takes its share.
    rustix::fs::fchmod(&opened, mode)
        .map_err(|errno| WriteError::new("set the mode of", name, errno))
}
