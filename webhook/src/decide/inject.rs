//! The whole decision for one Pod: from its JSON and the facts around it to a patch, or to all the
//! problems in it. Pure: the admission server and the offline commands call the same function.

use plan::Plan;
use serde::Serialize;

use crate::ask::annotations::{self, InitFirst, SecretsRequest};
use crate::ask::layers::Layers;
use crate::ask::secrets::{Budget, Wanted};
use crate::decide::backends::ca_config_map;
use crate::decide::checks::{agent, metrics_port, on_change, own_mounts, preconditions};
use crate::decide::consumers;
use crate::decide::draft::{self, Draft, Unbuilt};
use crate::decide::env;
use crate::decide::fetcher_roles::roles;
use crate::decide::ownership;
use crate::decide::resources;
use crate::facts::Subject;
use crate::patch;
use crate::patch::desired_pod::{DesiredPod, Order, Placement};
use crate::patch::fetcher_container::{FetcherContainer, RunAs};
use crate::patch::fetcher_role::FetcherRole;
use crate::patch::json_patch::Patch;
use crate::patch::volume;
use crate::pod::existing::Existing;
use crate::pod::{Pod, Unreadable};
use crate::problem::{PREFIX, Problem, Problems};
use crate::quantity::Quantity;
use crate::settings::{Settings, Uid};

#[derive(Debug)]
pub enum Injection {
    /// Nothing of ours is asked for.
    Untouched,
    Patched {
        patch: Patch,
        warnings: Vec<String>,
    },
}

/// `json` is a Pod, or a workload's template, which has the same shape.
pub fn inject(
    json: &str,
    subject: &Subject<'_>,
    settings: &Settings,
) -> Result<Injection, Problems> {
    let pod = Pod::read(json).map_err(|error| unreadable(&error))?;
    decide(&pod, json, subject, settings)
}

/// `pod` was read from `json`.
pub(crate) fn decide(
    pod: &Pod<'_>,
    json: &str,
    subject: &Subject<'_>,
    settings: &Settings,
) -> Result<Injection, Problems> {
    if !pod.triggers() {
        return Ok(Injection::Untouched);
    }
    let mut problems = pod.check_limits().or(Problems::default())?;
    let layers = Layers::of(&pod.metadata.annotations, subject, settings, &mut problems);
    let decided = decide_request(pod, json, &layers, subject, settings, problems);
    decided.map_err(|mut problems| {
        layers.trace(&mut problems);
        problems
    })
}

