//! A container that we add, complete and as typed JSON.

use serde::Serialize;

use plan::contract::{CA_DIRECTORY, ENVIRONMENT_DIRECTORY, MAX_VALUE_BYTES, TOKEN_DIRECTORY};
use plan::{FetcherCommand, MAX_FILES, MAX_VARIABLES, Plan};

use crate::annotations::Request;
use crate::ownership::Ownership;
use crate::pod::{Amounts, Pod};
use crate::problem::{Problem, Problems};
use crate::quantity::{Quantity, WrittenQuantity};
use crate::reserved;
use crate::role::Role;
use crate::settings::{Settings, Uid};
use plan::contract::{
    AGENT_VOLUME, CA_VOLUME, ENVIRONMENT_VOLUME, PLAN_VARIABLE, SECRETS_VOLUME, TOKEN_VOLUME,
};

/// What a PodMonitor names.
const METRICS_PORT: &str = "kms-metrics";

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Container<'a> {
    #[serde(skip)]
    pub(crate) role: Role,
    /// Other names under which its image may be there.
    #[serde(skip)]
    pub(crate) mirrors: &'a [String],
    /// The user that is not said here comes from the platform.
    #[serde(skip)]
    pub(crate) platform_assigns_user: bool,
    name: &'static str,
    pub(crate) image: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_pull_policy: Option<&'a str>,
    command: &'a [String],
    args: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    restart_policy: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    startup_probe: Option<StartupProbe<'a>>,
    env: [Variable<'a>; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ports: Vec<Port>,
    pub(crate) resources: &'a Resources,
    volume_mounts: Vec<Mount<'a>>,
    security_context: Security,
    termination_message_policy: &'static str,
}

/// Passes when the files are there and the agent answers; nothing probes after that.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct StartupProbe<'a> {
    exec: Exec<'a>,
    period_seconds: u64,
    timeout_seconds: u64,
    failure_threshold: u64,
}

#[derive(Debug, Serialize)]
struct Exec<'a> {
    command: Vec<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Port {
    name: &'static str,
    container_port: u16,
    protocol: &'static str,
}

#[derive(Debug, Serialize)]
struct Variable<'a> {
    name: &'static str,
    value: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Mount<'a> {
    pub(crate) name: &'static str,
    pub(crate) mount_path: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) read_only: bool,
}

#[derive(Debug, Serialize)]
pub(crate) struct Resources {
    requests: Pair,
    limits: Pair,
    /// Requests are the limits because of the Pod's class, and stay so whoever sizes the container.
    #[serde(skip)]
    pub(crate) guaranteed: bool,
}

