//! Which container gets which environment variables, and on which way they get there.

mod entrypoints;
mod keys;
mod method;
mod names;
mod references;
mod ways;

use std::collections::{HashMap, HashSet};

use plan::{ContainerName, MAX_VARIABLES, OnMissing, VariableName};

use crate::ask::annotations::{EnvMethod, SecretsRequest};
use crate::ask::secrets::{
    self, Budget, Place, SecretRef, VariableEntry, WantedKeys, WantedVariable,
};
use crate::decide::consumers::Consumers;
use crate::decide::resources;
use crate::patch::desired_pod::{ContainerVariables, Method};
use crate::pod::{Container, List, Pod};
use crate::problem::{PREFIX, Problem, Problems};
use crate::quantity::Quantity;
use crate::settings::Settings;
use crate::settings::comparisons::Comparisons;
use crate::text::display_name;

/// What becomes of a Pod's containers for their environment variables.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    /// Containers that get some.
    pub(crate) targets: Vec<ContainerVariables>,
    pub(crate) warnings: Vec<String>,
    /// What is legal in the annotations, and may not be what was meant.
    pub(crate) notes: Vec<Problem>,
}

impl Environment {
    /// Whether a container is started through our program.
    pub(crate) fn starts(&self, list: List, index: usize) -> bool {
        self.targets.iter().any(|target| target.starts(list, index))
    }

    /// What the memory volume must have room for; `None` where none is needed.
    pub(crate) fn size(&self) -> Option<Quantity> {
        let variables: usize = self.targets.iter().map(|target| target.variables.len()).sum();
        let all_keys: usize = self.targets.iter().map(|target| target.all_keys).sum();
        (variables + all_keys > 0).then(|| resources::environment_size(variables, all_keys))
    }
}

struct EnvReader<'r, 'p> {
    pod: &'r Pod<'p>,
    request: &'r SecretsRequest<'p>,
    /// Consumers that start behind the fetcher.
    consumers: Vec<Consumer<'r, 'p>>,
    /// Where in this list the first of each name is.
    by_name: HashMap<&'r str, usize>,
    /// All names of the Pod's containers.
    names: HashSet<&'r str>,
    /// Containers that the annotation `containers` names and that the Pod does not have: another
    /// webhook may add them, and whether it may is decided for consumers.
    may_come: HashSet<&'r str>,
    settings: &'r Settings,
    is_for_virtual_nodes: bool,
    problems: &'r mut Problems,
    /// Whether the Pod has no consumers, which is one problem of the Pod and none of each variable.
    has_no_consumers: bool,
    /// Variables and secrets of which all keys are wanted, counted once for each of their containers,
    /// whatever comes of them.
    pairs: usize,
    /// Ways that are not allowed: each is one problem, however many containers it is about.
    refused_ways: HashSet<Problem>,
    environment: Environment,
    variables: Vec<WantedVariable<SecretRef>>,
    all_keys: Vec<WantedKeys<SecretRef>>,
    /// Groups of keys that become files, which stand before these in the plan.
    keys_before: usize,
    /// Groups of keys that were looked at, those that become files among them.
    keys_seen: usize,
}

struct Consumer<'r, 'p> {
    list: List,
    index: usize,
    container: &'r Container<'p>,
    /// `None` where Kubernetes refuses the name anyway.
    name: Option<ContainerName>,
    /// Its place among the targets, once it is one.
    target: Option<usize>,
    /// The variables that it gets, each with where it was asked for.
    variables: HashMap<VariableName, Place>,
}

/// The Pod that wants variables, what it asks for, and the operator's rules.
#[derive(Clone, Copy)]
pub(crate) struct Asker<'r, 'p> {
    pub(crate) pod: &'r Pod<'p>,
    pub(crate) request: &'r SecretsRequest<'p>,
    pub(crate) settings: &'r Settings,
}

/// All variables, those that are named and those of all keys.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(crate) variables: Vec<WantedVariable<SecretRef>>,
    pub(crate) all_keys: Vec<WantedKeys<SecretRef>>,
}

