//! What we and our readers open again and again is kept open for as long as we run, so that nobody
//! gets a lease on it.

use std::fs::File;
use std::path::Path;

use plan::Plan;
use plan::contract::ENVIRONMENT_PROGRAM;
use rustix::io::Errno;
use tokio::time::{Instant, sleep};

use crate::input::args::Args;
use crate::input::entry::MemoryVolume;
use crate::process::bounded::{self, GLANCE};
use crate::write::directory;
use crate::write::hold::Hold;

#[derive(Default)]
pub(crate) struct Holds {
    files: Hold,
    environment: Hold,
    program: Option<File>,
    /// The container's own files: root of any other container of the Pod owns them there too.
    resolver: [Option<File>; RESOLVER.len()],
}

/// The resolver opens them for each name that is looked up.
const RESOLVER: [&str; 2] = ["/etc/hosts", "/etc/resolv.conf"];

impl Holds {
    pub(crate) fn of(&mut self, volume: MemoryVolume) -> &mut Hold {
        match volume {
            MemoryVolume::Files => &mut self.files,
            MemoryVolume::Environment => &mut self.environment,
        }
    }

    pub(crate) fn on(&self, volume: MemoryVolume) -> &Hold {
        match volume {
            MemoryVolume::Files => &self.files,
            MemoryVolume::Environment => &self.environment,
        }
    }

    pub(crate) fn keep_program(&mut self, program: File) {
        self.program = Some(program);
    }

    /// The holds of a process that finds nothing of an earlier one.
    pub(crate) async fn at_first_start() -> Self {
        let mut holds = Self::default();
        let end = Instant::now() + bounded::longest_lease();
        while holds.hold_resolver() && Instant::now() < end {
            sleep(GLANCE).await;
        }
        holds
    }

    /// The holds on what an earlier process left, and on its status, for as long as that is read.
    /// It waits for processes that have a lease on something; what cannot be held then counts as
    /// not there.
    pub(crate) async fn after_restart(args: &Args, plan: &Plan) -> (Self, Option<File>) {
        let mut holds = Self::default();
        let mut status = None;
        let end = Instant::now() + bounded::longest_lease();
        loop {
            let mut leased = holds.hold_resolver();
            for volume in MemoryVolume::of(plan) {
                leased |= holds.hold(args, plan, volume) == Err(Errno::WOULDBLOCK);
            }
            for (held, path) in [
                (&mut status, args.mount(plan.mount()).join(directory::STATUS)),
                (&mut holds.program, args.environment().join(ENVIRONMENT_PROGRAM)),
            ] {
                leased |= keep(held, &path);
            }
            if !leased || Instant::now() >= end {
                return (holds, status);
            }
            sleep(GLANCE).await;
        }
    }

    /// Returns whether another process still has a lease on one of them.
    fn hold_resolver(&mut self) -> bool {
        let files = self.resolver.iter_mut().zip(RESOLVER);
        files.fold(false, |leased, (held, path)| keep(held, Path::new(path)) | leased)
    }

    fn hold(&mut self, args: &Args, plan: &Plan, volume: MemoryVolume) -> Result<(), Errno> {
        let Ok(mount) = directory::open_mount(&volume.path(args, plan)) else { return Ok(()) };
        match directory::current(&mount) {
            Ok(Some(generation)) => self.of(volume).all(&mount, &generation),
            _ => Ok(()),
        }
    }
}

/// Opens a file unless it is held. Returns whether another process has a lease on it, which it was
/// asked to end.
fn keep(held: &mut Option<File>, path: &Path) -> bool {
    if held.is_some() {
        return false;
    }
    let opened = bounded::open(path);
    let leased = opened.as_ref().is_err_and(bounded::UnreadableFile::is_leased);
    *held = opened.ok();
    leased
}
