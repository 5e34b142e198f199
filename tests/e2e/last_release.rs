//! The release before the one under test: its chart and its images, as `hack/last-release` keeps them.

use std::path::Path;

use lab::cluster::{FETCHER, Tool};

use crate::install::helm_of;
use crate::stage::cluster;

/// The folder of its tree, with its charts and images.
const TREE: &str = "SECRETS_LAB_LAST_RELEASE";

pub(crate) struct LastRelease {
    tree: String,
    /// In the repository of [`FETCHER`], as the images of one product are.
    pub(crate) fetcher: String,
}

impl LastRelease {
    /// Its images are there for every Pod.
    pub(crate) fn import() -> Self {
        let tree = std::env::var(TREE).unwrap_or_else(|_| panic!("{TREE} is not set: hack/e2e"));
        let arch = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            _ => "arm64",
        };
        let archive = |name| format!("{tree}/dist/images/secrets-{name}-{arch}.tar");
        cluster().import(Path::new(&archive("webhook"))).unwrap();
        let (repository, _) = FETCHER.rsplit_once(':').unwrap();
        let fetcher = format!("{repository}:last-release");
        cluster().import_fetcher(Path::new(&archive("injector")), &fetcher).unwrap();
        Self { tree, fetcher }
    }

    /// `helm VERB` of its chart.
    pub(crate) fn helm(&self, verb: &str, more: &[&str]) -> Tool {
        helm_of(&self.tree, &self.fetcher, verb, more)
    }
}
