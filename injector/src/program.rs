//! A copy of this program beside the environment variables, with which containers of any image
//! start their command.

use std::path::Path;

use plan::ENVIRONMENT_PROGRAM;

use crate::args::Args;
use crate::bounded;
use crate::entry::Volume;
use crate::exit::Exit;
use crate::publish;
use crate::report::Problem;
use crate::write;

const OURSELVES: &str = "/proc/self/exe";
/// Several times what is shipped.
const LIMIT: usize = 128 * 1024 * 1024;
const EXECUTABLE: write::Access = write::Access { mode: 0o555, group: None };

pub(crate) fn install(args: &Args) -> Result<(), Problem> {
    let program = bounded::read(Path::new(OURSELVES), LIMIT).map_err(|problem| {
        Problem::new(Exit::Local, format!("{OURSELVES} {problem}"))
            .advise("that /proc is mounted in this container")
    })?;
    let directory = args.environment();
    // There is room for two, so that one of another version can be replaced; but no need to.
    match bounded::read(&directory.join(ENVIRONMENT_PROGRAM), LIMIT) {
        Ok(known) if known.expose() == program.expose() => return Ok(()),
        _ => {}
    }
    write::put(&directory, ENVIRONMENT_PROGRAM, program.expose(), EXECUTABLE)
        .map_err(|error| publish::problem(Volume::Environment, &error))
}
