//! A copy of this program beside the environment variables, with which containers of any image
//! start their command.

use std::path::Path;

use plan::ENVIRONMENT_PROGRAM;

use crate::args::Args;
use crate::bounded;
use crate::exit::Exit;
use crate::publish;
use crate::report::Problem;
use crate::write;

const OURSELVES: &str = "/proc/self/exe";
/// Several times what is shipped.
const LIMIT: usize = 128 * 1024 * 1024;
const EXECUTABLE: u16 = 0o555;

pub(crate) fn install(args: &Args) -> Result<(), Problem> {
    let program = bounded::read(Path::new(OURSELVES), LIMIT).map_err(|problem| {
        Problem::new(Exit::Local, format!("{OURSELVES} {problem}"))
            .advise("that /proc is mounted in this container")
    })?;
    write::put(&args.environment(), ENVIRONMENT_PROGRAM, program.expose(), EXECUTABLE)
        .map_err(|error| publish::problem(&error))
}
