//! `secrets-webhook`: reads the command line, runs a command, chooses the exit code.

use std::io::{Write as _, stderr, stdin, stdout};
use std::process::ExitCode;

use clap::Parser as _;
use webhook::args::{Cli, Command};
use webhook::{Failure, install_probe, offline, serve};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(64) } else { ExitCode::SUCCESS };
        }
    };
    // A variable that is not UTF-8 is none of ours.
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let result: Result<(), Failure> = match cli.command {
        Command::Serve(args) => serve::run(*args, webhook::wire::admit::admit, environment),
        Command::Inject(args) => {
            offline::inject::run(&args, environment, stdin(), stdout(), stderr())
        }
        Command::Check(args) => offline::check::run(&args, environment, stdin(), stdout()),
        Command::Probe(args) => install_probe::run(&args, stdout()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(stderr(), "secrets-webhook: {failure}");
            ExitCode::from(failure.code())
        }
    }
}
