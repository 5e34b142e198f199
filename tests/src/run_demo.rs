//! `secrets-lab demo`: the whole way from an annotation to a file, with the real webhook, the real
//! fetcher and an emulated cloud, for somebody who sees the project for the first time. It checks
//! what it says, and fails where that is not so.

mod changes;
mod listing;
mod progress;
mod refusals;
mod screen;
mod tour;

use std::io::{IsTerminal, stdout};

use anyhow::{Context, Result};

use self::screen::Screen;

pub(crate) fn run() -> Result<()> {
    let colors =
        stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    let mut screen = Screen::new(stdout(), colors);
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("starting the runtime")?
        .block_on(tour::take(&mut screen))
}
