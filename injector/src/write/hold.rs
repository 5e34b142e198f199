//! Files of the generation that is shown, kept open. While somebody has a file open no other process
//! gets the lease on it that would hold up all who open it later; a process of the files' user
//! could otherwise take one, also through a mount that it can only read.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::directory::{open_directory, tree};
use crate::process::resource_limits::a_third_of_descriptors;

#[derive(Debug, Default)]
pub(crate) struct Hold {
    generation: String,
    files: HashMap<String, Arc<File>>,
}

impl Hold {
    pub(super) fn on(generation: &str) -> Self {
        Self { generation: generation.to_owned(), files: HashMap::new() }
    }

    /// Opens a file of a generation and holds it from now on. A file that somebody put in the place
    /// of a held one is another file.
    pub(super) fn open(
        &mut self,
        directory: impl AsFd,
        generation: &str,
        name: &str,
    ) -> Result<Arc<File>, Errno> {
        if self.generation != generation {
            *self = Self::on(generation);
        }
        let there = rustix::fs::statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
        if let Some(held) = self.is_held(name, &there) {
            return Ok(held);
        }
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let opened = rustix::fs::openat(&directory, name, flags, Mode::empty())?;
        let opened = Arc::new(File::from(opened));
        self.keep(name, &opened);
        Ok(opened)
    }

    /// Holds whatever is in the generation that is shown. A file that cannot be opened for a lease
    /// is to be tried again: its holder was asked to end the lease.
    pub(crate) fn all(&mut self, mount: &OwnedFd, generation: &str) -> Result<(), Errno> {
        let directory = open_directory(mount, Path::new(generation))?;
        let mut leased = Ok(());
        for name in tree(&directory)?.files {
            if let Err(Errno::WOULDBLOCK) = self.open(&directory, generation, &name) {
                leased = Err(Errno::WOULDBLOCK);
            }
        }
        leased
    }

    /// Removed files take room for as long as they are open.
    pub(super) fn let_go(&mut self, names: &[String]) {
        self.files.retain(|name, _| !names.contains(name));
    }

    /// The file that is at `path`, if it is held under this name.
    pub(crate) fn file(&self, path: &Path, name: &str) -> Option<Arc<File>> {
        self.is_held(name, &rustix::fs::stat(path).ok()?)
    }

    fn is_held(&self, name: &str, there: &Stat) -> Option<Arc<File>> {
        let held = self.files.get(name)?;
        let stat = rustix::fs::fstat(held).ok()?;
        let is_same = (stat.st_dev, stat.st_ino) == (there.st_dev, there.st_ino);
        is_same.then(|| Arc::clone(held))
    }

    fn keep(&mut self, name: &str, opened: &Arc<File>) {
        if self.files.len() < a_third_of_descriptors() {
            self.files.insert(name.to_owned(), Arc::clone(opened));
        }
    }
}
