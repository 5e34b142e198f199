//! Where the programs are that the lab runs as processes.

use std::path::PathBuf;

use anyhow::{Result, bail};

/// The program beside what runs now: `target/PROFILE`, for a test one directory up.
pub fn beside(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let found = own
        .ancestors()
        .skip(1)
        .take(2)
        .map(|directory| directory.join(name))
        .find(|path| path.is_file());
    match found {
        Some(path) => Ok(path),
        None => bail!("no {name} beside {}: run `cargo build --bins`", own.display()),
    }
}
