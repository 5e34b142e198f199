//! From what a Pod asks for to a plan: annotations, identity and settings meet here.

mod agent;
mod mode;

pub(crate) use self::agent::{memory as agent_memory, port as agent_port};

use std::path::Path;

use plan::contract::{CA_DIRECTORY, ENVIRONMENT_PROGRAM, TOKEN_DIRECTORY};
use plan::{
    ContainerPath, FileMode, InvalidPlan, Lookup, MAX_ENCODED_BYTES, MountPath, OnMissing, Plan,
    PlanBuilder, Variable,
};

use crate::annotations::{self, ModeName, Request};
use crate::comparisons::Comparisons;
use crate::env::{Environment, Method};
use crate::identity;
use crate::inject::Subject;
use crate::ownership::Ownership;
use crate::pod::Pod;
use crate::problem::{Problem, Problems};
use crate::secrets::{self, Asked, Budget, Files, Place};
use crate::settings::{ConfigMapName, Settings};

/// What a plan is made from.
pub(crate) struct Draft<'a> {
    pub(crate) request: &'a Request<'a>,
    pub(crate) subject: &'a Subject<'a>,
    pub(crate) settings: &'a Settings,
    pub(crate) ownership: &'a Ownership,
}

impl Draft<'_> {
    pub(crate) fn plan(
        &self,
        pod: &Pod<'_>,
        files: &Files,
        environment: &Environment,
        consumers: Vec<String>,
        comparisons: &mut Comparisons,
        problems: &mut Problems,
    ) -> Option<Plan> {
        let Self { request, subject, settings, ownership } = *self;
        let mount = request.mount_path.clone().unwrap_or_default();
        problems.extend(self.collision("mount-path", &mount, &[]));
        let region = identity::pod_region(request, settings, problems);
        identity::check_endpoints(request, region.as_ref(), settings, problems);
        let variables = environment.wanted.iter().map(|variable| &variable.asked);
        let in_templates = files.templates.iter().flat_map(|file| &file.secrets);
        let in_templates = in_templates.map(|(_, asked)| asked);
        let in_files = files.values.iter().map(|file| &file.asked).chain(in_templates);
        let asked: Vec<&Asked> = in_files.chain(variables).collect();
        let lookups: Vec<_> = asked
            .iter()
            .map(|asked| {
                (!problems.is_full())
                    .then(|| identity::lookup(asked, request, region.as_ref(), settings, problems))
                    .flatten()
            })
            .collect();
        identity::check_regions(&asked, &lookups, request, region.as_ref(), problems);
        let serves = request.mode == ModeName::Agent;
        let any = agent::any_secret().filter(|_| serves);
        let first = lookups.iter().flatten().map(|lookup| lookup.region.clone()).next();
        // A Pod whose every object names its region needs no other; the agent and STS ask in the
        // first.
        let region = region.or(first);
        let any_lookup = any
            .as_ref()
            .and_then(|any| identity::lookup(any, request, region.as_ref(), settings, problems));
        let all: Vec<_> = lookups.iter().cloned().chain([any_lookup.clone()]).collect();
        identity::check_assumed(&all, subject, settings, comparisons, problems);
        let gateway = self.check_gateway(&asked, &lookups, problems)
            || any.is_some_and(|any| {
                self.check_gateway(&[&any], std::slice::from_ref(&any_lookup), problems)
            });
        // A region of its own the agent may have from its endpoint.
        let region = region.as_ref().or(any_lookup.as_ref().map(|lookup| &lookup.region));
        // Of bad sources and regions it has been told.
        if serves && any_lookup.is_none() && problems.is_empty() {
            problems.push(agent::no_region());
        }
        let account = pod.service_account();
        let identity =
            identity::resolve(request, subject, account, region, settings, comparisons, problems)?;
        let role = &identity.role;
        identity::check_reads(&asked, &lookups, role, subject, settings, comparisons, problems);
        let allowed = any_lookup
            .as_ref()
            .and_then(|any| identity::agent_reads(any, role, subject, settings, comparisons));
        let mut builder = PlanBuilder::new(identity, mount);
        let mut lookups = lookups.into_iter();
        for (file, lookup) in files.values.iter().zip(lookups.by_ref()) {
            let mode = self.mode(file.mode, &file.asked.place, problems);
            let on_missing = file.asked.on_missing.unwrap_or(request.on_missing);
            let (name, selector) = (file.name.clone(), file.asked.selector.clone());
            builder.file(name, lookup?, selector, mode, on_missing);
        }
        for file in &files.templates {
            let mode = self.mode(file.mode, &file.place, problems);
            let on_missing = file.on_missing.unwrap_or(request.on_missing);
            let mut secrets = Vec::with_capacity(file.secrets.len());
            for ((written, asked), lookup) in file.secrets.iter().zip(lookups.by_ref()) {
                secrets.push((written.clone(), lookup?, asked.selector.clone()));
            }
            builder.template(file.name.clone(), file.text.clone(), secrets, mode, on_missing);
        }
        let variables = self.variables(environment, lookups, &mut builder, problems)?;
        if !variables.is_empty() {
            builder.env(Some(plan::Environment { mode: ownership.mode, variables }));
        }
        builder
            .mode(mode::decide(
                request,
                |refresh, problems| self.agent(refresh, &asked, any_lookup, allowed, problems),
                problems,
            )?)
            .network(settings.network())
            .group(ownership.file_group)
            .on_change(request.on_change.clone())
            .metrics_port(request.metrics_port)
            .private_ca(gateway || request.ca_config_map.is_some())
            .timeout_seconds(request.timeout.unwrap_or(settings.timeout_seconds()))
            .log_level(request.log_level.unwrap_or_default())
            .consumers(consumers);
        match builder.build() {
            Ok(plan) => Some(plan),
            // Where a source is bad already, that its file is missing is no news.
            Err(_) if !problems.is_empty() => None,
            Err(error) => {
                problems.push(whole(request, &error));
                None
            }
        }
    }

    /// Each with its lookup, in the order in which they are wanted.
    fn variables(
        &self,
        environment: &Environment,
        lookups: impl Iterator<Item = Option<Lookup>>,
        builder: &mut PlanBuilder,
        problems: &mut Problems,
    ) -> Option<Vec<Variable>> {
        // For each variable its containers, by the way on which it reaches them.
        let mut containers: Vec<(Vec<_>, Vec<_>)> =
            vec![Default::default(); environment.wanted.len()];
        for target in &environment.targets {
            for (at, _) in &target.variables {
                let Some((exec, file_key_ref)) = containers.get_mut(*at) else { continue };
                let list = if target.method == Method::Exec { exec } else { file_key_ref };
                list.push(target.name.clone());
            }
        }
        let mut variables = Vec::with_capacity(environment.wanted.len());
        let wanted = environment.wanted.iter().zip(containers);
        for ((wanted, (exec, file_key_ref)), lookup) in wanted.zip(lookups) {
            let asked = &wanted.asked;
            let on_missing = asked.on_missing.unwrap_or(self.request.on_missing);
            if on_missing == OnMissing::Skip && !file_key_ref.is_empty() {
                problems.push(asked.place.problem(
                    "the kubelet starts no container whose variable is missing, so it cannot be skipped",
                    "write onMissing: fail, or set it through a command (env-method: exec)",
                ));
            }
            variables.push(Variable {
                name: wanted.name.clone(),
                from: builder.lookup(lookup?),
                select: asked.selector.clone(),
                on_missing,
                exec,
                file_key_ref,
            });
        }
        Some(variables)
    }

    /// A file's mode, with a problem where it was asked for and consumers cannot read it.
    fn mode(&self, asked: Option<FileMode>, place: &Place, problems: &mut Problems) -> FileMode {
        let mode = asked.unwrap_or(self.ownership.mode);
        if let (Some((what, remedy)), true) = (self.ownership.unreadable(mode), asked.is_some()) {
            problems.push(place.problem(what, remedy));
        }
        mode
    }

    /// Whether a directory would be mounted over something of ours: our own container has it too.
    fn collision(&self, key: &str, directory: &MountPath, others: &[&str]) -> Option<Problem> {
        let program = self.settings.injector().command().first().map(Path::new);
        let programs =
            program.map(|path| [path.to_owned(), path.with_file_name(ENVIRONMENT_PROGRAM)]);
        let programs = programs.iter().flatten().filter_map(|path| path.to_str());
        let ours = [TOKEN_DIRECTORY, CA_DIRECTORY].into_iter().chain(programs);
        let directory = ContainerPath::new(directory.as_str());
        let meets = |path: &&str| directory.meets(&ContainerPath::new(*path));
        let path = others.iter().copied().chain(ours).find(meets)?;
        let what = format!("it is where something else of ours lies ({path:.100})");
        Some(annotations::problem(key, what, "use another directory"))
    }

    /// Whether a dedicated gateway is asked, whose certificate only a private CA explains.
    fn check_gateway(
        &self,
        asked: &[&Asked],
        lookups: &[Option<Lookup>],
        problems: &mut Problems,
    ) -> bool {
        let is_gateway = |lookup: &Lookup| {
            lookup.endpoint.as_ref().is_some_and(plan::Host::is_dedicated_gateway)
        };
        let found =
            asked.iter().zip(lookups).find(|(_, lookup)| lookup.as_ref().is_some_and(is_gateway));
        if let (Some((asked, _)), None) = (found, self.ca_config_map()) {
            problems.push(asked.place.problem(
                "a dedicated KMS gateway needs the CA of its instance, and none is known",
                "set kms.alibabacloud/ca-config-map to a ConfigMap with the key ca.crt, or ask the operator for caConfigMap in the settings",
            ));
        }
        found.is_some()
    }

    pub(crate) fn ca_config_map(&self) -> Option<&ConfigMapName> {
        self.request.ca_config_map.as_ref().or(self.settings.ca_config_map())
    }
}

