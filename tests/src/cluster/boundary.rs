//! A cgroup around everything that a cluster starts. Processes are born into the cgroup of their
//! parent, so that all of them are found here, whoever started them, and nothing else is.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::layout::Layout;
use super::wait::until;

pub(crate) struct Boundary {
    group: PathBuf,
    /// The kubelet's root in each hierarchy of version 1, where there are any.
    others: Vec<PathBuf>,
}

impl Boundary {
    pub(crate) fn of(layout: &Layout) -> Self {
        let all = Path::new("/sys/fs/cgroup");
        let (second, others) = match all.join("cgroup.controllers").exists() {
            true => (all.to_owned(), Vec::new()),
            false => {
                let entries = fs::read_dir(all).into_iter().flatten().flatten();
                let hierarchies = entries.map(|entry| entry.path());
                let first = hierarchies.filter(|path| path.join("tasks").exists());
                (all.join("unified"), first.map(|path| path.join(layout.label())).collect())
            }
        };
        Self { group: second.join(layout.label()), others }
    }

    /// Moves this process inside: what it starts from now on is inside too.
    pub(crate) fn enter(&self) -> Result<()> {
        // A leaf of its own: below a group with processes version 2 allows no controllers.
        let leaf = self.group.join("system");
        fs::create_dir_all(&leaf).with_context(|| {
            format!("making the cgroup {}: is version 2 mounted there?", leaf.display())
        })?;
        for group in &self.others {
            fs::create_dir_all(group).with_context(|| format!("making {}", group.display()))?;
        }
        fs::write(leaf.join("cgroup.procs"), "0")
            .with_context(|| format!("entering the cgroup {}", leaf.display()))
    }

    /// Moves another process inside, one that has just been started outside.
    pub(crate) fn take(&self, pid: i32) -> Result<()> {
        fs::write(self.group.join("system/cgroup.procs"), pid.to_string())
            .with_context(|| format!("moving process {pid} into the cluster's cgroup"))
    }

    /// Moves this process out again.
    pub(crate) fn leave(&self) -> Result<()> {
        let Some(parent) = self.group.parent() else { return Ok(()) };
        fs::write(parent.join("cgroup.procs"), "0").context("leaving the cluster's cgroup")
    }

    /// Ends every process inside, then removes the groups.
    pub(crate) fn end(&self) -> Result<()> {
        if self.group.exists() {
            self.leave_if_inside()?;
            fs::write(self.group.join("cgroup.kill"), "1")
                .with_context(|| format!("ending what runs in {}", self.group.display()))?;
            until("the cluster's processes to end", Duration::from_secs(30), || {
                let events = fs::read_to_string(self.group.join("cgroup.events"))?;
                Ok(events.lines().any(|line| line == "populated 0").then_some(()).into())
            })?;
        }
        for group in self.others.iter().chain([&self.group]) {
            remove(group).with_context(|| format!("removing the cgroup {}", group.display()))?;
            ensure!(!group.exists(), "the cgroup {} is still there", group.display());
        }
        Ok(())
    }

    fn leave_if_inside(&self) -> Result<()> {
        let own = format!("{}\n", std::process::id());
        let inside = fs::read_to_string(self.group.join("system/cgroup.procs"));
        match inside.is_ok_and(|inside| inside.split_inclusive('\n').any(|line| line == own)) {
            true => self.leave(),
            false => Ok(()),
        }
    }
}

/// A group and those below it; files in them are the kernel's and go with them.
fn remove(group: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(group) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove(&entry.path())?;
        }
    }
    fs::remove_dir(group)
}
