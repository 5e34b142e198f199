//! `probe`: whether all that the plan writes is in the generations that applications see, and the
//! agent answers, where there is one.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use plan::contract::ENVIRONMENT_PROGRAM;
use plan::{OnMissing, Plan};
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, FileType};

use crate::agent::{self, TokenMissing};
use crate::health::status_file::{self, some_of};
use crate::input::args::Args;
use crate::input::entry::{Entry, MemoryVolume, entries};
use crate::write::directory;
use crate::write::error::WriteError;

#[derive(Debug, thiserror::Error)]
pub(crate) enum NotReady {
    #[error("{0}")]
    Mount(#[from] WriteError),
    #[error("no files were written yet")]
    Nothing,
    #[error("not there: {}", some_of(.0))]
    Missing(Vec<String>),
    #[error("the program that starts containers with variables is not there")]
    Program,
    #[error("{0}")]
    Token(#[from] TokenMissing),
    #[error("the agent does not answer on port {0}: {1}")]
    Agent(u16, io::ErrorKind),
}

/// The Pod's own loopback answers sooner, and the answer costs nothing.
const PATIENCE: Duration = Duration::from_secs(2);

/// What applications find: what the plan promises, except what was removed or stays on purpose.
#[derive(Debug)]
pub(crate) struct There {
    /// The number of entries of the plan.
    pub(crate) wanted: usize,
    /// Entries that were taken away, as the Pod wants it.
    removed: Vec<String>,
    /// Entries that are there and cannot be rendered anew.
    kept: Vec<String>,
}

impl fmt::Display for There {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { wanted, removed, kept } = self;
        match removed.len() {
            0 => write!(f, "{wanted} files of the plan are there")?,
            gone => {
                let (there, names) = (wanted - gone, some_of(removed));
                write!(f, "{there} of {wanted} files of the plan are there; removed: {names}")?;
            }
        }
        match kept.as_slice() {
            [] => Ok(()),
            kept => write!(f, "; cannot be rendered and stays as it was: {}", some_of(kept)),
        }
    }
}

/// Whether applications find what the plan promises: every entry, and an agent that answers.
pub(crate) fn ready(args: &Args, plan: &Plan) -> Result<There, NotReady> {
    let there = run(args, plan)?;
    if let Some(agent) = plan.mode().agent() {
        agent::token_is_there(args, agent)?;
        let port = agent.port.get();
        ping(port).map_err(|error| NotReady::Agent(port, error.kind()))?;
    }
    Ok(there)
}

fn ping(port: u16) -> io::Result<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request =
        format!("GET /ping HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut start = [0; EXPECTED.len()];
    stream.read_exact(&mut start)?;
    if start == *EXPECTED { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
}

const EXPECTED: &[u8] = b"HTTP/1.1 200 ";

pub(crate) fn run(args: &Args, plan: &Plan) -> Result<There, NotReady> {
    let entries = entries(plan);
    // These files were taken away on purpose, as the Pod wants it.
    let known = status_file::read(args, plan).unwrap_or_default();
    let is_removed = |lookup: usize| known.sources.get(lookup).is_some_and(|known| known.removed);
    let failed = |entry: &Entry<'_>| {
        let is_it = |name: &str| entry.is_template() && entry.template_name() == name;
        known.templates.iter().find(|(name, _)| is_it(name)).map(|(_, failed)| failed)
    };
    let is_taken = |entry: &Entry<'_>| {
        entry.sources().any(is_removed) || failed(entry).is_some_and(|failed| failed.removed)
    };
    for volume in MemoryVolume::of(plan) {
        let wanted = entries.iter().filter(|entry| {
            entry.volume == volume
                && entry.options.on_missing == OnMissing::Fail
                && !is_taken(entry)
        });
        look(&volume.path(args, plan), wanted)?;
    }
    let executes = entries.iter().any(Entry::is_for_exec);
    if executes && !args.environment().join(ENVIRONMENT_PROGRAM).is_file() {
        return Err(NotReady::Program);
    }
    let (removed, others): (Vec<_>, Vec<_>) = entries.iter().partition(|entry| is_taken(entry));
    let kept = others.into_iter().filter(|entry| failed(entry).is_some());
    Ok(There {
        wanted: entries.len(),
        removed: removed.into_iter().map(Entry::description).collect(),
        kept: kept.map(Entry::description).collect(),
    })
}

fn look<'e>(mount: &Path, wanted: impl Iterator<Item = &'e Entry<'e>>) -> Result<(), NotReady> {
    let mount = directory::open_mount(mount)?;
    let generation = directory::current(&mount)?.ok_or(NotReady::Nothing)?;
    let directory = directory::open_directory(&mount, Path::new(&generation));
    let directory = directory.map_err(|_| NotReady::Nothing)?;
    // A file has to be in the generation, and to be found by the name that applications open.
    let missing = wanted.filter(|entry| {
        let held = is_file(&directory, &entry.name, AtFlags::SYMLINK_NOFOLLOW);
        !(held && is_file(&mount, &entry.name, AtFlags::empty()))
    });
    let missing: Vec<String> = missing.map(Entry::description).collect();
    if missing.is_empty() { Ok(()) } else { Err(NotReady::Missing(missing)) }
}

fn is_file(at: &OwnedFd, name: &str, flags: AtFlags) -> bool {
    rustix::fs::statat(at, name, flags)
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile)
}