/// What becomes of the containers, and all variables. `early` are init containers that run before the
/// fetcher.
pub(crate) fn read<'r, 'p>(
    asker: Asker<'r, 'p>,
    consumers: &Consumers,
    early: &[&str],
    keys_before: usize,
    budget: &mut Budget,
    problems: &'r mut Problems,
) -> (Environment, Asked) {
    let Asker { pod, request, settings } = asker;
    if request.env.is_empty() {
        for said in &request.commands {
            problems.push(Problem::annotation(
                said.key,
                "it says what an image starts, and no container gets variables",
                "add kms.alibabacloud/env, or remove it",
            ));
        }
        if request.env_method != EnvMethod::Auto {
            problems.push(Problem::annotation(
                "env-method",
                "it says how environment variables are set, and none are asked for",
                "add kms.alibabacloud/env, or remove it",
            ));
        }
        return (Environment::default(), Asked::default());
    }
    let early: HashSet<&str> = early.iter().copied().collect();
    let is_early = |list: List, name: &str| list == List::Init && early.contains(name);
    let has_no_consumers = consumers.at.is_empty();
    let (late, early): (Vec<_>, Vec<_>) = consumers
        .containers(pod)
        .partition(|(list, _, container)| !is_early(*list, &container.name));
    let mut environment = Environment::default();
    for (_, _, container) in early {
        environment.warnings.push(format!(
            "init container {:.64} runs before the secrets are fetched and gets no variables",
            display_name(&container.name)
        ));
    }
    let consumers: Vec<Consumer<'_, '_>> = late
        .into_iter()
        .map(|(list, index, container)| Consumer {
            list,
            index,
            container,
            name: ContainerName::parse(&container.name).ok(),
            target: None,
            variables: HashMap::new(),
        })
        .collect();
    let mut by_name = HashMap::with_capacity(consumers.len());
    for (position, consumer) in consumers.iter().enumerate() {
        by_name.entry(consumer.container.name.as_ref()).or_insert(position);
    }
    let names: HashSet<&str> =
        pod.all_containers().map(|(_, _, container)| container.name.as_ref()).collect();
    let named = request.containers.iter().flatten().copied();
    let mut reader = EnvReader {
        may_come: named.filter(|name| !names.contains(name)).collect(),
        pod,
        request,
        consumers,
        by_name,
        names,
        settings,
        is_for_virtual_nodes: pod.is_for_virtual_nodes(problems),
        problems,
        has_no_consumers,
        pairs: 0,
        refused_ways: HashSet::new(),
        environment,
        variables: Vec::new(),
        all_keys: Vec::new(),
        keys_before,
        keys_seen: keys_before,
    };
    for annotation in &request.env {
        let asked = secrets::variables(annotation, budget, reader.problems);
        reader.environment.notes.extend(asked.warnings);
        for entry in asked.all_keys {
            reader.take_keys(entry);
        }
        for entry in asked.named {
            reader.take(entry, &mut budget.comparisons);
        }
    }
    reader.finish()
}

impl EnvReader<'_, '_> {
    /// Whether nothing further is looked at: there is room for no variable, or for no problem.
    fn is_full(&self) -> bool {
        self.pairs > MAX_VARIABLES || self.problems.is_full()
    }

    fn take(&mut self, entry: VariableEntry, comparisons: &mut Comparisons) {
        if self.is_full() {
            return;
        }
        let place = &entry.place;
        if let Some((what, remedy)) = names::refused(&entry.name, self.settings, comparisons) {
            if !comparisons.is_spent() {
                self.problems.push(place.problem(what, remedy));
            }
            return;
        }
        let chosen = self.chosen(entry.containers.as_deref(), place);
        if chosen.is_empty() {
            return;
        }
        let mut targets: Vec<usize> =
            chosen.into_iter().filter_map(|position| self.give(position, &entry)).collect();
        targets.sort_unstable();
        let (mut exec, mut file_key_ref) = (Vec::new(), Vec::new());
        for target in targets.into_iter().filter_map(|at| self.environment.targets.get(at)) {
            let list = match target.method {
                Method::Exec => &mut exec,
                Method::FileKeyRef => &mut file_key_ref,
            };
            list.push(target.name.clone());
        }
        let VariableEntry { name, on_missing, encoding, place, content, .. } = entry;
        self.variables.push(WantedVariable {
            name,
            exec,
            file_key_ref,
            on_missing,
            encoding,
            place,
            content,
        });
    }

    /// The consumers that are meant, by their places; with none it is a problem already.
    fn chosen(&mut self, containers: Option<&[String]>, place: &Place) -> Vec<usize> {
        let chosen: Vec<usize> = match containers {
            None => (0..self.consumers.len()).collect(),
            Some(names) => {
                let (mut chosen, mut seen) = (Vec::new(), HashSet::new());
                for name in names {
                    if self.may_come.contains(name.as_str()) {
                        continue;
                    }
                    match self.by_name.get(name.as_str()) {
                        Some(position) if seen.insert(*position) => chosen.push(*position),
                        Some(_) => {}
                        None if self.problems.is_full() => break,
                        None => {
                            let (what, remedy) = self.no_such(name);
                            self.problems.push(place.problem(what, remedy));
                        }
                    }
                }
                chosen
            }
        };
        // Each name that no container has is a problem above.
        if chosen.is_empty() && containers.is_none() && !self.has_no_consumers {
            self.problems.push(place.problem(
                "no container would get it: the consumers run before the secrets are fetched",
                format!("name others in {PREFIX}containers, or change {PREFIX}init-first"),
            ));
        }
        chosen
    }

