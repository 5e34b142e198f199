//! The facts from which a plan is drafted, and what follows from them alone.

use std::path::Path;

use plan::contract::{CA_DIRECTORY, ENVIRONMENT_PROGRAM};
use plan::{CREDENTIALS_PLACES, MountPath};

use crate::ask::annotations::SecretsRequest;
use crate::container_path::ContainerPath;
use crate::decide::ownership::Ownership;
use crate::facts::Subject;
use crate::problem::Problem;
use crate::settings::Settings;

/// A plan that is about to be made, by all that decides it.
pub(crate) struct Draft<'a> {
    pub(crate) request: &'a SecretsRequest<'a>,
    pub(crate) subject: &'a Subject<'a>,
    pub(crate) settings: &'a Settings,
    pub(crate) ownership: &'a Ownership,
}

impl Draft<'_> {
    /// Whether a directory would be mounted over something of ours: our own container has it too.
    pub(super) fn collision(
        &self,
        key: &str,
        directory: &MountPath,
        others: &[&str],
    ) -> Option<Problem> {
        let program = self.settings.injector().command().first().map(Path::new);
        let programs =
            program.map(|path| [path.to_owned(), path.with_file_name(ENVIRONMENT_PROGRAM)]);
        let programs = programs.iter().flatten().filter_map(|path| path.to_str());
        let credentials = CREDENTIALS_PLACES.into_iter().map(|place| place.directory);
        let ours = credentials.chain([CA_DIRECTORY]).chain(programs);
        let directory = ContainerPath::new(directory.as_str());
        let meets = |path: &&str| directory.meets(&ContainerPath::new(*path));
        let path = others.iter().copied().chain(ours).find(meets)?;
        let what = format!("it is where something else of ours lies ({path:.100})");
        Some(Problem::annotation(key, what, "use another directory"))
    }
}
