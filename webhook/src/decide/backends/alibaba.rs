//! What is decided for secrets of Alibaba Cloud.

mod agent;
mod endpoint;
mod gateway;
mod identity;
mod places;
mod reads;
mod secret;

use plan::{Credentials, GatewayCa};

pub(crate) use self::agent::ServedSecrets;
pub(crate) use self::gateway::ca_config_map;
pub(super) use self::places::Places;
use self::reads::SecretsReader;
pub(super) use self::secret::AlibabaSecret;
use crate::ask::annotations::ModeName;
use crate::facts::Subject;
use crate::problem::Problems;
use crate::settings::comparisons::Comparisons;

/// What all its secrets of Alibaba Cloud mean for a Pod.
pub(crate) struct AlibabaDecision {
    /// `None` where nothing is asked.
    pub(crate) credentials: Option<Credentials>,
    /// In mode `agent`.
    pub(crate) served: Option<ServedSecrets>,
    pub(crate) gateway_ca: Option<GatewayCa>,
}

/// Decides as whom secrets are asked for, and reports all problems of that and of their places
/// together.
pub(super) fn decide(
    places: Places<'_>,
    own: &[AlibabaSecret<'_>],
    subject: &Subject<'_>,
    account_name: &str,
    comparisons: &mut Comparisons,
    problems: &mut Problems,
) -> Option<AlibabaDecision> {
    let (request, settings) = (places.request, places.settings);
    places::check_regions(own, problems);
    // A Pod whose every object names its region needs no other; the agent and STS ask in the
    // first.
    let places = places.or_in(own.iter().find_map(AlibabaSecret::region));
    let any = agent::any_secret().filter(|_| request.mode == ModeName::Agent);
    let found = any.as_ref().map(|(source, secret)| places.lookup(source, secret, problems));
    let any = any.as_ref().zip(found.as_ref()).map(|((source, secret), found)| AlibabaSecret {
        secret,
        source,
        lookup: found.as_ref().map_err(|why| *why),
    });
    let all: Vec<_> = own.iter().chain(&any).collect();
    let kind = request.credentials.kind();
    identity::check_assumed(&all, kind, subject, settings, comparisons, problems);
    let gateway_ca = gateway::decide(&all, request, settings, problems);
    problems.extend(agent::without_region(any.as_ref(), own));

    // The agent may have a region of its own from its endpoint.
    let places = places.or_in(any.as_ref().and_then(AlibabaSecret::region));
    let credentials = identity::credentials(
        request,
        subject,
        account_name,
        places.region(),
        settings,
        comparisons,
        problems,
    );
    let Some(credentials) = credentials else {
        // A Pod that asks for nothing needs no identity, and the plan says what it lacks.
        let asks_nothing = all.is_empty() && problems.is_empty();
        return asks_nothing.then_some(AlibabaDecision {
            credentials: None,
            served: None,
            gateway_ca,
        });
    };
    let principal = credentials.principal();
    let reader = SecretsReader { principal, credentials: kind, subject, settings };
    reader.check(own, comparisons, problems);
    let served = any.map(|any| {
        let any = any.lookup.ok();
        let allowed = any.and_then(|any| reader.of_agent(any, comparisons));
        ServedSecrets { own: agent::listed(own), allowed, any: any.cloned() }
    });
    Some(AlibabaDecision { credentials: Some(credentials), served, gateway_ca })
}
