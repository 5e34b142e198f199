//! From what a Pod asks for to a plan: annotations, identity and settings meet here.

mod agent;
mod assembly;
mod facts;
mod mode;

pub(crate) use self::agent::{memory as agent_memory, port as agent_port};
pub(crate) use self::assembly::{Unbuilt, whole};

use plan::{Host, MAX_ENCODED_BYTES};

use self::agent::ServedSecrets;
use self::assembly::DraftParts;
pub(crate) use self::facts::Draft;
use crate::ask::annotations::{ModeName, SecretsRequest};
use crate::ask::secrets::{self, Budget, Files, SecretRef, Wanted};
use crate::decide::identity::{self, Placed, Places, SecretsReader};
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

        let places = Places::of_pod(request, settings, problems);
        let wanted = wanted.map(|secret| places.place(secret, problems));
        identity::check_regions(wanted.secrets(), problems);
        // A Pod whose every object names its region needs no other; the agent and STS ask in the
        // first.
        let places = places.or_in(wanted.secrets().find_map(Placed::region));
        let any = agent::any_secret().filter(|_| request.mode == ModeName::Agent);
        let any = any.map(|any| places.place(any, problems));
        let own: Vec<&Placed> = wanted.secrets().collect();
        let all: Vec<&Placed> = own.iter().copied().chain(&any).collect();
        let kind = request.credentials.kind();
        identity::check_assumed(&all, kind, subject, settings, comparisons, problems);
        let private_ca = self.check_gateway(&all, problems) || request.ca_config_map.is_some();
        problems.extend(agent::without_region(any.as_ref(), &own));

        // The agent may have a region of its own from its endpoint.
        let places = places.or_in(any.as_ref().and_then(Placed::region));
        let (account, region) = (pod.service_account(), places.region());
        let credentials = identity::credentials(
            request,
            subject,
            account,
            region,
            settings,
            comparisons,
            problems,
        )?;
        let principal = credentials.principal();
        let reader = SecretsReader { principal, credentials: kind, subject, settings };
        reader.check(&own, comparisons, problems);
        let served = any.map(|any| {
            let any = any.lookup.ok();
            let reads = |any| reader.of_agent(any, comparisons);
            ServedSecrets { own: agent::listed(&own), allowed: any.as_ref().and_then(reads), any }
        });

        let wanted = wanted.try_map(Placed::located).ok()?;
        let parts = DraftParts { wanted, credentials, mount, served, private_ca, consumers };
        self.assemble(parts, problems)
    }

    /// Whether a dedicated gateway is asked, whose certificate only a private CA explains.
    fn check_gateway(&self, placed: &[&Placed], problems: &mut Problems) -> bool {
        let is_gateway = |placed: &&&Placed| {
            let host = placed.alibaba().and_then(|route| route.endpoint.as_ref());
            host.is_some_and(Host::is_dedicated_gateway)
        };
        let found = placed.iter().find(is_gateway);
        if let (Some(placed), None) = (found, self.ca_config_map()) {
            problems.push(placed.secret.place.problem(
                "a dedicated KMS gateway needs the CA of its instance, and none is known",
                "set kms.alibabacloud/ca-config-map to a ConfigMap with the key ca.crt, or ask the operator for caConfigMap in the settings",
            ));
        }
        found.is_some()
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
