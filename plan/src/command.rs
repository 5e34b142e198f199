//! Command lines that the webhook writes into containers, and that our programs read there.

use crate::contract::{ENVIRONMENT_DIRECTORY, ENVIRONMENT_PROGRAM};

/// What the fetcher does in a container of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetcherCommand {
    /// Fetches once and ends.
    Init,
    /// Fetches, and keeps current what it wrote until it is ended.
    Refresh,
    /// Says whether everything is there.
    Probe,
}

impl FetcherCommand {
    pub const ALL: [Self; 3] = [Self::Init, Self::Refresh, Self::Probe];

    /// The first word behind the program's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Refresh => "refresh",
            Self::Probe => "probe",
        }
    }

    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|command| command.as_str() == word)
    }
}

/// The command of a container whose variables are set at its start: `secrets-exec`, and behind it what
/// the Pod's author wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecLine<'a, T> {
    /// The container whose variables are set.
    pub container: &'a str,
    /// The names of variables without which the container is not to start, with commas between them.
    pub required: &'a str,
    pub command: &'a [T],
}

pub const CONTAINER_OPTION: &str = "container";
pub const REQUIRE_OPTION: &str = "require";

impl<'a, T: AsRef<str>> ExecLine<'a, T> {
    #[must_use]
    pub fn to_args(&self) -> Vec<String> {
        let ours = [
            program(),
            format!("--{CONTAINER_OPTION}"),
            self.container.to_owned(),
            format!("--{REQUIRE_OPTION}"),
            self.required.to_owned(),
            "--".to_owned(),
        ];
        let own = self.command.iter().map(|word| word.as_ref().to_owned());
        ours.into_iter().chain(own).collect()
    }

    /// `None` where somebody else wrote the line.
    pub fn parse(args: &'a [T]) -> Option<Self> {
        let [first, container_option, container, require_option, required, dashes, command @ ..] =
            args
        else {
            return None;
        };
        let is_option = |word: &T, name| word.as_ref().strip_prefix("--") == Some(name);
        let is_ours = first.as_ref() == program()
            && is_option(container_option, CONTAINER_OPTION)
            && is_option(require_option, REQUIRE_OPTION)
            && dashes.as_ref() == "--";
        let (container, required) = (container.as_ref(), required.as_ref());
        is_ours.then_some(Self { container, required, command })
    }
}

fn program() -> String {
    format!("{ENVIRONMENT_DIRECTORY}/{ENVIRONMENT_PROGRAM}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_command_of_the_fetcher_is_one_word() {
        for command in FetcherCommand::ALL {
            assert_eq!(FetcherCommand::parse(command.as_str()), Some(command));
        }
        assert_eq!(FetcherCommand::parse("exec"), None);
    }

    #[test]
    fn what_somebody_else_wrote_is_no_line_of_ours() {
        let line = ExecLine { container: "app", required: "A,B", command: &["sh"] };
        let args = line.to_args();
        assert_eq!(args[..3], ["/kms-env/secrets-exec", "--container", "app"]);
        assert_eq!(args[3..], ["--require", "A,B", "--", "sh"]);
        for place in [0, 1, 3, 5] {
            let mut other = args.clone();
            other[place].push('x');
            assert_eq!(ExecLine::parse(&other), None, "{other:?}");
        }
        assert_eq!(ExecLine::<&str>::parse(&[]), None);
        assert_eq!(ExecLine::parse(&args[..5]), None);
    }

    proptest! {
        #[test]
        fn a_line_comes_back_as_it_was(
            container in ".*", required in ".*", command in prop::collection::vec(".*", 0..4)
        ) {
            let line = ExecLine { container: &container, required: &required, command: &command };
            let args = line.to_args();
            prop_assert_eq!(ExecLine::parse(&args), Some(line));
        }
    }
}
