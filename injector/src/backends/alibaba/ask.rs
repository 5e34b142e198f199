//! The plan's words in those of the cloud client: who asks, and what is asked where.

use cloud::endpoint::host;
use cloud::{AssumedRole, CredentialsProvider, Rrsa, RrsaRole, Service, Subject};
use plan::{KmsVersion, Lookup, Plan, Source};

use crate::backends::service_account_token::TokenFile;

/// The one place where the plan's credentials become those of the client. `token_file` is read at
/// each exchange.
pub(super) fn provider(plan: &Plan, token_file: TokenFile) -> CredentialsProvider {
    let identity = plan.identity();
    let region = identity.region.as_str();
    let role = RrsaRole {
        sts_endpoint: match &identity.endpoint {
            Some(endpoint) => endpoint.to_string(),
            None => host(Service::Sts, region, network(plan)),
        },
        role_arn: identity.role.to_string(),
        oidc_provider_arn: identity.provider.to_string(),
        session_name: identity.session.to_string(),
        duration: identity.duration,
    };
    let token = move || token_file.read().map_err(Into::into);
    CredentialsProvider::Rrsa(Rrsa::new(role, token))
}

pub(crate) fn lookup(plan: &Plan, lookup: &Lookup) -> cloud::Lookup {
    let region = lookup.region.as_str();
    let name = lookup.source.name().to_owned();
    let (service, subject) = match &lookup.source {
        Source::Kms(secret) => {
            let (version_id, version_stage) = match secret.version() {
                Some(KmsVersion::Id(id)) => (Some(id.clone()), None),
                Some(KmsVersion::Stage(stage)) => (None, Some(stage.clone())),
                None => (None, None),
            };
            (Service::Kms, Subject::KmsSecret { name, version_id, version_stage })
        }
        Source::Oos(parameter) => {
            let version = parameter.version().map(u32::from);
            let region = region.to_owned();
            (Service::Oos, Subject::OosSecretParameter { name, version, region })
        }
        Source::OosParameter(_) => {
            (Service::Oos, Subject::OosParameter { name, region: region.to_owned() })
        }
    };
    cloud::Lookup {
        endpoint: match &lookup.endpoint {
            Some(endpoint) => endpoint.to_string(),
            None => host(service, region, network(plan)),
        },
        subject,
        assume: lookup.assume.as_ref().map(assumed),
    }
}

/// What the local agent asks; each client says for which secret.
pub(crate) fn for_agent(plan: &Plan, agent: &plan::Agent) -> cloud::Lookup {
    cloud::Lookup {
        endpoint: match &agent.endpoint {
            Some(endpoint) => endpoint.to_string(),
            None => host(Service::Kms, agent.region.as_str(), network(plan)),
        },
        subject: Subject::KmsSecret { name: String::new(), version_id: None, version_stage: None },
        assume: agent.assume.as_ref().map(assumed),
    }
}

fn assumed(assume: &plan::Assume) -> AssumedRole {
    AssumedRole {
        role_arn: assume.role.to_string(),
        external_id: assume.external_id.as_ref().map(ToString::to_string),
    }
}

fn network(plan: &Plan) -> cloud::Network {
    match plan.network() {
        plan::Network::Vpc => cloud::Network::Vpc,
        plan::Network::Public => cloud::Network::Public,
    }
}
