//! The process of the fetcher: hands over what it was started with, ends with the exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    // The plan is the one thing that is read from the environment.
    injector::run(std::env::args_os(), std::env::var_os(injector::PLAN_VARIABLE)).into()
}
