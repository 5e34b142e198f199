//! A real Kubernetes cluster on this machine: control plane, one node and the emulated cloud, in a
//! network namespace of their own without a way out. Here it is started and ended; the modules
//! below say what runs and how.

mod arguments;
mod boundary;
mod cloud;
mod component;
mod configuration;
mod control_plane;
mod handle;
mod images;
mod layout;
mod load;
mod network;
mod node;
mod pki;
mod program;
mod teardown;
mod tools;
mod wait;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

pub use self::component::{Component, Frozen};
pub use self::handle::Cluster;
pub use self::images::{BUSYBOX, CLOUD_CA, FETCHER, PAUSE};
pub use self::layout::{ADMIN, CLOUD, ISSUER, Layout, NODE, NODE_ADDRESS};
pub use self::load::{Calls, Creation, Load, LoadStream};
pub use self::program::Program;
pub use self::tools::{Output, Tool, this_program};
pub use self::wait::{Look, until};

use self::boundary::Boundary;
use self::network::ClusterNetwork;

/// What a cluster is made of.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Two clusters with two names run side by side.
    pub name: String,
    /// Where `hack/components` put the programs.
    pub components: PathBuf,
    /// What the emulated cloud contains.
    pub seed: PathBuf,
    /// Archives of images to import.
    pub images: Vec<PathBuf>,
    /// The archive of the fetcher's image, imported as [`FETCHER`].
    pub fetcher: Option<PathBuf>,
    /// The kubelet hears of a container's end when it happens (an alpha feature), and not when it
    /// looks, once a second: what it does next can be measured.
    pub prompt: bool,
}

impl Cluster {
    /// Starts everything and returns when Pods can run.
    pub fn up(plan: &Plan) -> Result<Self> {
        tools::check_host()?;
        let layout = Layout::new(&plan.name)?;
        ensure!(
            !layout.root().exists(),
            "the cluster {:?} is there already: end it with `{} cluster down --name {0}`",
            plan.name,
            tools::this_program(),
        );
        fs::create_dir_all(layout.root())
            .with_context(|| format!("making {}", layout.root().display()))?;
        let components = fs::canonicalize(&plan.components)
            .with_context(|| format!("looking for {}", plan.components.display()))?;
        fs::write(layout.components(), components.as_os_str().as_encoded_bytes())?;
        let cluster = Self::new(layout, components);
        match cluster.start(plan) {
            Ok(()) => Ok(cluster),
            Err(error) => {
                let logs = cluster.layout().logs();
                let kept = std::env::temp_dir().join(format!("{}-logs", cluster.layout().label()));
                let _ = fs::remove_dir_all(&kept);
                let copied = Tool::new("cp").arg("-r").arg(&logs).arg(&kept).run().is_ok();
                cluster.down()?;
                let place = if copied { kept.display().to_string() } else { "nowhere".to_owned() };
                Err(error.context(format!("starting the cluster (logs are kept in {place})")))
            }
        }
    }

    /// A cluster that was started by another process.
    pub fn attach(name: &str) -> Result<Self> {
        let layout = Layout::new(name)?;
        let Ok(components) = fs::read_to_string(layout.components()) else {
            bail!("there is no cluster {name:?}: start it with `make cluster`");
        };
        Ok(Self::new(layout, components.into()))
    }

    /// Ends a cluster by its name, also one of which not much more is there.
    pub fn remove(name: &str) -> Result<()> {
        let layout = Layout::new(name)?;
        ensure!(layout.root().exists(), "there is no cluster {name:?}");
        teardown::run(&layout)
    }

    /// Ends what `up` started and removes what it made, also after half a start.
    pub fn down(&self) -> Result<()> {
        teardown::run(self.layout())
    }

    fn start(&self, plan: &Plan) -> Result<()> {
        let layout = self.layout();
        ClusterNetwork::create(layout)?;
        // What starts from here on, and all that it starts, can be found and ended together.
        Boundary::of(layout).enter()?;
        pki::write(layout)?;
        configuration::write(layout, self.version()?, plan.prompt)?;
        cloud::start(self, &plan.seed)?;
        node::start_runtime(self)?;
        control_plane::start(self)?;
        images::import(self, &plan.images)?;
        if let Some(archive) = &plan.fetcher {
            images::import_fetcher(self, archive, FETCHER)?;
        }
        control_plane::wait(self)?;
        cloud::trust(self)?;
        node::start(self)?;
        node::wait(self)
    }

    /// A container image from an archive, for every Pod.
    pub fn import(&self, archive: &Path) -> Result<()> {
        images::import_archive(self, archive)
    }

    /// Another fetcher beside [`FETCHER`], under this name, with the emulated cloud's CA in it too.
    pub fn import_fetcher(&self, archive: &Path, name: &str) -> Result<()> {
        images::import_fetcher(self, archive, name)
    }

    /// Posts to the emulated cloud's admin API.
    pub fn tell_cloud(&self, path: &str, body: &serde_json::Value) -> Result<String> {
        cloud::post(self, path, body)
    }

    /// Asks the emulated cloud's admin API.
    pub fn ask_cloud(&self, path: &str) -> Result<serde_json::Value> {
        cloud::get(self, path)
    }

    /// The CA that the emulated cloud's certificates are signed by, as PEM.
    pub fn cloud_ca(&self) -> Result<String> {
        cloud::ca(self.layout())
    }
}
