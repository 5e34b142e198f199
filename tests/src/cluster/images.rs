//! Container images of the cluster: made here from static programs, never pulled.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::handle::Cluster;
use super::node::ctr;
use super::tools::Tool;

/// What holds a Pod's namespaces open.
pub const PAUSE: &str = "registry.example/pause:1";
/// A shell and the usual tools, for the applications of stories.
pub const BUSYBOX: &str = "registry.example/busybox:1";

/// The fetcher under test, and where in it the emulated cloud's CA lies.
pub const FETCHER: &str = "registry.example/secrets-injector-lab:1";
pub const CLOUD_CA: &str = "/cloud-ca.pem";

pub(crate) fn import(cluster: &Cluster, archives: &[PathBuf]) -> Result<()> {
    let directory = cluster.layout().images();
    fs::create_dir_all(&directory)?;
    let pause = image(
        &directory,
        PAUSE,
        &[("catatonit", "catatonit")],
        "COPY catatonit /pause\nENTRYPOINT [\"/pause\", \"-P\"]\n",
    )?;
    let busybox = image(
        &directory,
        BUSYBOX,
        &[("busybox", "busybox")],
        "COPY busybox /bin/busybox\nRUN [\"/bin/busybox\", \"--install\", \"-s\", \"/bin\"]\nENV PATH=/bin\n",
    )?;
    for archive in [pause, busybox].iter().chain(archives) {
        import_archive(cluster, archive)?;
    }
    Ok(())
}

pub(crate) fn import_archive(cluster: &Cluster, archive: &Path) -> Result<()> {
    ctr(cluster).args(["images", "import", "--local"]).arg(archive).run().map(|_| ())
}

/// The fetcher's image with the emulated cloud's CA in it: nothing else reaches our container that
/// could bring one, and that is on purpose.
pub(crate) fn import_fetcher(cluster: &Cluster, archive: &Path, name: &str) -> Result<()> {
    let directory = cluster.layout().images();
    let context = directory.join("fetcher");
    fs::create_dir_all(&context)?;
    fs::write(context.join("cloud-ca.pem"), super::cloud::ca(cluster.layout())?)?;
    let archive =
        fs::canonicalize(archive).with_context(|| format!("looking for {}", archive.display()))?;
    let dockerfile =
        format!("FROM oci-archive:{}\nCOPY cloud-ca.pem {CLOUD_CA}\n", archive.display());
    fs::write(context.join("Dockerfile"), dockerfile)?;
    let archive = build(&context, name, &directory.join("fetcher.tar"))?;
    import_archive(cluster, &archive)
}

/// An image from scratch with programs of this machine.
fn image(
    directory: &Path,
    name: &str,
    programs: &[(&str, &str)],
    instructions: &str,
) -> Result<PathBuf> {
    let short = name.rsplit('/').next().unwrap_or(name).replace(':', "-");
    let context = directory.join(&short);
    fs::create_dir_all(&context)?;
    for (program, file) in programs {
        let found = which(program)?;
        fs::copy(&found, context.join(file))
            .with_context(|| format!("copying {}", found.display()))?;
    }
    fs::write(context.join("Dockerfile"), format!("FROM scratch\n{instructions}"))?;
    build(&context, name, &directory.join(format!("{short}.tar")))
}

/// Builds the Dockerfile of `context` into an archive. Needs no daemon and no registry.
pub(crate) fn build(context: &Path, name: &str, archive: &Path) -> Result<PathBuf> {
    let storage = context.with_extension("storage");
    let buildah = || {
        Tool::new("buildah")
            .args(["--storage-driver", "vfs"])
            .arg("--root")
            .arg(storage.join("root"))
            .arg("--runroot")
            .arg(storage.join("run"))
    };
    buildah()
        .args(["bud", "--isolation", "chroot", "--timestamp", "0", "--tag", name])
        .arg(context)
        .run()?;
    if archive.exists() {
        fs::remove_file(archive)?;
    }
    buildah()
        .args(["push", name])
        .arg(format!("docker-archive:{}:{name}", archive.display()))
        .run()?;
    fs::remove_dir_all(&storage).with_context(|| format!("removing {}", storage.display()))?;
    Ok(archive.to_owned())
}

fn which(program: &str) -> Result<PathBuf> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths)
        .map(|directory| directory.join(program))
        .find(|path| path.is_file())
        .with_context(|| format!("{program} is missing"))
}
