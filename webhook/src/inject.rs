//! The whole decision for one Pod: from its JSON and the facts around it to a patch, or to all the
//! problems in it. Pure: the admission server and the offline commands call the same function.

use plan::{Lookup, Mode, Plan, PlanBuilder};
use serde::Serialize;

use crate::account::ServiceAccount;
use crate::annotations::{self, Request};
use crate::consumers::{self, Consumers};
use crate::container::{self, Container, Resources};
use crate::identity;
use crate::ownership::{self, Ownership};
use crate::patch::Patch;
use crate::pod::{Pod, Unreadable};
use crate::present::Present;
use crate::problem::{Problem, Problems};
use crate::refuse;
use crate::secrets::{self, Wanted};
use crate::settings::Settings;
use crate::volume::{self, Volume};
use crate::weave;

/// Whose Pod it is, as the cluster says and not the Pod.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    pub namespace: &'a str,
    /// The annotations of the Pod's ServiceAccount, where they could be read.
    pub account: Option<&'a ServiceAccount>,
}

#[derive(Debug)]
pub enum Injection {
    /// Nothing of ours is asked for.
    Untouched,
    Patched {
        patch: Patch,
        warnings: Vec<String>,
    },
}

/// Everything of ours that a Pod must have in the end.
pub(crate) struct Wish<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) container: Container<'a>,
    pub(crate) volumes: Vec<Volume<'a>>,
    pub(crate) consumers: &'a Consumers,
    /// The value of the status annotation.
    pub(crate) status: String,
    pub(crate) init_first: annotations::InitFirst,
    pub(crate) mesh_proxies: &'a [String],
}

/// `json` is a Pod, or a workload's template, which has the same shape.
pub fn inject(
    json: &str,
    subject: &Subject<'_>,
    settings: &Settings,
) -> Result<Injection, Problems> {
    let pod = Pod::read(json).map_err(|error| unreadable(&error))?;
    if !pod.triggers() {
        return Ok(Injection::Untouched);
    }
    let mut problems = Problems::default();
    let request = annotations::read(&pod.metadata.annotations.ours, &mut problems);
    let present = Present::find(&pod, json, &mut problems);
    let earlier = present.plan();
    let consumers = consumers::choose(&pod, &request, earlier, settings, &mut problems);
    refuse::shapes(&pod, &present, &consumers, &mut problems);
    let mount = request.mount_path.clone().unwrap_or_default();
    consumers.check_mounts(&pod, &mount, &mut problems);
    let chosen = consumers.containers(&pod).map(|(_, _, container)| container);
    let ownership = ownership::decide(&pod, chosen, &request, settings);
    ownership.check(&request, &mut problems);

    let wanted = wanted(&request, settings, &mut problems);
    let size_limit = container::size_limit(&request, wanted.len());
    let resources = Resources::decide(&pod, &request, size_limit, settings, &mut problems);
    let names = consumers.containers(&pod).map(|(_, _, container)| container.name.to_string());
    let draft = Draft { request: &request, subject, settings, ownership: &ownership };
    let plan = draft.plan(&pod, &wanted, names.collect(), &mut problems);
    let plan = problems.or(plan)?.ok_or_else(unwritable)?;
    let encoded = plan.encode().map_err(|error| too_large(&error))?;

    let container = Container::new(&plan, &encoded, &ownership, resources, settings);
    let mut volumes = vec![
        volume::secrets(size_limit.to_bytes_text()),
        volume::token(request.token_expiration.unwrap_or(settings.token_expiration_seconds)),
    ];
    if plan.private_ca() {
        volumes.extend(draft.ca_config_map().map(volume::ca));
    }
    let wish = Wish {
        plan: &plan,
        container,
        volumes,
        consumers: &consumers,
        status: status(&plan),
        init_first: request.init_first,
        mesh_proxies: &settings.mesh_proxies,
    };
    let patch = weave::patch(&pod, &present, &wish).map_err(|_| unwritable())?;
    Ok(Injection::Patched { patch, warnings: consumers.warnings })
}

/// The files that the `secrets` annotation asks for.
fn wanted(request: &Request<'_>, settings: &Settings, problems: &mut Problems) -> Vec<Wanted> {
    let Some(text) = request.secrets else {
        problems.push(annotations::problem(
            "secrets",
            "nothing to fetch: the Pod has annotations of ours and names no secret",
            "add kms.alibabacloud/secrets, or remove the others",
        ));
        return Vec::new();
    };
    let operators = settings.path_translation.as_deref().map(plan::PathTranslation::parse);
    let translation = match (request.path_translation, operators) {
        (Some(translation), _) | (None, Some(Ok(translation))) => translation,
        (None, _) => plan::PathTranslation::default(),
    };
    secrets::read(text, translation, problems)
}

/// What a plan is made from.
struct Draft<'a> {
    request: &'a Request<'a>,
    subject: &'a Subject<'a>,
    settings: &'a Settings,
    ownership: &'a Ownership,
}