    /// Gives a variable to a consumer; the result is its place among the targets.
    fn give(&mut self, position: usize, entry: &VariableEntry) -> Option<usize> {
        let at = self.target(position)?;
        let consumer = self.consumers.get_mut(position)?;
        let target = self.environment.targets.get_mut(at)?;
        if let Some(first) = consumer.variables.get(&entry.name) {
            self.problems.push(entry.place.problem(
                format!(
                    "it is set twice in container {}, first in {PREFIX}{}, line {}",
                    target.name, first.key, first.line
                ),
                "keep one of them, or say for which containers each is (containers: [NAME])",
            ));
            return None;
        }
        consumer.variables.insert(entry.name.clone(), entry.place.clone());
        target.variables.push(entry.name.clone());
        if entry.on_missing.unwrap_or(self.request.on_missing) == OnMissing::Fail {
            target.required.push(entry.name.to_string());
        }
        Some(at)
    }

    /// The place among the targets of a consumer that something is for, which is counted.
    fn target(&mut self, position: usize) -> Option<usize> {
        self.pairs += 1;
        if self.is_full() {
            return None;
        }
        let consumer = self.consumers.get_mut(position)?;
        if consumer.target.is_some() {
            return consumer.target;
        }
        let (list, index, container) = (consumer.list, consumer.index, consumer.container);
        let name = consumer.name.clone()?;
        let sandboxed = self.pod.spec.runtime_class_name.is_some() || self.is_for_virtual_nodes;
        let said = self.request.commands.iter().find(|said| said.container == container.name);
        let method =
            method::choose(container, said.is_some(), sandboxed, self.request, self.settings);
        let method = method.unwrap_or_else(|problem| {
            if self.refused_ways.insert(problem.clone()) {
                self.problems.push(problem);
            }
            Method::Exec
        });
        let targets = &mut self.environment.targets;
        consumer.target = Some(targets.len());
        let (variables, required) = (Vec::new(), Vec::new());
        let entrypoint = said.map(|said| said.words.clone());
        targets.push(ContainerVariables {
            list,
            index,
            name,
            method,
            variables,
            required,
            all_keys: 0,
            entrypoint,
        });
        consumer.target
    }

    fn no_such(&mut self, name: &str) -> (String, String) {
        if self.names.contains(name) {
            return (
                format!(
                    "container {:?} gets no secrets, or runs before they are fetched",
                    display_name(name)
                ),
                format!("name it in {PREFIX}containers, or leave it out here"),
            );
        }
        let names = self.consumers.iter().map(|consumer| consumer.container.name.as_ref());
        let remedy = match self.problems.did_you_mean(name, names) {
            Some(known) => format!("did you mean {known:.64}?"),
            None => "use names of the Pod's containers or init containers".to_owned(),
        };
        (format!("the Pod has no container {:?}", display_name(name)), remedy)
    }

    fn finish(mut self) -> (Environment, Asked) {
        if self.pairs > MAX_VARIABLES {
            self.problems.push(Problem::pod(
                "the annotations",
                format!(
                    "they set more than {MAX_VARIABLES} variables, counted for each container, which is the most that one Pod may have"
                ),
                "say for which containers each is (containers: [NAME]), or put several values into one secret as JSON and write a file",
            ));
            return (self.environment, Asked::default());
        }
        self.check_nodes();
        entrypoints::check(
            self.pod,
            self.request,
            self.consumers.iter().filter_map(|consumer| {
                let target = self.environment.targets.get(consumer.target?)?;
                Some((consumer.container, target))
            }),
            self.problems,
        );
        let mut left = references::Left::default();
        for consumer in &self.consumers {
            let target = consumer.target.and_then(|at| self.environment.targets.get(at));
            let Some(target) = target else { continue };
            let container = consumer.container;
            let warnings = &mut self.environment.warnings;
            references::check(target, container, &mut left, self.problems, warnings);
            if target.method == Method::Exec {
                references::check_mounts(container, self.problems);
            }
        }
        self.problems.extend(left.problem());
        self.explain();
        let asked = Asked {
            variables: std::mem::take(&mut self.variables),
            all_keys: std::mem::take(&mut self.all_keys),
        };
        (self.environment, asked)
    }
}
