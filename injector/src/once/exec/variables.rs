//! The variables of one container, as they lie beside the program: all of one generation.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::path::Path;
use std::thread::sleep;
use std::time::Instant;

use rustix::io::Errno;

use crate::process::bounded::{self, GLANCE, UnreadableFile};
use crate::report::exit::Exit;
use crate::report::problem::Problem;
use crate::write::directory;
use crate::write::error::WriteError;

pub(super) fn read(
    directory: &Path,
    container: &str,
) -> Result<Vec<(OsString, OsString)>, Problem> {
    let prefix = format!("{container}.");
    let end = Instant::now() + bounded::longest_lease();
    let mut attempts = 0..ATTEMPTS;
    loop {
        match held(directory, &prefix) {
            Ok(Some(variables)) => return Ok(variables),
            // Replaced twice meanwhile.
            Ok(None) if attempts.next().is_some() => {}
            Ok(None) => return Err(unreadable(&Trouble::Restless)),
            Err(trouble) if trouble.is_leased() && Instant::now() < end => sleep(GLANCE),
            Err(trouble) => return Err(unreadable(&trouble)),
        }
    }
}

/// `None` where the generation went away while it was read.
fn held(directory: &Path, prefix: &str) -> Result<Option<Vec<(OsString, OsString)>>, Trouble> {
    let mount = directory::open_mount(directory)?;
    let generation = directory::current(&mount)?.ok_or(Trouble::Nothing)?;
    let names = match directory::names(&mount, &generation) {
        Ok(names) => names,
        Err(Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(Trouble::Directory(errno)),
    };
    let (mut variables, mut leased) = (Vec::new(), None);
    for name in names {
        let Some(variable) = name.strip_prefix(prefix) else { continue };
        match bounded::read(&directory.join(&generation).join(&name), LIMIT) {
            Ok(value) => {
                variables.push((variable.into(), OsString::from_vec(value.expose().to_vec())));
            }
            Err(UnreadableFile::Missing) => return Ok(None),
            // Opening the others too has all leases end at one time.
            Err(problem) if problem.is_leased() => leased = Some((variable.to_owned(), problem)),
            Err(problem) => return Err(Trouble::Variable(variable.to_owned(), problem)),
        }
    }
    match leased {
        Some((variable, problem)) => Err(Trouble::Variable(variable, problem)),
        None => Ok(Some(variables)),
    }
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
    Variable(String, UnreadableFile),
    #[error("the variables were replaced again and again while they were read")]
    Restless,
}

impl Trouble {
    fn is_leased(&self) -> bool {
        matches!(self, Self::Variable(_, problem) if problem.is_leased())
    }
}

fn unreadable(trouble: &Trouble) -> Problem {
    let text = format!("the environment variables cannot be read: {trouble}");
    Problem::new(Exit::Local, text).advise(match trouble {
        Trouble::Directory(Errno::ACCESS)
        | Trouble::Variable(_, UnreadableFile::Other(io::ErrorKind::PermissionDenied)) => {
            "as which user the container runs; the annotation file-mode says who reads"
        }
        trouble if trouble.is_leased() => {
            "which process of the same user holds a lease on the file (fcntl F_SETLEASE)"
        }
        _ => "that the container starts after the one that fetches secrets",
    })
}

/// The longest that the kernel takes, and so what was checked when it was written.
const LIMIT: usize = 128 * 1024;
const ATTEMPTS: u32 = 5;

#[cfg(test)]
mod tests {
    use plan::FileMode;

    use super::*;
    use crate::process::lease::Lease;
    use crate::write::atomic_writer::publish;
    use crate::write::directory::in_current;
    use crate::write::generation_name::Name;
    use crate::write::hold::Hold;
    use crate::write::new_file::{NewFile, directory_mode};

    #[test]
    fn a_variable_is_waited_for_while_somebody_has_a_lease_on_its_file() {
        let directory = tempfile::tempdir().unwrap();
        let file = |name, content| NewFile { name, mode: 0o444, content };
        let files = [file("app.A", &b"1"[..]), file("app.B", b"2"), file("side.C", b"3")];
        let mode = directory_mode([FileMode::parse("0444").unwrap()]);
        let name = Name::next(std::time::UNIX_EPOCH, None);
        publish(directory.path(), &files, mode, None, &name, &mut Hold::default()).unwrap();
        let leases = ["app.A", "app.B"]
            .map(|name| Lease::that_yields(&in_current(directory.path(), name)).unwrap());
        let mut found = read(directory.path(), "app").unwrap();
        found.sort();
        assert_eq!(found, [("A".into(), "1".into()), ("B".into(), "2".into())]);
        drop(leases);
    }
}
