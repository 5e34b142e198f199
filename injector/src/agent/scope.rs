//! Which secrets the agent may serve, and where each is looked up. Pure.

use std::collections::HashMap;

use cloud::{Lookup, Subject};
use plan::{Agent, Glob, Plan, Provider};

use super::request::Wanted;
use crate::question;

#[derive(Debug)]
pub(crate) struct Scope {
    secrets: Vec<Glob>,
    allowed: Option<Vec<Glob>>,
    region: String,
    /// Any secret that the plan does not look up, but for its name.
    other: Lookup,
    /// How the plan looks a secret up, by its name.
    known: HashMap<String, Lookup>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("the secret is not among those that the agent of this Pod may serve (agent-secrets)")]
    Secret,
    #[error("the operator's policy does not let this Pod read the secret")]
    Policy,
    #[error("the ARN names another region than the agent's")]
    Region,
}

impl Scope {
    pub(crate) fn new(plan: &Plan, agent: &Agent) -> Self {
        let mut known = HashMap::new();
        for lookup in plan.lookups() {
            if lookup.source.provider() == Provider::Kms {
                let name = lookup.source.name().to_owned();
                // Of several ways to one name the first one counts.
                known.entry(name).or_insert_with(|| question::lookup(plan, lookup));
            }
        }
        Self {
            secrets: agent.secrets.clone(),
            allowed: agent.allowed.clone(),
            region: agent.region.to_string(),
            other: question::of_agent(plan, agent),
            known,
        }
    }

    pub(crate) fn check(&self, id: &str) -> Result<(), Refused> {
        let means = |glob: &Glob| glob.means(id);
        if !self.secrets.iter().any(means) {
            return Err(Refused::Secret);
        }
        if self.known.contains_key(id) {
            return Ok(());
        }
        if self.allowed.as_ref().is_some_and(|allowed| !allowed.iter().any(means)) {
            return Err(Refused::Policy);
        }
        let elsewhere = id.starts_with("acs:") && id.split(':').nth(2) != Some(&self.region);
        if elsewhere { Err(Refused::Region) } else { Ok(()) }
    }

    /// The question to the cloud. Secrets of the plan are asked for as the plan does.
    pub(crate) fn lookup(&self, wanted: &Wanted<'_>) -> Lookup {
        let way = self.known.get(wanted.id.as_ref()).unwrap_or(&self.other);
        let subject = Subject::KmsSecret {
            name: wanted.id.clone().into_owned(),
            version_id: wanted.version_id.clone().map(Into::into),
            version_stage: wanted.version_stage.clone().map(Into::into),
        };
        Lookup { subject, ..way.clone() }
    }

    /// Whether this is how the agent itself would ask.
    pub(crate) fn is_own(&self, lookup: &Lookup) -> bool {
        let way = self.known.get(lookup.subject.name());
        way.is_some_and(|way| way.endpoint == lookup.endpoint && way.assume == lookup.assume)
    }
}
