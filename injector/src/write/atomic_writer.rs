//! Publishes a set of files under the mount at one instant, the way the kubelet does: a new
//! directory, then one rename of the `..data` link. What did not change is not touched.

use std::path::Path;

use rustix::fd::OwnedFd;
use rustix::fs::AtFlags;

use super::directory::{CURRENT, NEXT, current, open_mount};
use super::error::WriteError;
use super::generation::{self, Contents};
use super::generation_name::Name;
use super::hold::Hold;
use super::links;
use super::new_file::NewFile;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Written {
    Unchanged,
    Changed,
}

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
    let wanted = Contents::new(files, directory_mode, group);
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
    let held = match create(&mount, &wanted, new) {
        // Readers who are in the middle of the generation before open it anew: without its room nothing
        // would change any more.
        Err(WriteError::Full { .. }) if generation::remove_before(&mount, current.as_deref()) => {
            create(&mount, &wanted, new)
        }
        created => created,
    }?;
    // The files of before are let go: removed files take room for as long as they are open.
    *hold = held;
    tidy(&mount, &wanted, new, current.as_deref());
    Ok(Written::Changed)
}

/// Takes files out of the generation that is shown. It needs no room, where there is none for another
/// generation; what applications see changes one by one.
pub(crate) fn withdraw(mount: &Path, names: &[String], hold: &mut Hold) -> Result<(), WriteError> {
    let mount = open_mount(mount)?;
    let Some(shown) = current(&mount)? else { return Ok(()) };
    generation::remove_before(&mount, Some(&shown));
    generation::withdraw(&mount, &shown, names)?;
    hold.let_go(names);
    Ok(())
}

/// A generation that applications see from now on.
fn create(mount: &OwnedFd, wanted: &Contents<'_>, new: &str) -> Result<Hold, WriteError> {
    let held = generation::create(mount, wanted, new)?;
    show(mount, wanted, new).inspect_err(|_| generation::remove(mount, new))?;
    Ok(held)
}

/// Links come first: they lead nowhere until everything can be opened at one instant.
fn show(mount: &OwnedFd, wanted: &Contents<'_>, new: &str) -> Result<(), WriteError> {
    let added = links::add(mount, wanted)?;
    switch(mount, new).inspect_err(|_| links::remove(mount, &added))
}

/// Removes what is shown no more; what cannot be removed is in nobody's way. Returns whether a link
/// went.
fn tidy(mount: &OwnedFd, wanted: &Contents<'_>, shown: &str, before: Option<&str>) -> bool {
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
        // The link would be in the way of the next run; the error above counts, not this one.
        let _ = rustix::fs::unlinkat(mount, NEXT, AtFlags::empty());
        WriteError::new("replace", CURRENT, errno)
    })
}

#[cfg(test)]
mod tests;
