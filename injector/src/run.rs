//! Runs the command, and reports why it failed.

use std::ffi::OsString;

use plan::{FetcherOptions, LogLevel, Plan};
use rustix::io::Errno;
use tracing::error;

use crate::health::status_file;
use crate::input::args::{Args, Command, HELP};
use crate::input::plan_env;
use crate::once::{get, init, startup_probe};
use crate::process::{hardening, log, resource_limits};
use crate::refresh;
use crate::report::exit::Exit;
use crate::report::problem::{Problem, Report};
use crate::report::{problem, terminal};

/// `words` is the command line with the program's name, `plan` the one environment variable.
pub fn run(words: impl IntoIterator<Item = OsString>, plan: Option<OsString>) -> Exit {
    if let Err(errno) = hardening::conceal() {
        return exposed(errno);
    }
    let args = match Args::parse(words) {
        Ok(args) => args,
        Err(error) => {
            let line = terminal::one_line(&error.to_string(), 400);
            terminal::stderr(&format!("secrets-injector: {line}\nsee secrets-injector --help"));
            return Exit::Usage;
        }
    };
    if let Err(errno) = hardening::forbid_cores() {
        return exposed(errno);
    }
    // Not every kernel and sandbox can, and a Pod that has no swap needs none of it.
    let _ = hardening::stay_in_memory();
    // The same holds for the number of files.
    let _ = resource_limits::raise();
    match &args.command {
        Command::Help => succeed(|| terminal::stdout(HELP)),
        Command::Version => succeed(|| {
            terminal::stdout(concat!("secrets-injector ", env!("CARGO_PKG_VERSION"), "\n"));
        }),
        Command::Init => served(&args, plan, init::run),
        Command::Refresh => served(&args, plan, refresh),
        Command::Get(sources) => match decoded(plan) {
            // Somebody is looking at a terminal: the answers are the output, progress is noise.
            Ok(plan) => {
                let quiet = FetcherOptions { log_level: LogLevel::Error, ..plan.options() };
                log::with(&quiet, || {
                    get::run(&args, &plan, sources)
                        .map_or_else(|report| print_report(&report), |()| Exit::Success)
                })
            }
            Err(report) => print_report(&report),
        },
        Command::Probe => match decoded(plan) {
            Ok(plan) => probe(&args, &plan),
            Err(report) => print_report(&report),
        },
    }
}

fn exposed(errno: Errno) -> Exit {
    terminal::stderr(&format!("secrets-injector: could not make this process private: {errno}"));
    Exit::Local
}

/// Runs a command in a container, for a Pod that waits for its files.
fn served(
    args: &Args,
    plan: Option<OsString>,
    work: impl FnOnce(&Args, &Plan) -> Result<(), Report>,
) -> Exit {
    match decoded(plan) {
        Ok(plan) => log::with(&plan.options(), || {
            work(args, &plan).map_or_else(|report| fail(args, &report), |()| Exit::Success)
        }),
        Err(report) => log::with(&FetcherOptions::default(), || fail(args, &report)),
    }
}

fn refresh(args: &Args, plan: &Plan) -> Result<(), Report> {
    match plan.mode().refresh() {
        Some(refresh) => refresh::run(args, plan, refresh),
        None => Err(Problem::new(Exit::Plan, "the plan does not say how to refresh".to_owned())
            .advise("that the container's command is the one that the webhook wrote")
            .into()),
    }
}

fn decoded(plan: Option<OsString>) -> Result<Plan, Report> {
    plan_env::plan(plan).map_err(|error| {
        Problem::new(Exit::Plan, error.to_string())
            .advise("that webhook and fetcher are of one release, and that nothing edits the plan")
            .into()
    })
}

fn probe(args: &Args, plan: &Plan) -> Exit {
    match startup_probe::ready(args, plan) {
        Ok(there) => succeed(|| {
            terminal::stdout(&format!("{}\n", terminal::one_line(&there.to_string(), 600)));
        }),
        Err(error) => {
            let line = format!("not ready: {error}{}", status_file::waiting(args, plan));
            terminal::stdout(&format!("{}\n", terminal::one_line(&line, 600)));
            Exit::NotReady
        }
    }
}

fn succeed(work: impl FnOnce()) -> Exit {
    work();
    Exit::Success
}

/// Reports to the kubelet and to those who read the log: the last line says why.
fn fail(args: &Args, report: &Report) -> Exit {
    let message = report.message();
    problem::leave(&message, &args.termination_log());
    error!(exit_code = report.exit() as u8, "{message}");
    report.exit()
}

/// Reports to a person at a terminal.
fn print_report(report: &Report) -> Exit {
    terminal::stderr(&report.message());
    report.exit()
}
