//! Which secrets the agent may serve, and where each is looked up. It is pure.

use std::collections::HashMap;

use cloud::{Lookup, Subject};
use plan::{Agent, AlibabaSource, Assume, Credentials, Glob, Plan, Principal};

use super::answer::SecretAddress;
use super::request::SecretRequest;
use crate::backends::alibaba::ask;
use crate::backends::lookups_of_agent;

#[derive(Debug)]
pub(crate) struct Scope {
    secrets: Vec<Glob>,
    allowed: Option<Vec<Glob>>,
    /// The route to any secret that the plan does not look up, but for its name.
    other: ScopeRoute,
    /// How the plan looks a secret up, by its name.
    known: HashMap<String, ScopeRoute>,
}

/// Where secrets are looked up, and as whom.
#[derive(Debug)]
struct ScopeRoute {
    lookup: Lookup,
    region: String,
    account: String,
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
        let own = plan.credentials().map(Credentials::principal);
        let account = |assume: Option<&Assume>| {
            let assumed = assume.map(|assume| Principal::Role(&assume.role));
            assumed.or(own).and_then(Principal::account).unwrap_or_default().to_owned()
        };
        let mut known = HashMap::new();
        for (_, lookup) in lookups_of_agent(plan) {
            if let AlibabaSource::Kms(secret) = &lookup.source {
                // The first of several routes to one name counts.
                known.entry(secret.name().to_owned()).or_insert_with(|| ScopeRoute {
                    lookup: ask::lookup(plan, lookup),
                    region: lookup.region.to_string(),
                    account: account(lookup.assume.as_ref()),
                });
            }
        }
        Self {
            secrets: agent.secrets.clone(),
            allowed: agent.allowed.clone(),
            other: ScopeRoute {
                lookup: ask::for_agent(plan, agent),
                region: agent.region.to_string(),
                account: account(agent.assume.as_ref()),
            },
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
        let elsewhere = id.starts_with("acs:") && id.split(':').nth(2) != Some(&self.other.region);
        if elsewhere { Err(Refused::Region) } else { Ok(()) }
    }

    /// The question to the cloud. Secrets of the plan are asked for as the plan does.
    pub(crate) fn lookup(&self, wanted: &SecretRequest<'_>) -> Lookup {
        let subject = Subject::KmsSecret {
            name: wanted.id.clone().into_owned(),
            version_id: wanted.version_id.clone().map(Into::into),
            version_stage: wanted.version_stage.clone().map(Into::into),
        };
        Lookup { subject, ..self.route(&wanted.id).lookup.clone() }
    }

    pub(crate) fn place<'a>(&'a self, id: &'a str) -> SecretAddress<'a> {
        let ScopeRoute { region, account, .. } = self.route(id);
        SecretAddress { id, region, account }
    }

    /// All routes by which the agent asks.
    pub(crate) fn routes(&self) -> impl Iterator<Item = &Lookup> {
        self.known.values().chain([&self.other]).map(|route| &route.lookup)
    }

    /// Whether this is how the agent itself would ask.
    pub(crate) fn is_own(&self, lookup: &Lookup) -> bool {
        let route = self.known.get(lookup.subject.name());
        route.is_some_and(|ScopeRoute { lookup: route, .. }| {
            route.endpoint == lookup.endpoint && route.assume == lookup.assume
        })
    }

    fn route(&self, id: &str) -> &ScopeRoute {
        self.known.get(id).unwrap_or(&self.other)
    }
}
