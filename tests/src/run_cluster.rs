//! `secrets-lab cluster`.

use std::ffi::OsString;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use lab::cluster::{Cluster, Plan, this_program};

use crate::args::{ClusterArgs, ClusterCommand};

pub(crate) fn run(args: ClusterArgs) -> Result<()> {
    let name = args.name;
    match args.command {
        ClusterCommand::Up { components, seed, images, fetcher } => {
            let (began, program) = (Instant::now(), this_program());
            let cluster = Cluster::up(&Plan {
                name: name.clone(),
                components,
                seed,
                images,
                fetcher,
                prompt: false,
            })?;
            say(&format!(
                "the cluster {name:?} is ready after {:.1} s; its files are in {}\n\
                 use it:  {program} cluster exec --name {name} -- kubectl get pods --all-namespaces\n\
                 end it:  {program} cluster down --name {name}\n",
                began.elapsed().as_secs_f64(),
                cluster.layout().root().display(),
            ))
        }
        ClusterCommand::Down => Cluster::remove(&name),
        ClusterCommand::Exec { command } => exec(&Cluster::attach(&name)?, command),
    }
}

/// Becomes the program, so that its signals, terminal and exit code are its own.
fn exec(cluster: &Cluster, command: Vec<OsString>) -> Result<()> {
    let mut words = command.into_iter();
    let program = words.next().context("no program to run")?;
    let tool = match program.to_str() {
        Some(name) => cluster.tool(name),
        None => cluster.inside(Path::new(&program)),
    };
    let mut command = tool.args(words).into_command();
    let error = command
        .stdin(std::process::Stdio::inherit())
        .stdout(std::process::Stdio::inherit())
        .stderr(std::process::Stdio::inherit())
        .exec();
    Err(error).with_context(|| format!("running {}", program.to_string_lossy()))
}

fn say(text: &str) -> Result<()> {
    std::io::stdout().write_all(text.as_bytes()).context("writing to standard output")
}
