//! Which container gets which environment variables, and on which way they get there.

mod method;
mod names;
mod references;

use plan::{ContainerName, ContainerPath, OnMissing, VariableName};

pub(crate) use self::method::Method;
pub(crate) use self::references::is_ours;
use crate::annotations::{EnvMethod, PREFIX, Request};
use crate::consumers::{Consumers, shown};
use crate::container::{self, ENVIRONMENT_VOLUME};
use crate::nearest::nearest;
use crate::pod::{Container, List, Pod};
use crate::problem::{Problem, Problems};
use crate::quantity::Quantity;
use crate::secrets::{self, WantedVariable};
use crate::settings::Settings;

/// What of a Pod becomes environment variables.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    pub(crate) wanted: Vec<WantedVariable>,
    /// Containers that get some.
    pub(crate) targets: Vec<Target>,
    pub(crate) warnings: Vec<String>,
}

/// A container, with its place in the Pod's lists.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) list: List,
    pub(crate) index: usize,
    pub(crate) name: ContainerName,
    pub(crate) method: Method,
    /// Each with its place in `wanted`.
    pub(crate) variables: Vec<(usize, VariableName)>,
    /// Those without which the container is not to start.
    pub(crate) required: Vec<String>,
}

impl Environment {
    /// Whether a container is started through our program.
    pub(crate) fn starts(&self, list: List, index: usize) -> bool {
        let mut targets = self.targets.iter();
        targets.any(|target| {
            target.method == Method::Exec && (target.list, target.index) == (list, index)
        })
    }

    /// What the memory volume must have room for; `None` where none is needed.
    pub(crate) fn size(&self) -> Option<Quantity> {
        let variables: usize = self.targets.iter().map(|target| target.variables.len()).sum();
        (variables > 0).then(|| container::environment_size(variables))
    }
}

struct Reader<'r, 'p> {
    pod: &'r Pod<'p>,
    request: &'r Request<'p>,
    /// Consumers that start behind the fetcher.
    consumers: Vec<(List, usize, &'r Container<'p>)>,
    settings: &'r Settings,
    problems: &'r mut Problems,
    /// That there are none is told elsewhere.
    has_no_consumers: bool,
    environment: Environment,
}

/// `early` are init containers that run before the fetcher.
pub(crate) fn read<'r, 'p>(
    pod: &'r Pod<'p>,
    request: &'r Request<'p>,
    consumers: &Consumers,
    early: &[&str],
    settings: &'r Settings,
    problems: &'r mut Problems,
) -> Environment {
    if request.env.is_empty() {
        if request.env_method != EnvMethod::Auto {
            problems.push(crate::annotations::problem(
                "env-method",
                "it says how environment variables are set, and none are asked for",
                "add kms.alibabacloud/env, or remove it",
            ));
        }
        return Environment::default();
    }
    let is_early = |list: List, name: &str| list == List::Init && early.contains(&name);
    let has_no_consumers = consumers.at.is_empty();
    let (late, early): (Vec<_>, Vec<_>) = consumers
        .containers(pod)
        .partition(|(list, _, container)| !is_early(*list, &container.name));
    let mut environment = Environment::default();
    for (_, _, container) in early {
        environment.warnings.push(format!(
            "init container {:.64} runs before the secrets are fetched and gets no variables",
            shown(&container.name)
        ));
    }
    let consumers = late;
    let mut reader =
        Reader { pod, request, consumers, settings, problems, has_no_consumers, environment };
    for annotation in &request.env {
        for wanted in secrets::variables(annotation, reader.problems) {
            reader.take(wanted);
        }
    }
    reader.finish()
}

impl Reader<'_, '_> {
    fn take(&mut self, wanted: WantedVariable) {
        let place = &wanted.asked.place;
        if let Some((what, remedy)) = names::refused(&wanted.name, self.settings) {
            self.problems.push(place.problem(what, remedy));
            return;
        }
        let chosen: Vec<usize> = match &wanted.containers {
            None => (0..self.consumers.len()).collect(),
            Some(names) => {
                let mut chosen = Vec::with_capacity(names.len());
                let there: Vec<_> = names.iter().filter(|name| !self.may_come(name)).collect();
                for name in there {
                    match self.consumers.iter().position(|(_, _, known)| known.name == **name) {
                        Some(position) if chosen.contains(&position) => {}
                        Some(position) => chosen.push(position),
                        None => {
                            let (what, remedy) = self.no_such(name);
                            self.problems.push(place.problem(what, remedy));
                        }
                    }
                }
                chosen
            }
        };
        if chosen.is_empty() {
            // Of names that nobody has it has been told.
            if wanted.containers.is_none() && !self.has_no_consumers {
                self.problems.push(place.problem(
                    "no container would get it: the consumers run before the secrets are fetched",
                    format!("name others in {PREFIX}containers, or change {PREFIX}init-first"),
                ));
            }
            return;
        }
        let at = self.environment.wanted.len();
        for position in chosen {
            self.give(position, at, &wanted);
        }
        self.environment.wanted.push(wanted);
    }

