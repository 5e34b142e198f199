//! From what a Pod asks for to a plan: annotations, identity and settings meet here.

mod agent;
mod assembly;
mod facts;
mod mode;

pub(crate) use self::agent::{memory as agent_memory, port as agent_port};
pub(crate) use self::assembly::{Unbuilt, whole};

use plan::MAX_ENCODED_BYTES;

use self::assembly::DraftParts;
pub(crate) use self::facts::Draft;
use crate::ask::annotations::SecretsRequest;
use crate::ask::secrets::{self, Budget, Files, SecretRef, Wanted};
use crate::decide::backends::{Backends, Placed};
use crate::pod::Pod;
use crate::problem::{Problem, Problems};
use crate::settings::Settings;
use crate::settings::comparisons::Comparisons;

impl Draft<'_> {
    /// Decides where each secret is fetched, then with which identity, and reports all problems of
    /// both. The parts of a plan are made only of what is good in both.
    pub(crate) fn draw(
        &self,
        pod: &Pod<'_>,
        wanted: Wanted<SecretRef>,
        consumers: Vec<String>,
        comparisons: &mut Comparisons,
        problems: &mut Problems,
    ) -> Option<Unbuilt> {
        let Self { request, subject, settings, .. } = *self;
        let mount = request.mount_path.clone().unwrap_or_default();
        problems.extend(self.collision("mount-path", &mount, &[]));

        let backends = Backends::of_pod(request, settings, problems);
        let wanted = wanted.map(|secret| backends.place(secret, problems));
        let account = pod.service_account();
        let decided = backends.decide(wanted.secrets(), subject, account, comparisons, problems)?;

        let wanted = wanted.try_map(Placed::located).ok()?;
        let parts = DraftParts { wanted, decided, mount, consumers };
        self.assemble(parts, problems)
    }
}

/// The files that annotations ask for.
pub(crate) fn files(
    request: &SecretsRequest<'_>,
    settings: &Settings,
    budget: &mut Budget,
    problems: &mut Problems,
) -> Files {
    if !request.names_secrets() {
        problems.push(Problem::annotation(
            "secrets",
            "nothing to fetch: the Pod has annotations of ours and names no secret",
            "add kms.alibabacloud/secrets or kms.alibabacloud/env (in mode agent agent-secrets will do), or remove the others",
        ));
    }
    if request.secrets.is_none() && request.templates.is_empty() {
        return Files::default();
    }
    let translation = request.path_translation.unwrap_or(settings.path_translation());
    let listed = request.secrets.map(|text| secrets::read(text, translation, budget, problems));
    let mut files = listed.unwrap_or_default();
    // A plan holds each text as it is.
    let bytes: usize = request.templates.iter().map(|template| template.text.len()).sum();
    if bytes > MAX_ENCODED_BYTES {
        problems.push(Problem::pod(
            "the annotations",
            format!(
                "the plan has {bytes} bytes in templates alone; at most {MAX_ENCODED_BYTES} are allowed, shorten them"
            ),
            "",
        ));
        return files;
    }
    for template in &request.templates {
        if problems.is_full() {
            break;
        }
        secrets::add_template(template, &mut files, budget, problems);
    }
    files
}
