//! `secrets-lab`: runs the lab's parts as processes.

mod args;
mod run_cloud;
mod run_cluster;
mod run_demo;
mod run_token;
mod run_worst;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use self::args::{Args, LabCommand};

fn main() -> ExitCode {
    let outcome = match Args::parse().command {
        LabCommand::Bench(args) => {
            lab::bench::run(&args.summary, args.components.as_deref(), &args.images)
        }
        LabCommand::Cloud(args) => run_cloud::run(args),
        LabCommand::Cluster(args) => run_cluster::run(args),
        LabCommand::Cost(args) => lab::cost::run(&args.command),
        LabCommand::Decide(args) => run_worst::decide(&args),
        LabCommand::Demo => run_demo::run(),
        LabCommand::Token(args) => run_token::run(args),
        LabCommand::Worst(args) => run_worst::run(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell when stderr is gone.
            let _ = writeln!(std::io::stderr(), "secrets-lab: {error:#}");
            ExitCode::FAILURE
        }
    }
}