    fn give(&mut self, position: usize, at: usize, wanted: &WantedVariable) {
        let Some((list, index, container)) = self.consumers.get(position).copied() else { return };
        let targets = &mut self.environment.targets;
        let known = targets.iter().position(|target| (target.list, target.index) == (list, index));
        let known = match known {
            Some(known) => known,
            None => {
                // A name that Kubernetes refuses anyway.
                let Ok(name) = ContainerName::parse(&container.name) else { return };
                let chosen = method::choose(container, self.pod, self.request, self.settings);
                let method = chosen.unwrap_or_else(|problem| {
                    // Of an annotation once, however many containers it is about.
                    if !self.problems.as_slice().contains(&problem) {
                        self.problems.push(problem);
                    }
                    Method::Exec
                });
                let (variables, required) = (Vec::new(), Vec::new());
                targets.push(Target { list, index, name, method, variables, required });
                targets.len() - 1
            }
        };
        let Some(target) = targets.get_mut(known) else { return };
        let twice = target.variables.iter().find(|(_, name)| *name == wanted.name);
        if let Some(first) = twice.and_then(|(first, _)| self.environment.wanted.get(*first)) {
            let first = &first.asked.place;
            self.problems.push(wanted.asked.place.problem(
                format!(
                    "it is set twice in container {}, first in {PREFIX}{}, line {}",
                    target.name, first.key, first.line
                ),
                "keep one of them, or say for which containers each is (containers: [NAME])",
            ));
            return;
        }
        target.variables.push((at, wanted.name.clone()));
        if wanted.asked.on_missing.unwrap_or(self.request.on_missing) == OnMissing::Fail {
            target.required.push(wanted.name.to_string());
        }
    }

    /// Whether another webhook may add a container of this name: it is told about as a consumer.
    fn may_come(&self, name: &str) -> bool {
        let named = self.request.containers.iter().flatten().any(|known| *known == name);
        named && !self.pod.all_containers().any(|(_, _, container)| container.name == *name)
    }

    fn no_such(&self, name: &str) -> (String, String) {
        let is_there = self.pod.all_containers().any(|(_, _, container)| container.name == *name);
        let names = self.consumers.iter().map(|(_, _, container)| container.name.as_ref());
        if is_there {
            return (
                format!(
                    "container {:?} gets no secrets, or runs before they are fetched",
                    shown(name)
                ),
                format!("name it in {PREFIX}containers, or leave it out here"),
            );
        }
        let remedy = match nearest(name, names) {
            Some(known) => format!("did you mean {known}?"),
            None => "use names of the Pod's containers or init containers".to_owned(),
        };
        (format!("the Pod has no container {:?}", shown(name)), remedy)
    }

    fn finish(mut self) -> Environment {
        check_nodes(&self.environment, self.pod, self.problems);
        for target in &self.environment.targets {
            let found = self
                .consumers
                .iter()
                .find(|(list, index, _)| (*list, *index) == (target.list, target.index));
            let Some((_, _, container)) = found else { continue };
            references::check(target, container, self.problems, &mut self.environment.warnings);
            if target.method == Method::Exec {
                check_mounts(container, self.problems);
            }
        }
        self.explain();
        self.environment
    }

    /// What is special about the way that was chosen.
    fn explain(&mut self) {
        let of = |method: Method| {
            let targets = self.environment.targets.iter().filter(|target| target.method == method);
            targets.map(|target| target.name.as_str()).collect::<Vec<_>>().join(", ")
        };
        let (exec, read) = (of(Method::Exec), of(Method::FileKeyRef));
        let warnings = &mut self.environment.warnings;
        if !exec.is_empty() {
            warnings.push(format!(
                "variables of {exec:.64} are set for its main process (its command is started through ours); exec probes, lifecycle hooks and kubectl exec do not see them"
            ));
        }
        if !read.is_empty() {
            warnings.push(format!(
                "variables of {read:.64} are set by the kubelet from memory (fileKeyRef), but the container runtime keeps their values on the node's disk; with a command they can be kept off it (env-method: exec)"
            ));
            if self.pod.spec.runtime_class_name.is_some() {
                warnings.push(
                    "the Pod has a runtimeClassName: in a sandbox the kubelet may not see the file that a variable is read from; with env-method: exec nothing depends on it"
                        .to_owned(),
                );
            }
        }
    }
}

/// On a virtual node no kubelet reads files, so a Pod that goes nowhere else would never start.
fn check_nodes(environment: &Environment, pod: &Pod<'_>, problems: &mut Problems) {
    if environment.targets.iter().any(|target| target.method == Method::FileKeyRef)
        && pod.is_for_virtual_nodes()
    {
        problems.push(crate::annotations::problem(
            "env-method",
            "the Pod is for virtual nodes, where no kubelet reads variables from files",
            "use exec and a command",
        ));
    }
}

fn check_mounts(container: &Container<'_>, problems: &mut Problems) {
    let directory = ContainerPath::new(plan::ENVIRONMENT_DIRECTORY);
    for taken in container.mounts() {
        let path = &taken.mount_path;
        let at = ContainerPath::new(path);
        // Of one that may lead anywhere it has been told.
        let meets = at.is_within(&directory) && !at.steps_back();
        if meets && taken.name != ENVIRONMENT_VOLUME {
            problems.push(Problem::pod(
                format!("container {:?}", shown(&container.name)),
                format!(
                    "the volume {:?} is mounted at {path:.100}, where its variables are to be",
                    shown(&taken.name)
                ),
                "mount it somewhere else",
            ));
        }
    }
}