/// What is wrong with all that a Pod asks for; a place only where there is but one.
pub(crate) fn whole(request: &Request<'_>, error: &InvalidPlan) -> Problem {
    if matches!(error, InvalidPlan::SamePort(_)) {
        return annotations::problem("metrics-port", error.to_string(), "");
    }
    // Each of its variables waits for a container that another webhook may add, and without one of
    // ours nothing would be there to give it any.
    if let (InvalidPlan::Nothing, Some(env)) = (error, request.env.first()) {
        return annotations::problem(
            env.key,
            "its variables are for containers that the Pod does not have so far, and it asks for nothing else",
            "correct the name, or add kms.alibabacloud/secrets, or a variable for a container that is there",
        );
    }
    let others = !request.env.is_empty() || !request.templates.is_empty();
    match (request.secrets, others) {
        (Some(_), false) => annotations::problem("secrets", error.to_string(), ""),
        _ => Problem::pod("the annotations", error.to_string(), ""),
    }
}

/// The files that annotations ask for.
pub(crate) fn wanted(
    request: &Request<'_>,
    settings: &Settings,
    budget: &mut Budget,
    problems: &mut Problems,
) -> Files {
    if request.secrets.is_none() && request.templates.is_empty() {
        let serves = request.mode == ModeName::Agent && request.agent.secrets.is_some();
        // What is bad has been told, and may be all that the Pod asks for.
        let is_ask = |key: &&str| {
            matches!(*key, "secrets" | "env" | "agent-secrets")
                || ["template", "env."].iter().any(|family| key.starts_with(family))
        };
        if request.env.is_empty() && !serves && !request.bad.iter().any(is_ask) {
            problems.push(annotations::problem(
                "secrets",
                "nothing to fetch: the Pod has annotations of ours and names no secret",
                "add kms.alibabacloud/secrets or kms.alibabacloud/env (in mode agent agent-secrets will do), or remove the others",
            ));
        }
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
