//! A container that we add, complete and as typed JSON.

use plan::contract::{
    AGENT_VOLUME, CA_DIRECTORY, CA_VOLUME, ENVIRONMENT_DIRECTORY, ENVIRONMENT_VOLUME,
    PLAN_VARIABLE, SECRETS_VOLUME,
};
use plan::{FetcherCommand, Plan};
use serde::Serialize;

use crate::patch::fetcher_resources::FetcherResources;
use crate::patch::fetcher_role::FetcherRole;
use crate::settings::Injector;

/// The name of the port, which PodMonitors use.
const METRICS_PORT: &str = "kms-metrics";

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FetcherContainer<'a> {
    #[serde(skip)]
    pub(crate) role: FetcherRole,
    /// Other names under which its image may be there.
    #[serde(skip)]
    pub(crate) mirrors: &'a [String],
    /// Whether the platform chooses the user where none is written here.
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
    env: [EnvVariable<'a>; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ports: Vec<ContainerPort>,
    pub(crate) resources: &'a FetcherResources,
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
struct ContainerPort {
    name: &'static str,
    container_port: u16,
    protocol: &'static str,
}

#[derive(Debug, Serialize)]
struct EnvVariable<'a> {
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

/// The user of our containers; `None` is left to the platform or the Pod.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RunAs {
    pub(crate) user: Option<u32>,
    pub(crate) group: Option<u32>,
    pub(crate) platform_assigns_user: bool,
}

impl<'a> FetcherContainer<'a> {
    pub(crate) fn new(
        role: FetcherRole,
        plan: &'a Plan,
        encoded: &'a str,
        run_as: RunAs,
        resources: &'a FetcherResources,
        injector: &'a Injector,
    ) -> Self {
        let (name, mount_path) = (SECRETS_VOLUME, plan.mount().as_str());
        let mut mounts = vec![Mount { name, mount_path, read_only: false }];
        let needed = plan.credentials_volumes().into_iter();
        mounts.extend(needed.map(|volume| Mount {
            name: volume.place.volume,
            mount_path: volume.place.directory,
            read_only: true,
        }));
        if plan.env().is_some() {
            let (name, mount_path) = (ENVIRONMENT_VOLUME, ENVIRONMENT_DIRECTORY);
            mounts.push(Mount { name, mount_path, read_only: false });
        }
        if plan.mounts_gateway_ca() {
            mounts.push(Mount { name: CA_VOLUME, mount_path: CA_DIRECTORY, read_only: true });
        }
        if let Some(agent) = plan.mode().agent() {
            let mount_path = agent.token.directory().as_str();
            mounts.push(Mount { name: AGENT_VOLUME, mount_path, read_only: false });
        }
        Self {
            role,
            mirrors: injector.image_mirrors(),
            platform_assigns_user: run_as.platform_assigns_user,
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
            env: [EnvVariable { name: PLAN_VARIABLE, value: encoded }],
            ports: plan
                .options()
                .metrics_port
                .filter(|_| role.stays())
                .map(ContainerPort::of_metrics)
                .into_iter()
                .collect(),
            resources,
            volume_mounts: mounts,
            security_context: Security {
                allow_privilege_escalation: false,
                capabilities: Capabilities { drop: ["ALL"] },
                read_only_root_filesystem: true,
                run_as_non_root: true,
                run_as_user: run_as.user,
                run_as_group: run_as.group,
                seccomp_profile: Seccomp { r#type: "RuntimeDefault" },
            },
            termination_message_policy: "FallbackToLogsOnError",
        }
    }
}

impl ContainerPort {
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
