//! `exec`: becomes the application, with its variables set. Runs in a container of the Pod, whose
//! image may be empty but for the application; nothing here touches the network.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use rustix::io::Errno;

use crate::args::Args;
use crate::bounded::{self, Unreadable};
use crate::exit::Exit;
use crate::output::one_line;
use crate::report::Problem;
use crate::write::{self, WriteError};

/// What is to be started.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Start {
    pub(crate) container: String,
    /// Variables without which it is not started.
    pub(crate) required: Vec<String>,
    /// The command line of the application.
    pub(crate) words: Vec<OsString>,
}

/// Returns only where the application could not be started.
pub(crate) fn run(args: &Args, start: &Start) -> Problem {
    let variables = match variables(&args.environment(), &start.container) {
        Ok(variables) => variables,
        Err(problem) => return problem,
    };
    let is_there = |name: &&String| variables.iter().any(|(known, _)| known == name.as_str());
    if let Some(name) = start.required.iter().find(|name| !is_there(name)) {
        return taken_away(name);
    }
    let Some((program, rest)) = start.words.split_first() else {
        return Problem::new(Exit::Usage, "exec needs a command behind `--`".to_owned())
            .advise("the container's command as the webhook wrote it");
    };
    let error = Command::new(program).args(rest).envs(variables).exec();
    not_started(program, &error)
}

/// Those of one container, all of one generation.
fn variables(directory: &Path, container: &str) -> Result<Vec<(OsString, OsString)>, Problem> {
    let prefix = format!("{container}.");
    for _ in 0..ATTEMPTS {
        let held = held(directory, &prefix).map_err(|error| unreadable(&error))?;
        match held {
            Some(variables) => return Ok(variables),
            // Replaced twice meanwhile.
            None => continue,
        }
    }
    Err(unreadable(&Trouble::Restless))
}

/// `None` where the generation went away while it was read.
fn held(directory: &Path, prefix: &str) -> Result<Option<Vec<(OsString, OsString)>>, Trouble> {
    let mount = write::open_mount(directory)?;
    let generation = write::current(&mount)?.ok_or(Trouble::Nothing)?;
    let names = match write::names(&mount, &generation) {
        Ok(names) => names,
        Err(Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(Trouble::Directory(errno)),
    };
    let mut variables = Vec::new();
    for name in names {
        let Some(variable) = name.strip_prefix(prefix) else { continue };
        match bounded::read(&directory.join(&generation).join(&name), LIMIT) {
            Ok(value) => {
                variables.push((variable.into(), OsString::from_vec(value.expose().to_vec())));
            }
            Err(Unreadable::Missing) => return Ok(None),
            Err(problem) => return Err(Trouble::Variable(variable.to_owned(), problem)),
        }
    }
    Ok(Some(variables))
}

#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("{0}")]
    Mount(#[from] WriteError),
    #[error("their directory cannot be opened: {0}")]
    Directory(Errno),
    #[error("no variables were written yet")]
    Nothing,
    #[error("variable {0}: its file {1}")]
    Variable(String, Unreadable),
    #[error("the variables were replaced again and again while they were read")]
    Restless,
}

fn unreadable(trouble: &Trouble) -> Problem {
    let text = format!("the environment variables cannot be read: {trouble}");
    Problem::new(Exit::Local, text).advise(match trouble {
        Trouble::Directory(Errno::ACCESS)
        | Trouble::Variable(_, Unreadable::Other(io::ErrorKind::PermissionDenied)) => {
            "as which user the container runs; the annotation file-mode says who reads"
        }
        _ => "that the container starts after the one that fetches secrets",
    })
}

/// Its secret is gone, and the Pod has said that what came of it goes too. An application that went
/// on with less would find out later, and worse.
fn taken_away(name: &str) -> Problem {
    let text = format!("variable {} is not there: it was taken away", one_line(name, 128));
    Problem::new(Exit::Local, text).advise(
        "whether its secret was revoked, or could not be confirmed for too long (annotations on-revoked, max-staleness)",
    )
}

/// As a shell, and the container runtime, would end.
fn not_started(program: &OsStr, error: &io::Error) -> Problem {
    let exit = match error.kind() {
        io::ErrorKind::NotFound => Exit::NoProgram,
        _ => Exit::NotExecutable,
    };
    let program = one_line(&program.to_string_lossy(), 200);
    Problem::new(exit, format!("{program:?} cannot be started: {}", error.kind())).advise(
        match error.kind() {
            io::ErrorKind::ArgumentListTooLong => {
                "how long all variables are together; give the application files instead"
            }
            _ => "the container's command, and PATH where it is a bare name",
        },
    )
}

/// The longest that the kernel takes, and so what was checked when it was written.
const LIMIT: usize = 128 * 1024;
const ATTEMPTS: u32 = 5;
