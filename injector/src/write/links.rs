//! The names that applications open: links through `..data`, so that one rename moves them all.

use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, FileType};
use rustix::io::Errno;

use super::generation::{Wanted, entries};
use super::{CURRENT, WriteError, kind};

/// Becomes the visible link by a rename, where another link is in its place.
pub(super) const NEW_LINK: &str = "..link_tmp";

/// Something in the mount that we did not make is never overwritten.
pub(super) fn refuse_foreign(mount: &OwnedFd, wanted: &Wanted<'_>) -> Result<(), WriteError> {
    let names = wanted.files.iter().map(|file| file.name).chain([CURRENT]);
    for name in names {
        match kind(mount, name)? {
            None | Some(FileType::Symlink) => {}
            Some(_) => return Err(WriteError::Foreign(name.to_owned())),
        }
    }
    Ok(())
}

/// Makes missing links and removes those of files that are gone. `..data` is in place by now, so
/// every link resolves from its first moment. Says whether there was anything to do.
pub(super) fn show(mount: &OwnedFd, wanted: &Wanted<'_>) -> Result<bool, WriteError> {
    let mut changed = false;
    for file in wanted.files {
        if !is_ours(mount, file.name) {
            put(mount, file.name)?;
            changed = true;
        }
    }
    let names = entries(mount).map_err(|errno| WriteError::new("list", "the mount", errno))?;
    for name in names.iter().filter(|name| !wanted.has(name)) {
        if is_ours(mount, name) {
            rustix::fs::unlinkat(mount, name, AtFlags::empty())
                .map_err(|errno| WriteError::new("remove", name, errno))?;
            changed = true;
        }
    }
    Ok(changed)
}

fn is_ours(mount: &OwnedFd, name: &str) -> bool {
    rustix::fs::readlinkat(mount, name, Vec::new())
        .is_ok_and(|target| target.to_str() == Ok(&target_of(name)))
}

fn put(mount: &OwnedFd, name: &str) -> Result<(), WriteError> {
    let target = target_of(name);
    match rustix::fs::symlinkat(&target, mount, name) {
        Err(Errno::EXIST) => {}
        other => return other.map_err(|errno| WriteError::new("create", name, errno)),
    }
    rustix::fs::symlinkat(&target, mount, NEW_LINK)
        .map_err(|errno| WriteError::new("create", NEW_LINK, errno))?;
    rustix::fs::renameat(mount, NEW_LINK, mount, name)
        .map_err(|errno| WriteError::new("replace", name, errno))
}

fn target_of(name: &str) -> String {
    format!("{CURRENT}/{name}")
}