#[derive(Debug, Serialize)]
struct Pair {
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu: Option<WrittenQuantity>,
    memory: WrittenQuantity,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Security {
    allow_privilege_escalation: bool,
    capabilities: Capabilities,
    read_only_root_filesystem: bool,
    run_as_non_root: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    run_as_user: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run_as_group: Option<u32>,
    seccomp_profile: Seccomp,
}

#[derive(Debug, Serialize)]
struct Capabilities {
    drop: [&'static str; 1],
}

#[derive(Debug, Serialize)]
struct Seccomp {
    r#type: &'static str,
}

impl<'a> Container<'a> {
    pub(crate) fn new(
        role: Role,
        plan: &'a Plan,
        encoded: &'a str,
        ownership: &Ownership,
        resources: &'a Resources,
        settings: &'a Settings,
    ) -> Self {
        let mut mounts = vec![
            Mount { name: SECRETS_VOLUME, mount_path: plan.mount().as_str(), read_only: false },
            Mount { name: TOKEN_VOLUME, mount_path: TOKEN_DIRECTORY, read_only: true },
        ];
        if plan.env().is_some() {
            let (name, mount_path) = (ENVIRONMENT_VOLUME, ENVIRONMENT_DIRECTORY);
            mounts.push(Mount { name, mount_path, read_only: false });
        }
        if plan.private_ca() {
            mounts.push(Mount { name: CA_VOLUME, mount_path: CA_DIRECTORY, read_only: true });
        }
        if let Some(agent) = plan.mode().agent() {
            let mount_path = agent.token.directory().as_str();
            mounts.push(Mount { name: AGENT_VOLUME, mount_path, read_only: false });
        }
        let injector = settings.injector();
        Self {
            role,
            mirrors: injector.image_mirrors(),
            platform_assigns_user: settings.uid() == Uid::Platform,
            name: role.name(),
            image: injector.image(),
            image_pull_policy: injector.image_pull_policy(),
            command: injector.command(),
            args: std::iter::once(role.command().as_str())
                .chain(injector.extra_args().iter().map(String::as_str))
                .collect(),
            restart_policy: role.is_native_sidecar().then_some("Always"),
            startup_probe: role
                .holds_back(plan.mode())
                .then(|| StartupProbe::new(plan, injector.command())),
            env: [Variable { name: PLAN_VARIABLE, value: encoded }],
            ports: plan
                .metrics_port()
                .filter(|_| role.stays())
                .map(Port::of_metrics)
                .into_iter()
                .collect(),
            resources,
            volume_mounts: mounts,
            security_context: Security {
                allow_privilege_escalation: false,
                capabilities: Capabilities { drop: ["ALL"] },
                read_only_root_filesystem: true,
                run_as_non_root: true,
                run_as_user: ownership.user,
                run_as_group: ownership.group,
                seccomp_profile: Seccomp { r#type: "RuntimeDefault" },
            },
            termination_message_policy: "FallbackToLogsOnError",
        }
    }
}

impl Port {
    fn of_metrics(port: u16) -> Self {
        Self { name: METRICS_PORT, container_port: port, protocol: "TCP" }
    }
}

impl<'a> StartupProbe<'a> {
    fn new(plan: &Plan, command: &'a [String]) -> Self {
        Self {
            exec: Exec {
                command: command
                    .iter()
                    .map(String::as_str)
                    .chain([FetcherCommand::Probe.as_str()])
                    .collect(),
            },
            period_seconds: 1,
            timeout_seconds: 5,
            // The fetcher gives up first, and says why.
            failure_threshold: plan.timeout().as_secs() + 30,
        }
    }
}

impl Resources {
    /// Requests and a memory limit always; a cpu limit only where the Pod is Guaranteed and would
    /// not stay so without: throttling makes a start slow.
    pub(crate) fn decide(
        pod: &Pod<'_>,
        request: &Request<'_>,
        memory: Quantity,
        settings: &Settings,
        problems: &mut Problems,
    ) -> Self {
        let defaults = settings.injector().resources();
        let wanted = &request.resources;
        let own = |amount: &Option<WrittenQuantity>| amount.clone();
        let memory_limit = own(&wanted.memory_limit).unwrap_or_else(|| {
            // What is written into memory volumes counts as the writer's memory, as the agent does.
            WrittenQuantity::of_bytes(Quantity::bytes(32 << 20).plus(memory))
        });
        let resources = if is_guaranteed(pod) {
            let cpu = own(&wanted.cpu_limit).or_else(|| own(&wanted.cpu_request));
            let cpu = cpu.unwrap_or_else(|| defaults.guaranteed_cpu().clone());
            let is_limit = |request: &Option<WrittenQuantity>, limit: &WrittenQuantity| {
                request.as_ref().is_none_or(|request| request.amount() == limit.amount())
            };
            Self {
                guaranteed: is_limit(&wanted.cpu_request, &cpu)
                    && is_limit(&wanted.memory_request, &memory_limit),
                requests: Pair {
                    cpu: Some(own(&wanted.cpu_request).unwrap_or_else(|| cpu.clone())),
                    memory: own(&wanted.memory_request).unwrap_or_else(|| memory_limit.clone()),
                },
                limits: Pair { cpu: Some(cpu), memory: memory_limit },
            }
        } else {
            let cpu = own(&wanted.cpu_request)
                .unwrap_or_else(|| lower(defaults.cpu(), wanted.cpu_limit.as_ref()));
            let memory = own(&wanted.memory_request)
                .unwrap_or_else(|| lower(defaults.memory(), wanted.memory_limit.as_ref()));
            Self {
                requests: Pair { cpu: Some(cpu), memory },
                limits: Pair { cpu: own(&wanted.cpu_limit), memory: memory_limit },
                guaranteed: false,
            }
        };
        let Self { requests, limits, .. } = &resources;
        for (key, request, limit) in [
            ("resources.requests.cpu", requests.cpu.as_ref(), limits.cpu.as_ref()),
            ("resources.requests.memory", Some(&requests.memory), Some(&limits.memory)),
        ] {
            let (Some(request), Some(limit)) = (request, limit) else { continue };
            if request.amount() > limit.amount() {
                problems.push(Problem::annotation(
                    key,
                    format!(
                        "the request {} is above the limit {}",
                        request.as_str(),
                        limit.as_str()
                    ),
                    "lower the request or raise the limit",
                ));
            }
        }
        resources
    }
}

/// A default request, or the limit where that is lower.
fn lower(request: &WrittenQuantity, limit: Option<&WrittenQuantity>) -> WrittenQuantity {
    limit.filter(|limit| limit.amount() < request.amount()).unwrap_or(request).clone()
}

const LARGEST_FILE: u64 = MAX_VALUE_BYTES as u64;

/// Room for three generations of files of the largest size.
pub(crate) fn size_limit(request: &Request<'_>, files: usize) -> Quantity {
    let files = u64::try_from(files.min(MAX_FILES)).unwrap_or(1);
    request.size_limit.unwrap_or_else(|| Quantity::bytes((3 * LARGEST_FILE * files).max(1 << 20)))
}

/// Room for the fetcher itself, twice where it is replaced by another version, and for three generations of variables.
pub(crate) fn environment_size(variables: usize) -> Quantity {
    let variables = u64::try_from(variables.min(MAX_VARIABLES)).unwrap_or(1);
    Quantity::bytes((14 << 20) + 3 * LARGEST_FILE * variables)
}

/// As Kubernetes decides the quality of service, before our container is there.
fn is_guaranteed(pod: &Pod<'_>) -> bool {
    let mut containers = pod
        .all_containers()
        .filter(|(_, _, container)| !reserved::is_container(&container.name))
        .peekable();
    let full = |requests: &Amounts<'_>, limits: &Amounts<'_>| {
        let same = |request: Option<&crate::pod::Amount<'_>>,
                    limit: Option<&crate::pod::Amount<'_>>| {
            let parse = |amount: &crate::pod::Amount<'_>| Quantity::parse(amount.text());
            let Some(limit) = limit.and_then(parse) else { return false };
            // A request that is not written is the limit.
            !limit.is_zero() && request.is_none_or(|request| parse(request) == Some(limit))
        };
        same(requests.cpu.as_ref(), limits.cpu.as_ref())
            && same(requests.memory.as_ref(), limits.memory.as_ref())
    };
    containers.peek().is_some()
        && containers.all(|(_, _, container)| {
            full(&container.resources.requests, &container.resources.limits)
        })
}
