//! etcd, API server, controller manager and scheduler: when they are started, and when they are ready.

use std::time::Duration;

use anyhow::Result;

use super::handle::Cluster;
use super::program::Program;
use super::wait::until;

pub(crate) fn start(cluster: &Cluster) -> Result<()> {
    for program in
        [Program::Etcd, Program::ApiServer, Program::ControllerManager, Program::Scheduler]
    {
        cluster.component(program).start()?;
    }
    Ok(())
}

/// Until the API server answers.
pub(crate) fn wait(cluster: &Cluster) -> Result<()> {
    until("the API server", Duration::from_secs(120), || {
        cluster.component(Program::Etcd).check()?;
        cluster.component(Program::ApiServer).check()?;
        Ok(cluster.kubectl().args(["get", "--raw", "/readyz"]).run().into())
    })
    .map(|_| ())
}
