//! The local agent, from the annotations that ask for one.

use plan::contract::{AGENT_CACHE_BYTES, AGENT_CONNECTION_BYTES, ENVIRONMENT_DIRECTORY};
use plan::{Agent, CacheTtl, Glob, Mode, Port, Refresh, TokenPath, UpToThousand};

use super::facts::Draft;
use crate::ask::annotations::{Given, ModeName, SecretsRequest};
use crate::decide::backends::ServedSecrets;
use crate::problem::{Problem, Problems};
use crate::quantity::Quantity;
use crate::settings::comparisons::Comparisons;

const PORT: u32 = 2025;
/// Seconds.
const CACHE_TTL: u32 = 300;
const CACHE_SIZE: u32 = 1000;
const MAX_CONNECTIONS: u32 = 800;
const TOKEN_PATH: &str = "/var/run/kmstoken/token";

/// What an agent may need beside what the fetcher does.
pub(crate) fn memory(request: &SecretsRequest<'_>) -> Option<Quantity> {
    let connections = u64::from(request.agent.max_connections.unwrap_or(MAX_CONNECTIONS));
    (request.mode == ModeName::Agent).then(|| {
        Quantity::bytes(AGENT_CACHE_BYTES as u64 + connections * AGENT_CONNECTION_BYTES as u64)
    })
}

/// Where an agent answers, if there is one.
pub(crate) fn port(request: &SecretsRequest<'_>) -> Option<u32> {
    (request.mode == ModeName::Agent).then(|| request.agent.port.unwrap_or(PORT))
}

impl Draft<'_> {
    pub(super) fn agent(
        &self,
        refresh: Refresh,
        served: Option<ServedSecrets>,
        problems: &mut Problems,
    ) -> Option<Mode> {
        let request = self.request;
        let agent = &request.agent;
        let ServedSecrets { own, allowed, any } = served?;
        let patterns = request.agent_secrets();
        if own.is_empty() && matches!(patterns, Given::Nothing) {
            problems.push(Problem::annotation(
                "agent-secrets",
                "the agent would serve nothing: the Pod lists no KMS secret, and no pattern of names",
                "set it to names or patterns of KMS secrets, like shop/*",
            ));
        }
        let any = any?;
        if let (Given::Value(patterns), Some(allowed)) = (&patterns, &allowed) {
            problems.extend(self.never_served(patterns, allowed, &own));
        }
        let secrets = match patterns {
            Given::Value(patterns) => patterns.to_vec(),
            Given::Nothing | Given::Bad => own,
        };
        let token = match &agent.token_path {
            Some(path) => path.clone(),
            None => TokenPath::parse(TOKEN_PATH).ok()?,
        };
        let mount = request.mount_path.clone().unwrap_or_default();
        let others = [mount.as_str(), ENVIRONMENT_DIRECTORY];
        problems.extend(self.collision("agent-token-path", token.directory(), &others));
        Some(Mode::Agent(Box::new(Agent {
            refresh,
            secrets,
            allowed,
            region: any.region,
            endpoint: any.endpoint,
            assume: any.assume,
            port: Port::new(agent.port.unwrap_or(PORT)).ok()?,
            cache_ttl: CacheTtl::new(agent.cache_ttl.unwrap_or(CACHE_TTL)).ok()?,
            cache_size: UpToThousand::new(agent.cache_size.unwrap_or(CACHE_SIZE)).ok()?,
            max_connections: UpToThousand::new(agent.max_connections.unwrap_or(MAX_CONNECTIONS))
                .ok()?,
            response_type: agent.response_type.unwrap_or_default(),
            token,
            token_mode: self.ownership.mode,
        })))
    }
}

impl Draft<'_> {
    /// A problem of patterns that mean no secret which the Pod lists or the policy allows. Where the
    /// comparisons do not last for all of them, the agent refuses the rest when a client asks.
    fn never_served(&self, patterns: &[Glob], allowed: &[Glob], own: &[Glob]) -> Option<Problem> {
        let mut comparisons = Comparisons::of(EFFORT);
        let mut is_served = |pattern: &Glob| {
            let served =
                allowed.iter().chain(own).any(|names| comparisons.overlaps(pattern, names));
            (!comparisons.is_spent()).then_some(served)
        };
        let judged = patterns.iter().map_while(|pattern| Some((pattern, is_served(pattern)?)));
        let never = judged.filter(|(_, is_served)| !is_served).map(|(pattern, _)| pattern);
        let never: Vec<_> =
            never.take(NAMED).map(|pattern| format!("{:.64}", pattern.as_str())).collect();
        (!never.is_empty()).then(|| {
            Problem::annotation(
                "agent-secrets",
                format!(
                    "the agent would never serve {}: no rule of the policy lets namespace {} read it there with this role",
                    never.join(", "),
                    self.subject.namespace
                ),
                "name secrets that it allows, or ask the operator for a rule",
            )
        })
    }
}

/// Patterns and names that people write need less.
const EFFORT: usize = 128 * 1024;
/// More would not fit into the one line that people see.
const NAMED: usize = 3;
