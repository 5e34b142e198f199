//! The parts of a plan put together, of secrets whose places are known.

use plan::{
    Agent, AllKeys, FileOptions, InvalidPlan, KeysTarget, Lookup, Mode, MountPath, OnMissing, Plan,
    PlanBuilder, RequestedFileOptions, Selection, Variable, VariableRules,
};

use super::facts::Draft;
use super::mode;
use crate::ask::annotations::{ModeName, SecretsRequest};
use crate::ask::secrets::{
    Place, SecretRef, Wanted, WantedContent, WantedKeys, WantedTarget, WantedVariable,
};
use crate::decide::backends::AlibabaDecision;
use crate::problem::{Problem, Problems};

/// The parts of a plan, each decided by itself.
pub(super) struct DraftParts {
    /// Every secret with its place.
    pub(super) wanted: Wanted<(SecretRef, Lookup)>,
    pub(super) decided: AlibabaDecision,
    pub(super) mount: MountPath,
    pub(super) consumers: Vec<String>,
}

/// All of a plan whose parts are good.
#[derive(Debug)]
pub(crate) struct Unbuilt {
    builder: PlanBuilder,
    mode: Mode,
}

impl Unbuilt {
    pub(crate) fn agent(&self) -> Option<&Agent> {
        self.mode.agent()
    }

    /// A problem that shows here is one of all parts together.
    pub(crate) fn build(mut self, request: &SecretsRequest<'_>) -> Result<Plan, Problem> {
        self.builder.mode(self.mode);
        self.builder.build().map_err(|error| whole(request, &error))
    }
}

impl Draft<'_> {
    pub(super) fn assemble(&self, parts: DraftParts, problems: &mut Problems) -> Option<Unbuilt> {
        let Self { request, settings, ownership, .. } = *self;
        let DraftParts { wanted, decided, mount, consumers } = parts;
        let AlibabaDecision { credentials, served, gateway_ca } = decided;
        let Wanted { files, templates, variables, all_keys } = wanted;
        let mut builder = PlanBuilder::new(credentials, mount);
        for file in files {
            let (secret, lookup) = file.secret;
            let options = self.file_options(file.options, &secret.place, problems);
            builder.file(file.name, lookup, secret.selector, options);
        }
        for file in templates {
            let options = self.file_options(file.options, &file.place, problems);
            let secrets = file.secrets.into_iter();
            let secrets = secrets.map(|(written, (secret, at))| (written, at, secret.selector));
            builder.template(file.name, file.text, secrets.collect(), options);
        }
        let variables: Vec<Variable> = variables
            .into_iter()
            .map(|variable| self.variable(variable, &mut builder, problems))
            .collect();
        let all_keys: Vec<AllKeys> =
            all_keys.into_iter().map(|keys| self.keys(keys, &mut builder, problems)).collect();
        let is_for_variables =
            |keys: &AllKeys| matches!(keys.become_what, KeysTarget::Variables { .. });
        let has_keys = all_keys.iter().any(is_for_variables);
        let rules = has_keys.then(|| VariableRules {
            allowed: settings.allowed_variables().to_vec(),
            only: settings.only_variables().map(<[_]>::to_vec),
        });
        builder.all_keys(all_keys, rules);
        if !variables.is_empty() || has_keys {
            builder.env(Some(plan::Environment { mode: ownership.mode, variables }));
        }
        problems.extend(mode::strays(request));
        let mode = match request.mode {
            ModeName::Init => Mode::Init,
            ModeName::Refresh => Mode::Refresh(mode::refresh(request, problems)?),
            ModeName::Agent => {
                let refresh = mode::refresh(request, problems)?;
                self.agent(refresh, served, problems)?
            }
        };
        builder
            .network(settings.network())
            .batches(settings.batches())
            .group(ownership.file_group)
            .options(request.options.clone())
            .gateway_ca(gateway_ca)
            .https_proxy(settings.https_proxy().cloned())
            .timeout_seconds(request.timeout.unwrap_or(settings.timeout_seconds()))
            .consumers(consumers);
        Some(Unbuilt { builder, mode })
    }

    /// A file's options, with a problem where a mode was asked for and consumers cannot read it.
    fn file_options(
        &self,
        requested: RequestedFileOptions,
        place: &Place,
        problems: &mut Problems,
    ) -> FileOptions {
        let unreadable = requested.mode.and_then(|mode| self.ownership.unreadable(mode));
        if let Some((what, remedy)) = unreadable {
            problems.push(place.problem(what, remedy));
        }
        requested.filled(FileOptions::new(self.ownership.mode, self.request.on_missing))
    }

    fn keys(
        &self,
        wanted: WantedKeys<(SecretRef, Lookup)>,
        builder: &mut PlanBuilder,
        problems: &mut Problems,
    ) -> AllKeys {
        let WantedKeys { prefix, options, target, place, secret: (secret, lookup) } = wanted;
        let FileOptions { mode, on_missing, encoding } =
            self.file_options(options, &place, problems);
        let value = Selection { from: builder.lookup(lookup), select: secret.selector };
        let become_what = match target {
            WantedTarget::Files { slash } => KeysTarget::Files { mode, slash },
            WantedTarget::Variables(exec) => KeysTarget::Variables { exec },
        };
        AllKeys { value, prefix, on_missing, encoding, become_what }
    }

    fn variable(
        &self,
        wanted: WantedVariable<(SecretRef, Lookup)>,
        builder: &mut PlanBuilder,
        problems: &mut Problems,
    ) -> Variable {
        let WantedVariable { name, exec, file_key_ref, on_missing, encoding, place, content } =
            wanted;
        let on_missing = on_missing.unwrap_or(self.request.on_missing);
        if on_missing == OnMissing::Skip && !file_key_ref.is_empty() {
            problems.push(place.problem(
                "the kubelet starts no container whose variable is missing, so it cannot be skipped",
                "write onMissing: fail, or set it through a command (env-method: exec)",
            ));
        }
        let content = match content {
            WantedContent::Value((secret, lookup)) => builder.value(lookup, secret.selector),
            WantedContent::Template(text, secrets) => {
                let secrets = secrets.into_iter();
                let secrets = secrets.map(|(written, (secret, at))| (written, at, secret.selector));
                builder.text(text, secrets)
            }
        };
        let encoding = encoding.unwrap_or_default();
        Variable { name, content, on_missing, encoding, exec, file_key_ref }
    }
}

/// What is wrong with all that a Pod asks for; a place only where there is but one.
pub(crate) fn whole(request: &SecretsRequest<'_>, error: &InvalidPlan) -> Problem {
    if matches!(error, InvalidPlan::SamePort(_)) {
        return Problem::annotation("metrics-port", error.to_string(), "");
    }
    // Each of its variables waits for a container that another webhook may add, and without one of
    // ours nothing would be there to give it any.
    if let (InvalidPlan::Nothing, Some(env)) = (error, request.env.first()) {
        return Problem::annotation(
            env.key,
            "its variables are for containers that the Pod does not have so far, and it asks for nothing else",
            "correct the name, or add kms.alibabacloud/secrets, or a variable for a container that is there",
        );
    }
    let others = !request.env.is_empty() || !request.templates.is_empty();
    match (request.secrets, others) {
        (Some(_), false) => Problem::annotation("secrets", error.to_string(), ""),
        _ => Problem::pod("the annotations", error.to_string(), ""),
    }
}
