//! A copy of `secrets-exec` beside the environment variables, with which containers of any image
//! start their command.

use std::fs::File;
use std::path::PathBuf;

use plan::contract::ENVIRONMENT_PROGRAM;

use crate::input::args::Args;
use crate::input::entry::MemoryVolume;
use crate::process::bounded;
use crate::report::exit::Exit;
use crate::report::problem::Problem;
use crate::write::single_file;
use crate::write::volumes;

/// The program that is shipped has a fraction of this.
const LIMIT: usize = 128 * 1024 * 1024;
const EXECUTABLE: single_file::Access = single_file::Access { mode: 0o555, group: None };

/// Puts the copy there. Nobody can keep containers from starting by a lease on it while the file
/// that is returned is open.
pub(crate) fn install(args: &Args) -> Result<File, Problem> {
    let path = beside_us()?;
    let program = bounded::read(&path, LIMIT).map_err(|problem| {
        Problem::new(Exit::Local, format!("{} {problem}", path.display()))
            .advise("that the image is the fetcher's, whole: it has two programs")
    })?;
    let directory = args.environment();
    // There is room for two copies, so that one of another version can be replaced; but an equal
    // one stays.
    if let Ok(known) = bounded::open(&directory.join(ENVIRONMENT_PROGRAM))
        && bounded::content(&known, LIMIT).is_ok_and(|held| held.expose() == program.expose())
    {
        return Ok(known);
    }
    single_file::put(&directory, ENVIRONMENT_PROGRAM, program.expose(), EXECUTABLE)
        .map_err(|error| volumes::problem(MemoryVolume::Environment, &error))
}

/// An image, a build and an installation have both programs in one directory.
fn beside_us() -> Result<PathBuf, Problem> {
    let ours = std::env::current_exe().map_err(|error| {
        let text = format!("the fetcher's own program is not found: {}", error.kind());
        Problem::new(Exit::Local, text).advise("that /proc is mounted in this container")
    })?;
    Ok(ours.with_file_name(ENVIRONMENT_PROGRAM))
}
