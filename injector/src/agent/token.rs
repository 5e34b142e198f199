//! The token that clients show: 64 hex digits in a file that the Pod's consumers can read. One that
//! is there is kept, because clients may have read it before we were started again.

use std::path::PathBuf;

use cloud::Sensitive;
use plan::{Agent, Plan};

use crate::args::Args;
use crate::bounded::{self, Unreadable};
use crate::exit::Exit;
use crate::publish::our_group;
use crate::report::Problem;
use crate::write;

const DIGITS: usize = 64;

#[derive(Debug, thiserror::Error)]
#[error("the agent's token {path} {problem}")]
pub(crate) struct TokenMissing {
    path: String,
    problem: String,
}

pub(crate) fn ensure(args: &Args, plan: &Plan, agent: &Agent) -> Result<Sensitive, Problem> {
    if let Ok(token) = read(args, agent) {
        return Ok(token);
    }
    let token = cloud::secret_hex().ok_or_else(|| {
        Problem::new(Exit::Local, "no randomness from the operating system".to_owned())
    })?;
    let access = write::Access { mode: agent.token_mode.bits(), group: our_group(args, plan) };
    let directory = args.mount(agent.token.directory());
    let name = agent.token.file().as_str();
    write::put(&directory, name, token.expose(), access).map_err(|error| {
        Problem::new(Exit::Local, format!("the agent's token was not written: {error}"))
            .advise("the volume kms-agent and what else writes to it; locally, make the directory")
    })?;
    Ok(token)
}

/// Whether clients find a token.
pub(crate) fn is_there(args: &Args, agent: &Agent) -> Result<(), TokenMissing> {
    read(args, agent).map(drop)
}

fn read(args: &Args, agent: &Agent) -> Result<Sensitive, TokenMissing> {
    let path = path(args, agent);
    let missing = |problem: String| TokenMissing { path: path.display().to_string(), problem };
    let token =
        bounded::read(&path, DIGITS).map_err(|problem: Unreadable| missing(problem.to_string()))?;
    let valid = token.len() == DIGITS
        && token.expose().iter().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(b));
    if valid { Ok(token) } else { Err(missing("is not ours".to_owned())) }
}

fn path(args: &Args, agent: &Agent) -> PathBuf {
    args.mount(agent.token.directory()).join(agent.token.file().as_str())
}
