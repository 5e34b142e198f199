//! The command line of `secrets-exec`, which the webhook writes before that of a container.

use plan::{CONTAINER_OPTION, REQUIRE_OPTION};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use lexopt::{Arg, Parser, ValueExt};
use plan::contract::ENVIRONMENT_DIRECTORY;

use crate::input::args::{TERMINATION_LOG, under};

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Invocation {
    Start(Line),
    Version,
    Help,
}

/// What is to be started.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    root: Option<PathBuf>,
    termination_log: PathBuf,
    pub(super) container: String,
    /// Variables without which it is not started.
    pub(super) required: Vec<String>,
    /// The application.
    pub(super) program: OsString,
    pub(super) arguments: Vec<OsString>,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum LineError {
    #[error("--container NAME is missing")]
    NoContainer,
    #[error("there is no command to start; write it behind `--`")]
    NoCommand,
    #[error("{0}")]
    Syntax(#[from] lexopt::Error),
}

pub(crate) const HELP: &str = "\
Becomes a command, with the variables of a container in its environment.

Usage: secrets-exec --container NAME [--require VARIABLE,...] -- COMMAND...

The webhook writes it before the command of a container that gets variables from secrets; the
fetcher puts it, and the variables, where that container finds them.

Options:
  --container NAME         whose variables they are
  --require VARIABLE,...   variables without which the command is not started
  --termination-log FILE   where the reason of a failure goes [/dev/termination-log]
  --root DIR               put DIR before the paths, for local runs
  --version, --help

Exit codes, where the command was not started:
   16  the variables are not there, or cannot be read
   64  usage: the command line is not valid
  126  the command cannot be started
  127  the command was not found
";

impl Line {
    pub(super) fn parse(
        words: impl IntoIterator<Item = OsString>,
    ) -> Result<Invocation, LineError> {
        let mut parser = Parser::from_iter(words);
        let (mut root, mut termination_log) = (None, PathBuf::from(TERMINATION_LOG));
        let (mut container, mut required) = (String::new(), String::new());
        let program = loop {
            match parser.next()? {
                None => return Err(LineError::NoCommand),
                Some(Arg::Long("help") | Arg::Short('h')) => return Ok(Invocation::Help),
                Some(Arg::Long("version") | Arg::Short('V')) => return Ok(Invocation::Version),
                Some(Arg::Long("root")) => root = Some(parser.value()?.into()),
                Some(Arg::Long("termination-log")) => termination_log = parser.value()?.into(),
                Some(Arg::Long(CONTAINER_OPTION)) => container = parser.value()?.string()?,
                Some(Arg::Long(REQUIRE_OPTION)) => required = parser.value()?.string()?,
                Some(Arg::Value(program)) => break program,
                Some(other) => return Err(other.unexpected().into()),
            }
        };
        if container.is_empty() {
            return Err(LineError::NoContainer);
        }
        let names = required.split(',').filter(|name| !name.is_empty());
        let required = names.map(str::to_owned).collect();
        // What is behind the program is the application's, dashes and all.
        let arguments = parser.raw_args()?.collect();
        Ok(Invocation::Start(Self {
            root,
            termination_log,
            container,
            required,
            program,
            arguments,
        }))
    }

    pub(super) fn environment(&self) -> PathBuf {
        under(self.root.as_deref(), Path::new(ENVIRONMENT_DIRECTORY))
    }

    pub(super) fn termination_log(&self) -> PathBuf {
        under(self.root.as_deref(), &self.termination_log)
    }
}

#[cfg(test)]
mod tests {
    use plan::ExecLine;
    use proptest::prelude::*;

    use super::*;

    fn parse(words: &[&str]) -> Result<Invocation, LineError> {
        Line::parse(["secrets-exec"].iter().chain(words).map(OsString::from))
    }

    #[test]
    fn what_is_started_stands_behind_two_dashes_and_is_not_looked_into() {
        let ours = ["--root", "/r", "--container", "app", "--require", "A,B", "--"];
        for words in [&["sh", "-c", "--help"][..], &["--", "-x"], &["--version"]] {
            let Invocation::Start(line) = parse(&[&ours[..], words].concat()).unwrap() else {
                panic!("{words:?}");
            };
            let started = [&line.program].into_iter().chain(&line.arguments);
            assert_eq!(started.collect::<Vec<_>>(), words);
            assert_eq!((line.container.as_str(), line.required.len()), ("app", 2));
            assert_eq!(line.environment(), Path::new("/r/kms-env"));
            assert_eq!(line.termination_log(), Path::new("/r/dev/termination-log"));
        }
    }

    proptest! {
        #[test]
        fn what_the_webhook_writes_is_read_as_it_is_meant(
            container in "[a-z0-9-]{1,63}",
            required in prop::collection::vec("[A-Za-z_][A-Za-z0-9_]{0,20}", 0..4),
            command in prop::collection::vec(".*", 1..5),
        ) {
            let joined = required.join(",");
            let written = ExecLine { container: &container, required: &joined, command: &command };
            let Ok(Invocation::Start(line)) = Line::parse(written.to_args().into_iter().map(OsString::from))
            else {
                return Err(TestCaseError::fail("it is read as something else"));
            };
            prop_assert_eq!((line.container, line.required), (container, required));
            let started: Vec<_> = [line.program].into_iter().chain(line.arguments).collect();
            prop_assert_eq!(started, command.into_iter().map(OsString::from).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_line_without_container_or_command_is_a_usage_error() {
        assert!(matches!(parse(&["--", "x"]), Err(LineError::NoContainer)));
        for bad in [&[][..], &["--container", "app"], &["--container", "app", "--"]] {
            assert!(matches!(parse(bad), Err(LineError::NoCommand)), "{bad:?}");
        }
        assert!(matches!(parse(&["-x"]), Err(LineError::Syntax(_))));
        assert!(matches!(parse(&["--container"]), Err(LineError::Syntax(_))));
        assert_eq!(parse(&["-h"]).unwrap(), Invocation::Help);
        assert_eq!(parse(&["--version"]).unwrap(), Invocation::Version);
    }
}
