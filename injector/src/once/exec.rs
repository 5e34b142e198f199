//! `secrets-exec`: becomes the application, with its variables set. Runs in a container of the Pod,
//! whose image may be empty but for the application; nothing here touches the network.

mod line;
mod variables;

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

pub(crate) use self::line::HELP;
use plan::KEYS_MARKER;

use self::line::{Invocation, Line};
use crate::process::hardening;
use crate::report::exit::Exit;
use crate::report::problem::{self, Problem, Report};
use crate::report::terminal::{self, one_line};

/// `words` is the command line with the program's name. Returns where nothing was started.
pub fn exec(words: impl IntoIterator<Item = OsString>) -> Exit {
    // The application that it becomes is as open to others as its own program is.
    if let Err(errno) = hardening::conceal() {
        terminal::stderr(&format!("secrets-exec: could not make this process private: {errno}"));
        return Exit::Local;
    }
    match Line::parse(words) {
        Ok(Invocation::Help) => terminal::stdout(HELP),
        Ok(Invocation::Version) => {
            terminal::stdout(concat!("secrets-exec ", env!("CARGO_PKG_VERSION"), "\n"));
        }
        Ok(Invocation::Start(line)) => return report_failure(&line, start(&line)),
        Err(error) => {
            let text = one_line(&error.to_string(), 400);
            terminal::stderr(&format!("secrets-exec: {text}\nsee secrets-exec --help"));
            return Exit::Usage;
        }
    }
    Exit::Success
}

/// Leaves the reason where people and the kubelet look for it: nothing was started.
fn report_failure(line: &Line, problem: Problem) -> Exit {
    let report = Report::from(problem);
    problem::leave(&report.message(), &line.termination_log());
    terminal::stderr(&format!("secrets-exec: {}", report.message()));
    report.exit()
}

fn start(line: &Line) -> Problem {
    let variables = match variables::read(&line.environment(), &line.container) {
        Ok(variables) => variables,
        Err(problem) => return problem,
    };
    let is_there = |name: &&String| variables.iter().any(|(known, _)| known == name.as_str());
    if let Some(name) = line.required.iter().find(|name| !is_there(name)) {
        return taken_away(name);
    }
    // Markers say that a group of variables is there, and are none themselves.
    let is_marker = |name: &OsStr| name.as_encoded_bytes().starts_with(&[KEYS_MARKER as u8]);
    let variables = variables.into_iter().filter(|(name, _)| !is_marker(name));
    let error = Command::new(&line.program).args(&line.arguments).envs(variables).exec();
    not_started(&line.program, &error)
}

/// The variable's secret is gone, and the Pod has said that its variables go too. An application
/// that went on with less would find out later, and worse.
fn taken_away(name: &str) -> Problem {
    let text = match name.starts_with(KEYS_MARKER) {
        true => "the variables of a whole secret are not there: they were taken away".to_owned(),
        false => format!("variable {} is not there: it was taken away", one_line(name, 128)),
    };
    Problem::new(Exit::Local, text).advise(
        "whether its secret was revoked, or could not be confirmed for too long (annotations on-revoked, max-staleness)",
    )
}

/// Whether the program's file exists: at its path, or for a bare name in a directory of `PATH`.
fn is_there(program: &OsStr) -> bool {
    if program.as_encoded_bytes().contains(&b'/') {
        return Path::new(program).is_file();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).take(MOST_DIRECTORIES).any(|at| at.join(program).is_file())
}

/// Far more than a `PATH` has.
const MOST_DIRECTORIES: usize = 256;

/// Ends as a shell, and the container runtime, would.
fn not_started(program: &OsStr, error: &io::Error) -> Problem {
    let exit = match error.kind() {
        io::ErrorKind::NotFound => Exit::NoProgram,
        _ => Exit::NotExecutable,
    };
    let lacks_interpreter = exit == Exit::NoProgram && is_there(program);
    let program = one_line(&program.to_string_lossy(), 200);
    if lacks_interpreter {
        let text =
            format!("{program:?} cannot be started: it is there, but what starts it is not found");
        return Problem::new(exit, text).advise(
            "the interpreter that its first line names (#!), or, of a program, the loader that it was linked for: the image must have it",
        );
    }
    Problem::new(exit, format!("{program:?} cannot be started: {}", error.kind())).advise(
        match error.kind() {
            io::ErrorKind::ArgumentListTooLong => {
                "how long all variables are together; give the application files instead"
            }
            _ => "the container's command, and PATH where it is a bare name",
        },
    )
}