impl Draft<'_> {
    fn plan(
        &self,
        pod: &Pod<'_>,
        wanted: &[Wanted],
        consumers: Vec<String>,
        problems: &mut Problems,
    ) -> Option<Plan> {
        let Self { request, subject, settings, ownership } = *self;
        let region = identity::pod_region(request, settings, problems);
        identity::check_endpoints(request, region.as_ref(), settings, problems);
        let lookups: Vec<_> = wanted
            .iter()
            .map(|file| identity::lookup(file, request, region.as_ref(), settings, problems))
            .collect();
        identity::check_regions(wanted, &lookups, request, region.as_ref(), problems);
        let gateway = self.check_gateway(wanted, &lookups, problems);
        let first = lookups.iter().flatten().map(|lookup| &lookup.region).next();
        // A Pod whose every object names its region needs no other; STS is asked in the first.
        let region = region.as_ref().or(first);
        let account = pod.service_account();
        let identity = identity::resolve(request, subject, account, region, settings, problems)?;
        let mount = request.mount_path.clone().unwrap_or_default();
        let mut builder = PlanBuilder::new(identity, mount);
        for (file, lookup) in wanted.iter().zip(lookups) {
            let mode = file.mode.unwrap_or(ownership.mode);
            if !ownership.readable(mode) && file.mode.is_some() {
                problems.push(file.place.problem(
                    format!(
                        "no consumer could read a file of mode {mode}: they run as another user"
                    ),
                    format!("use \"{}\", or give all consumers one runAsUser", ownership.needed()),
                ));
            }
            let on_missing = file.on_missing.unwrap_or(request.on_missing);
            let (name, selector) = (file.name.clone(), file.selector.clone());
            builder.file(name, lookup?, selector, mode, on_missing);
        }
        builder
            .network(match settings.network {
                crate::settings::Network::Vpc => plan::Network::Vpc,
                crate::settings::Network::Public => plan::Network::Public,
            })
            .group(ownership.file_group)
            .private_ca(gateway || request.ca_config_map.is_some())
            .timeout_seconds(request.timeout.unwrap_or(settings.timeout_seconds))
            .log_level(request.log_level.unwrap_or_default())
            .consumers(consumers);
        match builder.build() {
            Ok(plan) => Some(plan),
            // Where a source is bad already, that its file is missing is no news.
            Err(_) if !problems.as_slice().is_empty() => None,
            Err(error) => {
                problems.push(whole(&error.to_string()));
                None
            }
        }
    }

    /// Whether a dedicated gateway is asked, whose certificate only a private CA explains.
    fn check_gateway(
        &self,
        wanted: &[Wanted],
        lookups: &[Option<Lookup>],
        problems: &mut Problems,
    ) -> bool {
        let is_gateway = |lookup: &Lookup| {
            lookup.endpoint.as_ref().is_some_and(plan::Host::is_dedicated_gateway)
        };
        let found =
            wanted.iter().zip(lookups).find(|(_, lookup)| lookup.as_ref().is_some_and(is_gateway));
        if let (Some((file, _)), None) = (found, self.ca_config_map()) {
            problems.push(file.place.problem(
                "a dedicated KMS gateway needs the CA of its instance, and none is known",
                "set kms.alibabacloud/ca-config-map to a ConfigMap with the key ca.crt, or ask the operator for caConfigMap in the settings",
            ));
        }
        found.is_some()
    }

    fn ca_config_map(&self) -> Option<&str> {
        self.request.ca_config_map.or(self.settings.ca_config_map.as_deref())
    }
}

fn status(plan: &Plan) -> String {
    #[derive(Serialize)]
    struct Status<'a> {
        version: &'a str,
        mode: Mode,
        container: &'a str,
        files: usize,
        consumers: &'a [String],
    }
    let status = Status {
        version: env!("CARGO_PKG_VERSION"),
        mode: plan.mode(),
        container: container::INIT_CONTAINER,
        files: plan.files().len(),
        consumers: plan.consumers(),
    };
    serde_json::to_string(&status).unwrap_or_default()
}

fn whole(what: &str) -> Problem {
    annotations::problem("secrets", what, "")
}

fn too_large(error: &plan::InvalidPlan) -> Problems {
    let mut problems = Problems::default();
    problems.push(whole(&error.to_string()));
    problems
}

fn unreadable(error: &Unreadable) -> Problems {
    let mut problems = Problems::default();
    problems.push(Problem::pod("the Pod", error.to_string(), "correct the manifest"));
    problems
}

/// Writing our own types as JSON does not fail; if it did, the Pod must not start without secrets.
fn unwritable() -> Problems {
    let mut problems = Problems::default();
    problems.push(Problem::pod(
        "the patch",
        "it could not be written as JSON",
        "report this as a defect",
    ));
    problems
}
