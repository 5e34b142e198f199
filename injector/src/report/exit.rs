//! The exit codes: what a script or a person can tell from the number alone.

use std::process::ExitCode;

use secret::Failure;

/// One code for each kind of thing to mend; `docs/exit-codes.md` is the reader's side of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    Success = 0,
    /// `probe`: the files are not there yet.
    NotReady = 1,
    Plan = 10,
    Identity = 11,
    Denied = 12,
    NotFound = 13,
    Throttled = 14,
    Unreachable = 15,
    /// The mount, a CA file or another thing of this container.
    Local = 16,
    /// A value or an answer that came, but cannot be used.
    Unusable = 17,
    /// The service refuses for a reason that is none of the above.
    Refused = 18,
    /// An answer came that is for another question.
    Mismatched = 19,
    /// The code is `EX_USAGE` of sysexits.
    Usage = 64,
    /// `exec`: a shell reports so what it cannot start.
    NotExecutable = 126,
    /// `exec`: a shell reports so what it does not find.
    NoProgram = 127,
    /// A shell reports SIGTERM so.
    Interrupted = 143,
}

impl From<Failure> for Exit {
    fn from(failing: Failure) -> Self {
        match failing {
            Failure::Identity => Self::Identity,
            Failure::Denied => Self::Denied,
            Failure::NotFound => Self::NotFound,
            Failure::Throttled => Self::Throttled,
            Failure::Unreachable => Self::Unreachable,
            Failure::Refused => Self::Refused,
            Failure::Unusable => Self::Unusable,
            Failure::Mismatched => Self::Mismatched,
            Failure::Local => Self::Local,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;

    /// Scripts depend on the numbers: a changed line here is a breaking change.
    #[test]
    fn every_code_is_the_documented_one() {
        let documented = include_str!("../../../docs/exit-codes.md");
        for (exit, code) in [
            (Exit::Success, 0),
            (Exit::NotReady, 1),
            (Exit::Plan, 10),
            (Exit::Identity, 11),
            (Exit::Denied, 12),
            (Exit::NotFound, 13),
            (Exit::Throttled, 14),
            (Exit::Unreachable, 15),
            (Exit::Local, 16),
            (Exit::Unusable, 17),
            (Exit::Refused, 18),
            (Exit::Mismatched, 19),
            (Exit::Usage, 64),
            (Exit::NotExecutable, 126),
            (Exit::NoProgram, 127),
            (Exit::Interrupted, 143),
        ] {
            assert_eq!(exit as u8, code, "{exit:?}");
            assert!(documented.contains(&format!("\n| {code} | ")), "{exit:?} is not documented");
            let help = [crate::input::args::HELP, crate::once::exec::HELP].concat();
            assert!(help.contains(&format!("\n  {code:>3}  ")), "{exit:?} is not in --help");
        }
    }
}