/// The same where it is known what counts as the Pod's annotations, and what is wrong with that.
fn decide_request(
    pod: &Pod<'_>,
    json: &str,
    layers: &Layers<'_>,
    subject: &Subject<'_>,
    settings: &Settings,
    mut problems: Problems,
) -> Result<Injection, Problems> {
    let mut reserved = Problems::default();
    let existing = Existing::find(pod, json, settings.injector(), &mut reserved);
    if let (Some(later), false) = (existing.later_release(), existing.has_lookalike) {
        let warnings = vec![of_a_later_release(later)];
        return Ok(Injection::Patched { patch: Patch::default(), warnings });
    }
    let request = annotations::read(layers, &mut problems);
    problems.append(reserved);
    let consumers = consumers::choose(pod, &request, &existing, settings, &mut problems);
    preconditions::shapes(pod, &request, &existing, &mut problems);
    let mount = request.mount_path.clone().unwrap_or_default();
    consumers.check_mounts(pod, &mount, &mut problems);
    let chosen = consumers.containers(pod).map(|(_, _, container)| container);
    let ownership = ownership::decide(pod, chosen, &request, settings, &mut problems);
    ownership.check(&request, &mut problems);
    let hook = on_change::check(pod, &request, &existing, &ownership, &mut problems);
    metrics_port::check(pod, &request, &mut problems);

    let mut budget = Budget::default();
    let files = draft::files(&request, settings, &mut budget, &mut problems);
    let native = request.native_sidecar.unwrap_or_default();
    let roles = roles(request.mode, native, pod.restart_policy());
    let placement = placement(&request, settings);
    let early = patch::early(pod, roles, placement);
    let asker = env::Asker { pod, request: &request, settings };
    let known = own_mounts::Known {
        pod,
        request: &request,
        existing: &existing,
        consumers: &consumers,
        files: &files,
        early: &early,
    };
    let single_files = own_mounts::check(known, &mut problems);
    let keys = files.all_keys.len();
    let (environment, asked) =
        env::read(asker, &consumers, &early, keys, &mut budget, &mut problems);
    let directory = mount.as_str();
    preconditions::foreign_mounts(
        pod,
        &existing,
        &consumers,
        &environment,
        directory,
        &mut problems,
    );
    let size_limit = resources::size_limit(&request, &files);
    let environment_size = environment.size();
    let more = [environment_size, draft::agent_memory(&request)];
    let memory = more.into_iter().flatten().fold(size_limit, Quantity::plus);
    let resources = resources::decide(pod, &request, memory, settings, &mut problems);
    let names = consumers.containers(pod).map(|(_, _, container)| container.name.to_string());
    let draft = Draft { request: &request, subject, settings, ownership: &ownership };
    let comparisons = &mut budget.comparisons;
    let files_warnings = files.warnings;
    let env::Asked { variables, all_keys } = asked;
    let all_keys = files.all_keys.into_iter().chain(all_keys).collect();
    let wanted = Wanted { files: files.values, templates: files.templates, variables, all_keys };
    let unbuilt = draft.draw(pod, wanted, names.collect(), comparisons, &mut problems);
    problems.extend(comparisons.problem());
    if let Some(agent) = unbuilt.as_ref().and_then(Unbuilt::agent) {
        agent::check(pod, agent, &consumers, &mut problems);
    }
    let unbuilt = problems.or(unbuilt)?.ok_or_else(unwritable)?;
    let plan = unbuilt.build(&request).map_err(alone)?;
    let encoded = plan.encode().map_err(|error| alone(draft::whole(&request, &error)))?;

    let run_as = RunAs {
        user: ownership.user,
        group: ownership.group,
        platform_assigns_user: settings.uid() == Uid::Platform,
    };
    let container = |role: &FetcherRole| {
        FetcherContainer::new(*role, &plan, &encoded, run_as, &resources, settings.injector())
    };
    let mut volumes = vec![volume::secrets(size_limit.to_bytes_text())];
    let expiration = request.token_expiration.unwrap_or(settings.token_expiration_seconds());
    let needed = plan.credentials_volumes().into_iter();
    volumes.extend(needed.map(|needed| volume::credentials(needed, expiration)));
    volumes.extend(environment_size.map(|size| volume::environment(size.to_bytes_text())));
    if plan.mounts_gateway_ca() {
        volumes.extend(ca_config_map(&request, settings).map(|name| volume::ca(name.as_str())));
    }
    if plan.mode().agent().is_some() {
        volumes.push(volume::agent());
    }
    let desired = DesiredPod {
        plan: &plan,
        containers: roles.iter().map(container).collect(),
        placement,
        volumes,
        consumers: &consumers.at,
        variables: &environment.targets,
        signal_target: hook.target,
        status: status(&plan, roles),
    };
    let patch = patch::make(pod, &existing, &desired).map_err(|_| unwritable())?;
    pod.check_added(patch.values()).map_or(Ok(()), |problem| Err(alone(problem)))?;
    let mut warnings: Vec<String> = pod.label_that_means_nothing().into_iter().collect();
    warnings.extend(layers.warnings(files_warnings.into_iter().chain(environment.notes)));
    warnings.extend(single_files);
    warnings.extend(consumers.warnings);
    warnings.extend(environment.warnings);
    warnings.extend(hook.warning);
    warnings.extend(ownership.warning.clone());
    if roles.contains(&FetcherRole::Beside) && pod.restart_policy() != "Always" {
        warnings.push(format!(
            "the Pod never ends: {PREFIX}native-sidecar is false, and the container beside the application stays"
        ));
    }
    if roles.contains(&FetcherRole::Beside) && plan.mode().agent().is_some() {
        warnings.push(format!(
            "the application may start before the agent answers: {PREFIX}native-sidecar is false, and nothing orders the two"
        ));
    }
    Ok(Injection::Patched { patch, warnings })
}

fn placement<'a>(request: &SecretsRequest<'_>, settings: &'a Settings) -> Placement<'a> {
    let order = match request.init_first {
        InitFirst::Auto => Order::BehindMeshProxies,
        InitFirst::First => Order::First,
        InitFirst::Last => Order::Last,
    };
    Placement { order, mesh_proxies: settings.mesh_proxies() }
}

fn of_a_later_release((version, container): (u64, &str)) -> String {
    format!(
        "the Pod stays as a later release of the webhook made it: container {container} has a plan of version {version}, this one writes version {}",
        plan::VERSION
    )
}

fn status(plan: &Plan, roles: &[FetcherRole]) -> String {
    #[derive(Serialize)]
    struct Status<'a> {
        version: &'a str,
        mode: String,
        containers: Vec<&'a str>,
        files: usize,
        #[serde(skip_serializing_if = "is_zero")]
        variables: usize,
        consumers: &'a [String],
    }
    let status = Status {
        version: env!("CARGO_PKG_VERSION"),
        mode: plan.mode().to_string(),
        containers: roles.iter().map(|role| role.name()).collect(),
        files: plan.files().len(),
        variables: plan.env().map_or(0, |env| env.variables.len()),
        consumers: plan.consumers(),
    };
    serde_json::to_string(&status).unwrap_or_default()
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

fn alone(problem: Problem) -> Problems {
    let mut problems = Problems::default();
    problems.push(problem);
    problems
}

pub(crate) fn unreadable(error: &Unreadable) -> Problems {
    alone(Problem::pod("the Pod", error.to_string(), "correct the manifest"))
}

/// Writing our own types as JSON does not fail; if it did, the Pod must not start without secrets.
fn unwritable() -> Problems {
    alone(Problem::pod("the patch", "it could not be written as JSON", "report this as a defect"))
}
