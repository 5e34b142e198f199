//! The names that applications open: links through `..data`, so that one rename moves them all.

use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, FileType};
use rustix::io::Errno;

use super::directory::{CURRENT, NEW_LINK, entries, kind};
use super::error::WriteError;
use super::generation::Contents;

/// Something in the mount that we did not make is never overwritten.
pub(super) fn refuse_foreign(mount: &OwnedFd, wanted: &Contents<'_>) -> Result<(), WriteError> {
    for name in wanted.tops().into_iter().chain([CURRENT]) {
        match kind(mount, name)? {
            None | Some(FileType::Symlink) => {}
            Some(_) => return Err(WriteError::Foreign(name.to_owned())),
        }
    }
    Ok(())
}

/// Makes the links that are missing, all or none, and says which.
pub(super) fn add<'a>(mount: &OwnedFd, wanted: &Contents<'a>) -> Result<Vec<&'a str>, WriteError> {
    let mut added = Vec::new();
    for name in wanted.tops() {
        if !is_ours(mount, name) {
            if let Err(error) = put(mount, name) {
                remove(mount, &added);
                return Err(error);
            }
            added.push(name);
        }
    }
    Ok(added)
}

pub(super) fn remove(mount: &OwnedFd, names: &[&str]) {
    for name in names {
        let _ = rustix::fs::unlinkat(mount, *name, AtFlags::empty());
    }
}

/// Removes the links of files that are gone. Says whether there was one.
pub(super) fn remove_stale(mount: &OwnedFd, wanted: &Contents<'_>) -> bool {
    let (names, tops) = (entries(mount).unwrap_or_default(), wanted.tops());
    let stale: Vec<&str> = (names.iter().map(String::as_str))
        .filter(|name| !tops.contains(name) && is_ours(mount, name))
        .collect();
    remove(mount, &stale);
    !stale.is_empty()
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
    rustix::fs::renameat(mount, NEW_LINK, mount, name).map_err(|errno| {
        let _ = rustix::fs::unlinkat(mount, NEW_LINK, AtFlags::empty());
        WriteError::new("replace", name, errno)
    })
}

fn target_of(name: &str) -> String {
    format!("{CURRENT}/{name}")
}
