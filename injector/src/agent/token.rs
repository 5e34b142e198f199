//! The token that clients show: 64 hex digits in a file that the Pod's consumers can read. A token
//! that is there is kept, because clients may have read it before we were started again.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use plan::{Agent, Plan};
use secret::Sensitive;

use crate::input::args::Args;
use crate::process::bounded::{self, UnreadableFile};
use crate::report::exit::Exit;
use crate::report::problem::Problem;
use crate::write::single_file;
use crate::write::volumes::our_group;

const DIGITS: usize = 64;

#[derive(Debug, thiserror::Error)]
#[error("the agent's token {path} {problem}")]
pub(crate) struct TokenMissing {
    path: String,
    problem: String,
}

/// Clients wait for nobody's lease on it while the file is open.
pub(crate) fn ensure(
    args: &Args,
    plan: &Plan,
    agent: &Agent,
) -> Result<(Sensitive, File), Problem> {
    let known = present(&path(args, agent)).map_err(|error| {
        Problem::new(Exit::Local, error.to_string()).advise("what else uses the volume kms-agent")
    })?;
    let token = known.or_else(secret::secret_hex).ok_or_else(|| {
        Problem::new(Exit::Local, "no randomness from the operating system".to_owned())
    })?;
    // A token that is there is written too: we say who may read it, not the process that left it.
    let access =
        single_file::Access { mode: agent.token_mode.bits(), group: our_group(args, plan) };
    let directory = args.mount(agent.token.directory());
    let name = agent.token.file().as_str();
    let held = single_file::put(&directory, name, token.expose(), access).map_err(|error| {
        Problem::new(Exit::Local, format!("the agent's token was not written: {error}"))
            .advise("the volume kms-agent and what else writes to it; locally, make the directory")
    })?;
    Ok((token, held))
}

/// Returns `None` where there is no token, or none of ours. A file that cannot be read now may be
/// ours.
fn present(path: &Path) -> Result<Option<Sensitive>, TokenMissing> {
    match bounded::read_in_time(path, DIGITS) {
        Ok(token) => Ok(is_ours(&token).then_some(token)),
        Err(UnreadableFile::Other(io::ErrorKind::PermissionDenied)) => Ok(None),
        Err(problem @ UnreadableFile::Other(_)) => Err(missing(path, problem.to_string())),
        Err(UnreadableFile::Missing | UnreadableFile::NotAFile | UnreadableFile::TooLarge(_)) => {
            Ok(None)
        }
    }
}

/// Whether clients find a token.
pub(crate) fn is_there(args: &Args, agent: &Agent) -> Result<(), TokenMissing> {
    let path = path(args, agent);
    match bounded::read(&path, DIGITS) {
        Ok(token) if is_ours(&token) => Ok(()),
        Ok(_) => Err(missing(&path, "is not ours".to_owned())),
        Err(problem) => Err(missing(&path, problem.to_string())),
    }
}

fn missing(path: &Path, problem: String) -> TokenMissing {
    TokenMissing { path: path.display().to_string(), problem }
}

fn is_ours(token: &Sensitive) -> bool {
    let is_digit = |b: &u8| b.is_ascii_digit() || (b'a'..=b'f').contains(b);
    token.len() == DIGITS && token.expose().iter().all(is_digit)
}

fn path(args: &Args, agent: &Agent) -> PathBuf {
    args.mount(agent.token.directory()).join(agent.token.file().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::lease::Lease;

    #[test]
    fn a_token_that_somebody_has_a_lease_on_is_kept_and_others_are_made_anew() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        assert_eq!(present(&path).unwrap().map(drop), None);
        for other in ["", "x", &"0".repeat(DIGITS + 1), &"G".repeat(DIGITS)] {
            std::fs::write(&path, other).unwrap();
            assert_eq!(present(&path).unwrap().map(drop), None);
        }
        let ours = "0f".repeat(DIGITS / 2);
        std::fs::write(&path, &ours).unwrap();
        let lease = Lease::that_yields(&path).unwrap();
        assert_eq!(present(&path).unwrap().unwrap().expose(), ours.as_bytes());
        drop(lease);
    }
}
