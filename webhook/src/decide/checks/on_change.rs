//! The annotation `on-change`: whether this Pod has the recipient that it names, and whether our
//! container may reach it.

use plan::{HookUrl, OnChange};

use crate::ask::annotations::SecretsRequest;
use crate::decide::draft;
use crate::decide::ownership::Ownership;
use crate::pod::existing::Existing;
use crate::pod::reserved;
use crate::pod::{Container, List, Pod, Variable};
use crate::problem::{PREFIX, Problem, Problems};
use crate::text::display_name;
use plan::contract::TARGET_VARIABLE;

const KEY: &str = "on-change";

/// What a hook needs beside the plan.
#[derive(Debug, Default)]
pub(crate) struct Hook {
    /// The container that gets the variable.
    pub(crate) target: Option<(List, usize)>,
    pub(crate) warning: Option<String>,
}

pub(crate) fn check(
    pod: &Pod<'_>,
    request: &SecretsRequest<'_>,
    existing: &Existing,
    ownership: &Ownership,
    problems: &mut Problems,
) -> Hook {
    if !existing.is_injected() && !existing.has_lookalike {
        reserved(pod, problems);
    }
    let Some(hook) = &request.options.on_change else { return Hook::default() };
    if request.is_stray(KEY) {
        problems.push(problem(
            "the mode is init, in which files never change",
            "set kms.alibabacloud/mode to refresh, or remove it",
        ));
    }
    if request.secrets.is_none() && request.templates.is_empty() && request.env.is_empty() {
        problems.push(problem(
            "the Pod has neither files nor variables that could change: what the agent serves is asked for anew",
            "add kms.alibabacloud/secrets, or remove it",
        ));
    }
    match hook {
        OnChange::Http(url) => {
            http(pod, request, url, problems);
            Hook::default()
        }
        OnChange::Signal { container, .. } => signal(pod, container, ownership, problems),
    }
}

fn problem(what: impl Into<String>, remedy: impl Into<String>) -> Problem {
    Problem::annotation(KEY, what, remedy)
}

/// A variable of our name would make another container look like the target.
fn reserved(pod: &Pod<'_>, problems: &mut Problems) {
    let sets = |container: &Container<'_>| container.env().iter().any(Variable::is_signal_marker);
    for (_, _, container) in pod.all_containers().filter(|(_, _, container)| sets(container)) {
        problems.push(Problem::pod(
            format!("container {:?}", display_name(&container.name)),
            format!("the environment variable {TARGET_VARIABLE} is reserved"),
            "remove it",
        ));
    }
}

fn http(pod: &Pod<'_>, request: &SecretsRequest<'_>, url: &HookUrl, problems: &mut Problems) {
    if pod.spec.host_network {
        problems.push(problem(
            "with hostNetwork, 127.0.0.1 is the node and not the Pod",
            "remove hostNetwork, or use a signal",
        ));
        return;
    }
    let port = url.address().port();
    let mut declared: Vec<u16> =
        staying(pod).flat_map(|(_, _, container)| container.tcp_ports()).collect();
    if declared.contains(&port) {
        return;
    }
    if let Some(key) = ours_at(request, port) {
        problems.push(problem(
            format!("port {port} is that of our own container ({PREFIX}{key})"),
            "name the port at which the application listens, or set ours to another one",
        ));
    } else {
        declared.sort_unstable();
        declared.dedup();
        let known: Vec<String> = declared.iter().take(8).map(u16::to_string).collect();
        let declared = match known.as_slice() {
            [] => "none is declared".to_owned(),
            known => format!("declared: {}", known.join(", ")),
        };
        problems.push(problem(
            format!("no container of the Pod declares the TCP port {port} ({declared})"),
            format!("add `containerPort: {port}` to the container that listens there"),
        ));
    }
}

/// Which annotation says that our container listens there.
fn ours_at(request: &SecretsRequest<'_>, port: u16) -> Option<&'static str> {
    let metrics = request.options.metrics_port.map(u32::from);
    [("metrics-port", metrics), ("agent-port", draft::agent_port(request))]
        .into_iter()
        .find_map(|(key, taken)| (taken == Some(u32::from(port))).then_some(key))
}

/// The containers that are there when files change.
fn staying<'p, 'a>(pod: &'p Pod<'a>) -> impl Iterator<Item = (List, usize, &'p Container<'a>)> {
    pod.foreign_containers()
        .filter(|(list, _, container)| *list == List::Main || container.is_native_sidecar())
}

fn signal(pod: &Pod<'_>, name: &str, ownership: &Ownership, problems: &mut Problems) -> Hook {
    if reserved::is_container(name) {
        problems.push(problem(
            format!("container {name} is ours"),
            "name a container of the application",
        ));
        return Hook::default();
    }
    let Some((list, index, target)) =
        pod.foreign_containers().find(|(_, _, known)| known.name == *name)
    else {
        let problem = no_such(pod, name, problems);
        problems.push(problem);
        return Hook::default();
    };
    if list == List::Init && !target.is_native_sidecar() {
        problems.push(problem(
            format!("init container {name} has ended by the time that files change"),
            "name a container that stays",
        ));
    }
    if !pod.spec.share_process_namespace {
        problems.push(problem(
            "a signal needs shareProcessNamespace: true, and the Pod does not set it",
            "set spec.shareProcessNamespace: true, or use http=http://127.0.0.1:PORT/PATH",
        ));
    }
    let (user, ours) = (pod.user_of(target), ownership.user);
    match (user, ours) {
        (None, _) => problems.push(problem(
            format!("the user of container {name} is known to its image only, and a signal needs ours"),
            "set runAsUser of the container or the Pod",
        )),
        (Some(user), Some(ours)) if user == ours => {}
        (Some(0), _) => problems.push(problem(
            format!("container {name} runs as root, and we never do"),
            "set its runAsUser to another user, or use http=http://127.0.0.1:PORT/PATH",
        )),
        (Some(user), Some(ours)) => problems.push(problem(
            format!("container {name} has uid {user} and ours {ours}; only the same may send it a signal"),
            format!("set kms.alibabacloud/run-as-user to \"{user}\""),
        )),
        (Some(_), None) => problems.push(problem(
            "the platform assigns our user, which may not be that of the container",
            "use http=http://127.0.0.1:PORT/PATH",
        )),
    }
    let group = pod.group_of(target);
    let found = group.is_some() && group == ownership.group.or(pod.group());
    let warning = (!found).then(|| {
        format!(
            "kms.alibabacloud/{KEY}: the group of container {name:.64} is not known to be ours; set its runAsGroup, so that its process is found on every node"
        )
    });
    Hook { target: Some((list, index)), warning }
}

fn no_such(pod: &Pod<'_>, name: &str, problems: &mut Problems) -> Problem {
    let known = pod.foreign_containers().map(|(_, _, container)| container.name.as_ref());
    let remedy = match problems.did_you_mean(name, known) {
        Some(known) => format!("did you mean {known}?"),
        None => "name a container of the Pod".to_owned(),
    };
    problem(format!("the Pod has no container {:?}", display_name(name)), remedy)
}
